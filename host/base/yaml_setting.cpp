#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "host/base/error.h"
#include "host/base/yaml_data.h"

namespace bittern {
namespace {

/// One step of a key: a name, or an index in brackets.
struct KeyStep {
  std::string name;
  std::optional<std::size_t> index;
};

/// "constraints[0].ratio" as steps; empty when it is not of that form.
std::vector<KeyStep> key_steps(const std::string& key) {
  std::vector<KeyStep> steps;
  std::size_t at = 0;
  while (at < key.size()) {
    if (key[at] == '[') {
      const std::size_t end = key.find(']', at);
      const std::string digits = end == std::string::npos ? "" : key.substr(at + 1, end - at - 1);
      if (steps.empty() || digits.empty() || digits.size() > 6 ||
          digits.find_first_not_of("0123456789") != std::string::npos) {
        return {};
      }
      steps.push_back({"", std::stoul(digits)});
      at = end + 1;
      if (at < key.size() && key[at] != '.' && key[at] != '[') return {};
    } else {
      if (key[at] == '.' && (steps.empty() || ++at == key.size())) return {};
      const std::size_t end = std::min(key.find_first_of(".[]", at), key.size());
      if (end == at) return {};
      steps.push_back({key.substr(at, end - at), std::nullopt});
      at = end;
    }
  }
  return steps;
}

}  // namespace

YamlNode YamlNode::with(const std::string& key, const std::string& value,
                        const std::string& origin) const {
  const std::vector<KeyStep> steps = key_steps(key);
  if (steps.empty()) {
    fail_usage("{}: expected a key like search.episodes or constraints[0].ratio", origin);
  }
  auto document = std::make_shared<Document>(*document_);
  Data* place = &document->root;
  std::string path;
  for (const KeyStep& step : steps) {
    const YamlKind needed = step.index ? YamlKind::kSequence : YamlKind::kMapping;
    if (place->kind == YamlKind::kNull) {
      place->kind = needed;
      place->origin = origin;
    }
    if (place->kind != needed) {
      fail_usage("{}: {} is not a {}", origin, path.empty() ? "the file" : path,
                 step.index ? "list" : "mapping");
    }
    std::size_t index = 0;
    if (step.index) {
      index = *step.index;
      if (index > place->children.size()) {
        fail_usage("{}: {} has {} elements; expected an index of 0 to {} (the last one adds one)",
                   origin, path, place->children.size(), place->children.size());
      }
      path += fmt::format("[{}]", index);
    } else {
      const auto found = std::find(place->keys.begin(), place->keys.end(), step.name);
      index = static_cast<std::size_t>(found - place->keys.begin());
      if (found == place->keys.end()) place->keys.push_back(step.name);
      path += (path.empty() ? "" : ".") + step.name;
    }
    if (index == place->children.size()) {
      place->children.emplace_back();
      place->children.back().origin = origin;
    }
    place = &place->children[index];
  }
  *place = Data();
  if (value.find_first_not_of(" \t") != std::string::npos) {
    *place = parse(value, origin).document_->root;
  }
  std::vector<Data*> set = {place};
  while (!set.empty()) {
    Data* const data = set.back();
    set.pop_back();
    data->origin = origin;
    for (Data& child : data->children) set.push_back(&child);
  }
  const Data* root = &document->root;
  return YamlNode(std::move(document), root, "");
}

}  // namespace bittern
