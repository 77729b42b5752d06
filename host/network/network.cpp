#include "host/network/network.h"

#include <fmt/format.h>

#include "host/base/checked.h"
#include "host/base/error.h"
#include "host/base/text.h"
#include "host/base/yaml.h"
#include "host/base/zoo.h"
#include "host/network/shape_walk.h"

namespace bittern {

std::int64_t Network::macs() const {
  std::int64_t sum = 0;
  const std::string what = "multiply-accumulates of network " + name;
  for (const Layer& layer : layers) checked_add(sum, layer.macs(), what.c_str());
  return sum;
}

std::int64_t Network::weights() const {
  std::int64_t sum = 0;
  for (const Layer& layer : layers) sum += layer.weights();
  return sum;
}

std::size_t Network::index_of(const std::string& layer_name) const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].name == layer_name) return i;
    names.push_back(layers[i].name);
  }
  fail_usage("network '{}' has no layer '{}'{}", name, shortened(layer_name),
             suggestion(layer_name, names));
}

Network load_network(const std::string& name_or_path) {
  const std::filesystem::path path = zoo_file("networks", name_or_path);
  const YamlMap map(YamlNode::load(path),
                    {"name", "description", "input", "input_signed", "layers"});
  Network network;
  network.name = file_name_of(map.at("name"));
  if (network.name != path.stem().string()) {
    map.at("name").fail("'" + network.name + "' differs from the file's name '" +
                        path.stem().string() + "'");
  }
  network.description = map.text("description", "");
  const auto input = map.at("input").integers(1, 1 << 24, 3, 3);
  ShapeWalk walk({static_cast<int>(input[0]), static_cast<int>(input[1]),
                  static_cast<int>(input[2]), map.boolean("input_signed", false)});
  for (const YamlNode& entry : map.at("layers").items(1, 4096)) walk.add(entry);
  network.layers = walk.layers();
  network.wiring = walk.wiring();
  network.output = walk.output();
  if (network.layers.empty()) map.at("layers").fail("no layer that can be quantised");
  return network;
}

namespace {

std::string source_key(const Source& source) {
  std::string text = fmt::format("from {}", source.layer);
  for (const Pool& p : source.pools) {
    text += p.global ? " pool global"
                     : fmt::format(" pool k{}x{} s{}x{} p{},{},{},{}", p.kernel_h, p.kernel_w,
                                   p.stride_h, p.stride_w, p.pad_top, p.pad_bottom, p.pad_left,
                                   p.pad_right);
  }
  return text;
}

}  // namespace

std::string wiring_key(const Network& network) {
  std::string text;
  for (const Wiring& wiring : network.wiring) {
    text += source_key(wiring.input) + (wiring.relu ? " relu; " : "; ");
  }
  return text + source_key(network.output);
}

std::vector<std::string> network_names() { return zoo_names("networks"); }

Policy uniform_policy(const Network& network, BitPair bits) {
  return Policy(network.layers.size(), bits);
}

double model_size_bytes(const Network& network, const Policy& policy) {
  if (policy.size() != network.layers.size()) {
    fail("a policy of {} layers for network '{}', which has {}", policy.size(), network.name,
         network.layers.size());
  }
  std::int64_t bits = 0;
  for (std::size_t i = 0; i < policy.size(); ++i) {
    bits += network.layers[i].weights() * policy[i].weight;
  }
  return static_cast<double>(bits) / 8.0;
}

}  // namespace bittern
