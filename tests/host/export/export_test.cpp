#include "host/export/export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <string>

#include "host/base/file.h"
#include "host/base/json.h"
#include "host/base/temporary_folder.h"
#include "host/export/npy_file.h"
#include "host/integer/integer_executor.h"
#include "host/network/io/onnx/import.h"
#include "host/network/quantisation.h"
#include "tests/host/base/message_of.h"
#include "tests/host/integer/random_integers.h"
#include "tests/host/network/random_graph.h"

namespace bittern {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// Two layers whose codes are known: weights are codes already.
class TwoLayers : public ::testing::Test {
 protected:
  TwoLayers()
      : network_(network_of("  - conv: {name: first, out: 2, kernel: 2, relu: true}\n"
                            "  - linear: {name: last, out: 2, relu: false}\n",
                            "[1, 2, 3]")) {}

  /// first: 2x1x2x2; its output is 2x1x2; last: 2x4.
  QuantisedNetwork integers(int weight_bits = 3, bool per_channel = false) const {
    NamedTensors tensors;
    const auto add = [&tensors](const std::string& name, const std::vector<float>& values) {
      Tensor tensor;
      tensor.shape = {static_cast<std::int64_t>(values.size())};
      tensor.values = values;
      tensors[name] = tensor;
    };
    if (weight_bits == 1) {
      add("first.weight", {1, -1, 1, -1, -1, -1, 1, 1});
      add("last.weight", {-1, 1, -1, 1, 1, 1, 1, -1});
    } else {
      add("first.weight", {1, -2, 3, 0, -3, 2, 1, -1});
      add("last.weight", {3, 2, 1, 0, -1, -2, -3, 0});
    }
    add("first.bias", {0.5f, -0.25f});
    add("last.bias", {0, 1});
    const Graph graph = fuse_relu(relu_behind_pool(network_.graph));
    const WeightFormat one{weight_range(weight_bits), {1.0f}};
    const WeightFormat each{weight_range(weight_bits), {1.0f, 0.5f}};
    std::vector<CodeFormat> formats;
    const QuantisationScheme scheme = quantisation_scheme(graph);
    for (std::size_t i = 1; i < scheme.points.size(); ++i) {
      formats.push_back({activation_range(4, scheme.points[i].is_signed), 0.25f});
    }
    const BitPair bits{weight_bits, 4};
    return quantise_network("two layers", graph, tensors, {bits, bits},
                            {per_channel ? each : one, one}, formats);
  }

  ExportInput input(const QuantisedNetwork& integers) const {
    return {network_, &integers, {}, {}, {}, {{"version", "1.2.3"}}};
  }

