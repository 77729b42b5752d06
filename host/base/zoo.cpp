#include "host/base/zoo.h"

#include <algorithm>
#include <cstdlib>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/yaml.h"

namespace bittern {

namespace fs = std::filesystem;

std::vector<std::string> zoo_names(const std::string& kind) {
  const fs::path folder = home_folder() / "configs" / kind;
  std::vector<std::string> names;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(folder, code)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  if (code) fail("{}: {}", folder.string(), code.message());
  std::sort(names.begin(), names.end());
  return names;
}

namespace {

/// Whether a text is a path to a file that stands for a name of configs/<kind>.
bool is_path(const std::string& kind, const fs::path& text) {
  return text.extension() == ".yaml" || (kind == "networks" && text.extension() == ".onnx");
}

}  // namespace

fs::path zoo_file(const std::string& kind, const std::string& name_or_path) {
  std::error_code code;
  if (is_path(kind, name_or_path)) {
    if (!fs::exists(name_or_path, code)) fail_usage("{}: no such file", name_or_path);
    return name_or_path;
  }
  const std::vector<std::string> names = zoo_names(kind);
  if (std::find(names.begin(), names.end(), name_or_path) == names.end()) {
    fail_usage("configs/{} has no '{}'{} (files of your own are given by a path ending in {})",
               kind, name_or_path, suggestion(name_or_path, names),
               kind == "networks" ? ".yaml or .onnx" : ".yaml");
  }
  return home_folder() / "configs" / kind / (name_or_path + ".yaml");
}

fs::path file_of(const YamlNode& node) { return node.folder() / node.text(); }

fs::path existing_file(const YamlNode& node) {
  fs::path path = file_of(node);
  std::error_code code;
  if (!fs::is_regular_file(path, code)) {
    node.fail(path.string() + (fs::exists(path, code) ? ": not a file" : ": no such file"));
  }
  return path;
}

fs::path checkpoint_file(const YamlNode& node) {
  const fs::path text = node.text();
  std::error_code code;
  if (text.has_parent_path() || fs::exists(node.folder() / text, code)) return existing_file(node);
  std::vector<fs::path> places = {node.folder()};
  if (const char* place = std::getenv("BITTERN_MODELS")) places.emplace_back(place);
  for (const fs::path& base : {fs::path("."), home_folder()}) {
    places.push_back(base / "models");
    places.push_back(base / "../shared/models");
  }
  std::string tried;
  for (const fs::path& place : places) {
    if (fs::is_regular_file(place / text, code)) return place / text;
    tried += "\n  " + (place / text).lexically_normal().string();
  }
  node.fail("no checkpoint " + text.string() +
            ": put it into ./models, name its folder with $BITTERN_MODELS, or give a path (bittern "
            "train makes checkpoints). Tried:" +
            tried);
}

std::string zoo_reference(const std::string& kind, const YamlNode& node) {
  std::string text = node.text();
  if (!is_path(kind, text)) return text;
  const fs::path path = file_of(node);
  std::error_code code;
  if (!fs::exists(path, code)) {
    node.fail(
        fmt::format("{}: no such file{}", path.string(),
                    fs::path(text).is_absolute() || node.folder().empty()
                        ? ""
                        : " (relative paths count from the folder of the file with the key)"));
  }
  return path.string();
}

fs::path policy_reference(const YamlNode& node) {
  const fs::path text = node.text();
  if (text.has_parent_path() || text.has_extension()) return existing_file(node);
  fs::path path = home_folder() / "configs" / "policies" / (node.text() + ".json");
  std::error_code code;
  if (fs::is_regular_file(path, code)) return path;
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(path.parent_path(), code)) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  node.fail("no policy '" + node.text() + "' in configs/policies" + suggestion(node.text(), names) +
            "; a path to a .json file is taken, too");
}

std::string file_name_of(const YamlNode& node) {
  constexpr std::size_t kMost = 100;
  std::string text = node.text();
  const auto refuse = [&node](const std::string& why) {
    node.fail(why +
              "; it becomes the name of a file or folder: expected letters, digits, '_', '-' "
              "or '.', such as lenet_4_bits");
  };
  if (text == "." || text == "..") refuse("'" + text + "' is a folder already");
  if (text.size() > kMost) refuse(fmt::format("{} bytes, more than {}", text.size(), kMost));
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '/') refuse("'" + text + "' has a slash");
    // U+0080 to U+009f, two bytes each in UTF-8, are control characters as well.
    const bool control =
        c < 0x20 || c == 0x7f || (c == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0);
    if (control) refuse(fmt::format("byte {} is a control character", i));
  }
  if (text.front() == '-') refuse("'" + text + "' begins like an option");
  if (text.front() == ' ' || text.back() == ' ') refuse("'" + text + "' has a blank at an end");
  return text;
}

}  // namespace bittern
