#include "host/network/io/network_yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/random.h"
#include "host/base/temporary_folder.h"
#include "host/network/io/network_weights.h"
#include "host/network/network.h"
#include "tests/host/network/random_graph.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;

/// Names decide where weights are found.
std::string named_key(const Graph& graph) {
  std::string text = graph_key(graph);
  for (const Node& node : graph.nodes) text += node.op == Op::kConv ? node.name + " " : "";
  for (const Layer& layer : layers(graph)) text += layer.name + " " + layer.key() + " ";
  return text;
}

TEST(NetworkYaml, IsReadBackAsTheSameGraph) {
  Rng rng(11);
  for (int round = 0; round < 120; ++round) {
    const Network network = RandomGraph(rng).draw(9, 4);
    const std::string text = network_yaml(network);
    SCOPED_TRACE(text);
    const Network again = parse_network(YamlNode::parse(text, "again.yaml"));
    EXPECT_EQ(named_key(again.graph), named_key(network.graph));
    EXPECT_EQ(again.name, network.name);
    EXPECT_EQ(network_yaml(again), text);
  }
}

TEST(NetworkYaml, OfTheZooIsReadBack) {
  for (const std::string& name : network_names()) {
    const Network network = load_network(name);
    try {
      const std::string text = network_yaml(network);
      const Network again = parse_network(YamlNode::parse(text, "again.yaml"));
      EXPECT_EQ(named_key(again.graph), named_key(network.graph)) << name;
      EXPECT_EQ(again.description, network.description) << name;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("nothing makes")) << name;
    }
  }
}

TEST(NetworkYaml, QuotesWhatYamlWouldTakeForSomethingElse) {
  for (const std::string name : {"true", "1", "a b", "a\"b", "a: b", "#x", "on", "fc-1.x/y"}) {
    Network network = network_of("  - linear: {name: x, out: 2, relu: false}\n", "[1, 2, 2]");
    network.graph.nodes.back().name = name;
    const std::string text = network_yaml(network);
    const Network again = parse_network(YamlNode::parse(text, "again.yaml"));
    EXPECT_EQ(again.layers[0].name, name) << text;
  }
}

Network with_weights() {
  Network network = network_of("  - linear: {name: x, out: 2, relu: false}\n", "[1, 2, 2]");
  auto tensors = std::make_shared<TensorFile>();
  tensors->tensors["x.weight"] =
      StoredTensor::from_floats({2, 4}, std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8});
  tensors->tensors["x.bias"] = StoredTensor::from_floats({2}, std::vector<float>{0.5F, -0.5F});
  network.tensors = tensors;
  return network;
}

TEST(NetworkWeights, LieBesideTheFileAndAreChecked) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "net.yaml";
  const Network written = save_network(path, with_weights());
  EXPECT_EQ(written.name, "net");
  const Network again = load_network(path.string());
  EXPECT_TRUE(has_weights(again));
  EXPECT_EQ(content_hash(network_weights(again)), content_hash(network_weights(with_weights())));
  // Other weights under the same name.
  TensorFile other = network_weights(again);
  other.tensors["x.bias"] = StoredTensor::from_floats({2}, std::vector<float>{1.0F, 1.0F});
  write_safetensors(folder.path() / "net.safetensors", other);
  try {
    network_weights(again);
    ADD_FAILURE() << "no error was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("import the model again"));
    EXPECT_EQ(error.status(), ExitStatus::kUsage);
  }
}

TEST(NetworkWeights, OfANetworkWithoutAnyAreAnError) {
  const Network network = network_of("  - linear: {name: x, out: 2}\n", "[1, 2, 2]");
  EXPECT_FALSE(has_weights(network));
  EXPECT_THROW(network_weights(network), Error);
  EXPECT_THROW(save_network("net.json", with_weights()), Error);
}

}  // namespace
}  // namespace bittern