  const Network network_;
  const TemporaryFolder folder_;
};

TEST(NpyText, IsTheLayoutOfNumPy) {
  const std::string text = npy_text({2, 3}, std::vector<std::int16_t>{1, 2, 3, -1, -2, 256});
  EXPECT_THAT(text, StartsWith(std::string("\x93NUMPY\x01\x00", 8)));
  EXPECT_EQ(text.size() % 64, 12u) << "the data begins at a multiple of 64";
  const std::string header = text.substr(10, text.size() - 12 - 10);
  EXPECT_THAT(header, StartsWith("{'descr': '<i2', 'fortran_order': False, 'shape': (2,3,), }"));
  EXPECT_EQ(header.back(), '\n');
  EXPECT_EQ(text.substr(text.size() - 4), std::string("\xfe\xff\x00\x01", 4));
  EXPECT_THAT(npy_text({1}, std::vector<float>{0.5f}), HasSubstr("'<f4'"));
  EXPECT_THAT(npy_text({1}, std::vector<std::uint8_t>{7}), HasSubstr("'|u1'"));
  EXPECT_THAT(message_of([] { npy_text({2, 2}, std::vector<float>{1}); }), HasSubstr("4 places"));
}

TEST(ExportFormats, AreFoundByNameAndUnknownOnesAreNamed) {
  for (const ExportFormat& format : export_formats()) {
    EXPECT_EQ(&export_format(format.name), &format);
  }
  EXPECT_THAT(message_of(ExitStatus::kUsage, [] { export_format("qonxx"); }),
              HasSubstr("did you mean 'qonnx'"));
  EXPECT_TRUE(export_format("packed").folder());
  EXPECT_FALSE(export_format("json").folder());
}

TEST_F(TwoLayers, JsonSaysBitsScalesAndWhereTheyAreFrom) {
  const QuantisedNetwork network = integers(3, true);
  export_format("json").write(input(network), folder_ / "out.json");
  const nlohmann::json out = load_json(folder_ / "out.json");
  EXPECT_EQ(out["format"], "bittern-quantised-1");
  EXPECT_EQ(out["integers"], network.hash());
  EXPECT_EQ(out["origin"]["version"], "1.2.3");
  ASSERT_EQ(out["layers"].size(), 2u);
  const nlohmann::json& first = out["layers"][0];
  EXPECT_EQ(first["name"], "first");
  EXPECT_EQ(first["weight_bits"], 3);
  EXPECT_EQ(first["activation_bits"], 4);
  EXPECT_EQ(first["weights"]["scales"], nlohmann::json({1.0, 0.5}));
  EXPECT_EQ(first["weights"]["shape"], nlohmann::json({2, 1, 2, 2}));
  EXPECT_EQ(first["activations"]["scale"], 0.25);
  EXPECT_EQ(first["activations"]["high"], 15);
  EXPECT_FALSE(first.contains("cost")) << "nothing was measured";
  EXPECT_EQ(out["layers"][1]["rescale"], nullptr) << "the answer has no codes";
}

TEST_F(TwoLayers, CsvHasCostsWhereTheyAreKnown) {
  const QuantisedNetwork network = integers();
  ExportInput with_costs = input(network);
  LayerReport cost;
  cost.cycles = 1234;
  cost.origin = Origin::kModel;
  with_costs.costs = {cost, cost};
  export_format("csv").write(with_costs, folder_ / "out.csv");
  const std::string text = read_file(folder_ / "out.csv");
  EXPECT_THAT(text, StartsWith("layer,op,shape,weight_bits,"));
  EXPECT_THAT(text, HasSubstr("\nfirst,conv,"));
  EXPECT_THAT(text, HasSubstr(",3,4,0,0.25,1,1234,"));
  EXPECT_THAT(text, HasSubstr(",model,"));
  export_format("csv").write(input(network), folder_ / "out.csv");
  EXPECT_EQ(read_file(folder_ / "out.csv").find("cycles"), std::string::npos);
}

TEST_F(TwoLayers, PackedWeightsAreTheLowestBitsOneBehindTheOther) {
  const QuantisedNetwork network = integers();
  export_format("packed").write(input(network), folder_ / "packed");
  const std::string bytes = read_file(folder_ / "packed" / "weights.bin");
  // first: 1 -2 3 0 | -3 2 1 -1, three bits each, each channel from a whole byte; last: 3 2 1 0 |
  // -1 -2 -3 0.
  const auto word = [](int a, int b, int c, int d) {
    const unsigned bits = (a & 7u) | (b & 7u) << 3 | (c & 7u) << 6 | (d & 7u) << 9;
    return std::string{static_cast<char>(bits & 0xff), static_cast<char>(bits >> 8)};
  };
  EXPECT_EQ(bytes, word(1, -2, 3, 0) + word(-3, 2, 1, -1) + word(3, 2, 1, 0) + word(-1, -2, -3, 0));
  EXPECT_EQ(read_file(folder_ / "packed" / "layer000_weights.mem"), "1\n6\n3\n0\n5\n2\n1\n7\n");
  EXPECT_EQ(read_file(folder_ / "packed" / "biases.bin").size(), 4u * 4u);
  EXPECT_THAT(read_file(folder_ / "packed" / "layer001_bias.mem"), HasSubstr("00000000\n"));
  const std::string header = read_file(folder_ / "packed" / "network.h");
  EXPECT_THAT(header, HasSubstr("bittern_two_layers[2]"));
  EXPECT_THAT(header, HasSubstr(".weight_bits = 3"));
}

TEST_F(TwoLayers, OddCodesArePackedAsHardwareMultipliesThem) {
  const QuantisedNetwork network = integers(1);
  EXPECT_THAT(hardware_codes(network, 0), ElementsAre(0, -1, 0, -1, -1, -1, 0, 0));
  export_format("packed").write(input(network), folder_ / "packed");
  EXPECT_THAT(read_file(folder_ / "packed" / "network.h"), HasSubstr(".odd_weights = 1"));
  EXPECT_EQ(read_file(folder_ / "packed" / "weights.bin")[0], 0x0a);
}

TEST_F(TwoLayers, NamesThatWouldEndALiteralOrACommentAreNotWritten) {
  QuantisedNetwork network = integers();
  network.name = "*/ int x; /*";
  network.layers[0].name = "a\"; evil(\\";
  export_format("packed").write(input(network), folder_ / "packed");
  const std::string header = read_file(folder_ / "packed" / "network.h");
  EXPECT_EQ(header.find("*/ int x"), std::string::npos);
  EXPECT_THAT(header, HasSubstr(R"("a\"; evil(\\")"));
}

TEST_F(TwoLayers, QcdqHasNoOddCodesAndQonnxOnlyBinaryOnes) {
  const QuantisedNetwork binary = integers(1);
  EXPECT_THAT(message_of(ExitStatus::kUsage,
                         [&] { export_format("qcdq").write(input(binary), folder_ / "x.onnx"); }),
              HasSubstr("layer first: its weights are odd codes"));
  EXPECT_NO_THROW(export_format("qonnx").write(input(binary), folder_ / "x.onnx"));
  const OnnxNetwork read = read_onnx(folder_ / "x.onnx");
  EXPECT_EQ(stated_policy(read.graph), (Policy{{1, 4}, {1, 4}}));
}

TEST_F(TwoLayers, TensorsOfOneNameAreRefused) {
  QuantisedNetwork network = integers();
  network.layers[1].name = "first";
  EXPECT_THAT(message_of(ExitStatus::kUsage,
                         [&] { export_format("qcdq").write(input(network), folder_ / "x.onnx"); }),
              HasSubstr("two tensors of the exported file would be called 'first.weight"));
}

TEST_F(TwoLayers, GoldenVectorsAreWhatTheExecutorComputes) {
  const QuantisedNetwork network = integers();
  const std::vector<std::uint8_t> pixels = {0, 255, 17, 34, 51, 68};
  ExportInput with_images = input(network);
  with_images.images.images = {pixels, pixels};
  with_images.images.labels = {1, 0};
  export_format("golden").write(with_images, folder_ / "golden");
  const nlohmann::json manifest = load_json(folder_ / "golden" / "manifest.json");
  EXPECT_EQ(manifest["images"], 2);
  EXPECT_EQ(manifest["layers"][1]["output"], nullptr);
  const std::string logits = read_file(folder_ / "golden" / "logits.npy");
  std::vector<float> values(4);
  std::memcpy(values.data(), logits.data() + logits.size() - 16, 16);
  const std::vector<float> expected = IntegerExecutor(network).logits(pixels);
  EXPECT_THAT(values, ElementsAre(expected[0], expected[1], expected[0], expected[1]));
}

TEST_F(TwoLayers, TablesOfCostsAreIndexedByLayerAndBits) {
  ExportInput costs{network_, nullptr, {}, std::vector<std::int64_t>(2 * 64), {}, {}};
  costs.cycles[(1 * 8 + 2) * 8 + 4] = 99;  // the second layer at 3 and 5 bits
  export_format("haq-lut").write(costs, folder_ / "lut.npy");
  const std::string text = read_file(folder_ / "lut.npy");
  EXPECT_THAT(text, HasSubstr("'<i8', 'fortran_order': False, 'shape': (2,8,8,)"));
  EXPECT_EQ(text[text.size() - 8 * (2 * 64 - ((1 * 8 + 2) * 8 + 4))], 99);
}

/// Codes of a layer's weights as a file that was read states them.
std::vector<std::int16_t> codes_of(const OnnxNetwork& read, const Node& node,
                                   const Quantiser& quantiser) {
  const std::vector<float>& values = read.weights.at(node.name + ".weight").values;
  const std::size_t length = values.size() / static_cast<std::size_t>(node.attributes.out_channels);
  std::vector<std::int16_t> codes;
  for (std::size_t i = 0; i < values.size(); ++i) {
    codes.push_back(
        static_cast<std::int16_t>(std::lround(values[i] / quantiser.scale_of(i / length))));
  }
  return codes;
}

TEST(ExportedNetworks, LoadAgainWithEqualBitsAndCodes) {
  const TemporaryFolder folder;
  std::set<Op> seen;
  int refused = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Rng rng(seed);
    const Network network = RandomGraph::on_codes(rng).draw(8, 5);
    const QuantisedNetwork integers = random_integers(network, rng);
    const ExportInput input{network, &integers, {}, {}, {}, {}};
    const bool odd = has_odd_layers(integers);
    for (const char* format : {"qcdq", "qonnx"}) {
      SCOPED_TRACE(fmt::format("seed {} {}", seed, format));
      const auto path = folder / "network.onnx";
      if (odd && std::string(format) == "qcdq") {
        EXPECT_THROW(export_format(format).write(input, path), Error);
        ++refused;
        continue;
      }
      export_format(format).write(input, path);
      const OnnxNetwork read = read_onnx(path);
      const std::vector<int> nodes = layer_nodes(read.graph);
      ASSERT_EQ(nodes.size(), integers.layers.size());
      for (std::size_t i = 0; i < nodes.size(); ++i) {
        const Node& node = read.graph.nodes[static_cast<std::size_t>(nodes[i])];
        ASSERT_TRUE(node.attributes.quantiser) << node.name;
        const Quantiser& quantiser = *node.attributes.quantiser;
        EXPECT_EQ(quantiser.bits, integers.precision[i].bits.weight);
        EXPECT_EQ(codes_of(read, node, quantiser),
                  integers.nodes[static_cast<std::size_t>(integers.layer_nodes[i])].weights);
      }
      for (const Node& node : integers.graph.nodes) seen.insert(node.op);
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_LT(refused, 60);
  for (const OpInfo& info : all_ops()) {
    if (info.op != Op::kGiven && info.op != Op::kQuantise) {
      EXPECT_TRUE(seen.count(info.op)) << info.name;
    }
  }
}

}  // namespace
}  // namespace bittern
