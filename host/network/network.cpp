#include "host/network/network.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "host/base/checked.h"
#include "host/base/error.h"
#include "host/base/text.h"
#include "host/base/yaml.h"
#include "host/base/zoo.h"
#include "host/network/io/onnx/import.h"
#include "host/network/ops.h"

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

namespace {

Network network_in(const std::filesystem::path& path) {
  if (path.extension() == ".onnx") return import_onnx(path);
  // Scales of quantisers, one for each channel, make long files.
  YamlLimits limits;
  limits.max_bytes = std::size_t{16} << 20;
  limits.max_nodes = 1'000'000;
  const YamlNode document = YamlNode::load(path, limits);
  Network network = parse_network(document);
  if (network.name != path.stem().string()) {
    for (const auto& [key, value] : document.entries()) {
      if (key != "name") continue;
      value.fail("'" + network.name + "' differs from the file's name '" + path.stem().string() +
                 "'");
    }
  }
  return network;
}

}  // namespace

Network load_network(const std::string& name_or_path) {
  Network network = network_in(zoo_file("networks", name_or_path));
  for (const std::string& note : network.notes) spdlog::warn("{}", note);
  return network;
}

void require_trainable(const Network& network) {
  const Graph& graph = network.graph;
  if (graph.nodes.empty()) {
    fail_usage("network {}: only its layers' shapes are known, not what it computes", network.name);
  }
  for (const Node& node : graph.nodes) {
    if (node.op != Op::kGiven) continue;
    fail_usage(
        "{}: `in` states a map of {}x{}x{} that nothing in the file makes: write what does "
        "(concat, "
        "add, upsample, slice); measuring, comparing and validating work without it",
        node.where, node.shape.channels, node.shape.height, node.shape.width);
  }
  const std::vector<bool> used = nodes_in_use(graph);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    if (used[i] || op_info(node.op).tensors.empty()) continue;
    fail_usage(
        "{}: nothing uses the output of '{}', so that training could not change its weights: join "
        "it with add or concat, or leave it out (measuring, comparing and validating work)",
        node.where, node.name);
  }
  const Node& last = graph.nodes[static_cast<std::size_t>(graph.output)];
  const Shape& answer = last.shape;
  if (answer.height != 1 || answer.width != 1) {
    fail_usage(
        "{}: the network answers with a map of {}x{}x{}, expected one number for each class: "
        "end with a global pooling or a linear layer",
        last.where, answer.channels, answer.height, answer.width);
  }
  if (last.op == Op::kRelu || last.op == Op::kClip) {
    fail_usage(
        "{}: a ReLU follows the last layer, which would cut off its answers at 0: write "
        "relu: false there",
        last.where);
  }
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
