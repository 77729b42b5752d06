#include <algorithm>
#include <optional>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/json.h"
#include "host/base/text.h"
#include "host/base/yaml.h"
#include "host/network/network.h"

namespace bittern {
namespace {

using nlohmann::json;

constexpr int kVersion = 1;

const json& member(const json& object, const char* key, const std::string& where) {
  const auto it = object.find(key);
  if (it == object.end()) fail_usage("{}: missing key \"{}\"", where, key);
  return *it;
}

void only_keys(const json& object, const std::vector<std::string>& allowed,
               const std::string& where) {
  if (!object.is_object()) fail_usage("{}: expected a JSON object", where);
  for (const auto& [key, value] : object.items()) {
    if (std::find(allowed.begin(), allowed.end(), key) == allowed.end()) {
      fail_usage("{}: unknown key \"{}\"{}", where, shortened(key), suggestion(key, allowed));
    }
  }
}

std::string text_of(const json& object, const char* key, const std::string& where) {
  const json& value = member(object, key, where);
  if (!value.is_string()) fail_usage("{}: \"{}\" must be text", where, key);
  return value.get<std::string>();
}

int bits_of(const json& object, const char* key, const std::string& where) {
  const json& value = member(object, key, where);
  if (!value.is_number_integer() || value < 1 || value > kMostBits) {
    fail_usage("{}: \"{}\" is {}, expected an integer from 1 to {}", where, key,
               shortened(value.dump()), kMostBits);
  }
  return value.get<int>();
}

/// Files from before there were versions have none and are of the first.
void check_version(const json& document, const std::string& where) {
  const auto it = document.find("version");
  if (it == document.end() || *it == kVersion) return;
  fail_usage(
      "{}: \"version\" is {}, but this Bittern reads policies of version {}: use a newer one",
      where, shortened(it->dump()), kVersion);
}

}  // namespace

Policy load_policy(const std::filesystem::path& path, const Network& network) {
  const std::string file = path.string();
  const json document = load_json(path);
  only_keys(document, {"version", "network", "layers"}, file);
  check_version(document, file);
  const std::string name = text_of(document, "network", file);
  if (name != network.name) {
    fail_usage("{}: this is a policy for network '{}', not for '{}'", file, shortened(name),
               network.name);
  }
  const json& layers = member(document, "layers", file);
  if (!layers.is_array()) fail_usage("{}: \"layers\" must be a list", file);
  std::vector<std::optional<BitPair>> found(network.layers.size());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    std::string where = fmt::format("{}: layers[{}]", file, i);
    only_keys(layers[i], {"name", "weight_bits", "activation_bits"}, where);
    const std::string layer = text_of(layers[i], "name", where);
    where += " (" + shortened(layer) + ")";
    std::size_t index = 0;
    try {
      index = network.index_of(layer);
    } catch (const Error& error) {
      fail_usage("{}: {}", where, error.what());
    }
    if (found[index]) fail_usage("{}: the layer is given twice", where);
    found[index] = BitPair{bits_of(layers[i], "weight_bits", where),
                           bits_of(layers[i], "activation_bits", where)};
  }
  Policy policy;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (!found[i]) fail_usage("{}: no bits for layer '{}'", file, network.layers[i].name);
    policy.push_back(*found[i]);
  }
  return policy;
}

void save_policy(const std::filesystem::path& path, const Network& network, const Policy& policy) {
  if (policy.size() != network.layers.size()) {
    fail("a policy of {} layers for network '{}', which has {}", policy.size(), network.name,
         network.layers.size());
  }
  nlohmann::ordered_json document;
  document["version"] = kVersion;
  document["network"] = network.name;
  document["layers"] = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < policy.size(); ++i) {
    document["layers"].push_back({{"name", network.layers[i].name},
                                  {"weight_bits", policy[i].weight},
                                  {"activation_bits", policy[i].activation}});
  }
  write_file(path, document.dump(2) + "\n");
}

}  // namespace bittern
