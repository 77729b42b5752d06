// What the ONNX reader makes of small models.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <cstdint>
#include <string>
#include <vector>

#include "host/base/error.h"
#include "host/network/io/network_yaml.h"
#include "host/network/io/onnx/import.h"
#include "host/network/quantisation.h"
#include "tests/host/network/io/onnx_builder.h"

namespace bittern {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Onnx, NamesLayersAfterTheirTensors) {
  OnnxBuilder m;
  m.then("Conv", {m.constant("features.0.weight", {3, 2, 3, 3})});
  m.then("Conv", {m.constant("42", {3, 3, 1, 1})});
  m.then("Conv", {m.constant("42b", {3, 3, 1, 1}), m.constant("bias", {3})});
  const OnnxNetwork read = m.read();
  ASSERT_EQ(read.graph.nodes.size(), 3U);
  EXPECT_EQ(read.graph.nodes[0].name, "features.0");
  EXPECT_EQ(read.graph.nodes[1].name, "myConv");
  EXPECT_EQ(read.graph.nodes[2].name, "42b");
  EXPECT_EQ(read.graph.nodes[0].where, "m.onnx: node 0 'myConv' (Conv)");
  EXPECT_FALSE(read.graph.nodes[0].attributes.bias);
  EXPECT_TRUE(read.graph.nodes[2].attributes.bias);
  EXPECT_EQ(read.weights.count("features.0.weight"), 1U);
}

TEST(Onnx, TakesAnOpenBatchAndShapesThatAreComputedFromIt) {
  OnnxBuilder m({0, 2, 4, 4});
  onnx::NodeProto& shape = *m.graph().add_node();
  shape.set_op_type("Shape");
  shape.add_input("image");
  shape.add_output("shape");
  onnx::NodeProto& gather = *m.graph().add_node();
  gather.set_op_type("Gather");
  gather.add_input("shape");
  gather.add_input(m.integers("zero", {0}));
  gather.add_output("batch");
  onnx::NodeProto& concat = *m.graph().add_node();
  concat.set_op_type("Concat");
  concat.add_input("batch");
  concat.add_input(m.integers("rest", {-1}));
  concat.add_output("wanted");
  auto& axis = *concat.add_attribute();
  axis.set_name("axis");
  axis.set_type(onnx::AttributeProto::INT);
  axis.set_i(0);
  m.then("Reshape", {"wanted"}).then("MatMul", {m.constant("w", {32, 5})});
  const OnnxNetwork read = m.read();
  EXPECT_THAT(ops_of(read.graph), ElementsAre(Op::kFlatten, Op::kLinear));
  EXPECT_EQ(read.graph.nodes[1].shape, (Shape{5, 1, 1}));
}

TEST(Onnx, GivesABorderOfZerosToTheConvolutionBehindIt) {
  OnnxBuilder m;
  m.then("Pad", {m.integers("pads", {0, 0, 1, 2, 0, 0, 3, 4})});
  m.then("Conv", {m.constant("w", {3, 2, 1, 1})});
  const OnnxNetwork read = m.read();
  ASSERT_THAT(ops_of(read.graph), ElementsAre(Op::kConv));
  const Attributes& a = read.graph.nodes[0].attributes;
  EXPECT_EQ((std::vector<int>{a.pad_top, a.pad_left, a.pad_bottom, a.pad_right}),
            (std::vector<int>{1, 2, 3, 4}));
}

TEST(Onnx, MakesOneOfArithmeticThatFollowsOneAnother) {
  OnnxBuilder m;
  m.then("Mul", {m.constant("two", {}, 2.0F)}).then("Sub", {m.constant("one", {1}, 1.0F)});
  m.then("Conv", {m.constant("w", {3, 2, 1, 1})});
  m.then("Mul", {m.constant("half", {3, 1, 1}, 0.5F)}).then("Add", {m.constant("c", {}, 3.0F)});
  const OnnxNetwork read = m.read();
  ASSERT_THAT(ops_of(read.graph), ElementsAre(Op::kNormalise, Op::kConv, Op::kBatchNorm));
  EXPECT_THAT(read.graph.nodes[0].attributes.mean, ElementsAre(0.5, 0.5));
  EXPECT_THAT(read.graph.nodes[0].attributes.deviation, ElementsAre(0.5, 0.5));
  const std::string name = read.graph.nodes[2].name;
  EXPECT_THAT(read.weights.at(name + ".weight").values, ElementsAre(0.5F, 0.5F, 0.5F));
  EXPECT_THAT(read.weights.at(name + ".bias").values, ElementsAre(3.0F, 3.0F, 3.0F));
}

TEST(Onnx, LeavesOutWhatTheAnswerDoesNotNeed) {
  OnnxBuilder m;
  m.then("Conv", {m.constant("w", {3, 2, 1, 1})});
  onnx::NodeProto& other = *m.graph().add_node();
  other.set_op_type("NonMaxSuppression");
  other.add_input("image");
  other.add_output("nowhere");
  m.then("Relu");
  EXPECT_THAT(ops_of(m.read().graph), ElementsAre(Op::kConv, Op::kRelu));
}

TEST(Onnx, AnswersWithAnEarlierTensorWhereThatIsAskedFor) {
  OnnxBuilder m;
  m.then("Conv", {m.constant("w", {3, 2, 1, 1})}).then("Sigmoid");
  EXPECT_THAT(m.error(), HasSubstr("--output"));
  OnnxOptions options;
  options.output = "Conv1";
  EXPECT_THAT(ops_of(m.read(options).graph), ElementsAre(Op::kConv));
}

TEST(Onnx, LeavesOutASoftmaxAtTheEndAndSaysSo) {
  OnnxBuilder m({1, 8});
  m.then("MatMul", {m.constant("w", {8, 3})}).then("Softmax");
  const OnnxNetwork read = m.read();
  EXPECT_THAT(ops_of(read.graph), ElementsAre(Op::kLinear));
  ASSERT_EQ(read.notes.size(), 1U);
  EXPECT_THAT(read.notes[0], HasSubstr("left out"));
}

TEST(Onnx, PutsNormalisationInFrontWhereTheModelHasNone) {
  OnnxBuilder m;
  m.then("Conv", {m.constant("w", {3, 2, 1, 1})});
  OnnxOptions options;
  options.mean = {0.25, 0.5};
  options.deviation = {0.5, 2.0};
  const OnnxNetwork read = m.read(options);
  EXPECT_THAT(ops_of(read.graph), ElementsAre(Op::kNormalise, Op::kConv));
  EXPECT_TRUE(layers(read.graph)[0].signed_input);
  options.mean = {0.25};
  EXPECT_THAT(m.error(options), HasSubstr("--mean and --deviation"));
}

TEST(Onnx, KeepsTheQuantisersOfQonnx) {
  OnnxBuilder m({1, 1, 3, 3});
  const std::string domain = "qonnx.custom_op.general";
  m.then("Quant", {m.constant("s", {}, 0.5F), m.constant("z", {}, 0.0F), m.constant("b", {}, 3.0F)},
         domain);
  m.with("signed", 1).with("narrow", 1);
  onnx::NodeProto& weights = *m.graph().add_node();
  weights.set_op_type("BipolarQuant");
  weights.set_domain("onnx.brevitas");
  weights.add_input(m.constant("w", {2, 1, 3, 3}, -0.3F));
  weights.add_input(m.constant("ws", {2, 1, 1, 1}, 0.25F));
  weights.add_output("wq");
  m.then("Conv", {"wq"});
  const OnnxNetwork read = m.read();
  ASSERT_THAT(ops_of(read.graph), ElementsAre(Op::kQuantise, Op::kConv));
  const auto found = layer_quantisation(read.graph);
  ASSERT_TRUE(found[0].has_value());
  EXPECT_EQ(found[0]->input.text(), "b3 signed narrow s0.5 z0");
  EXPECT_EQ(found[0]->weight.text(), "b1 bipolar s0.25,0.25 z0");
  EXPECT_EQ(read.weights.at(read.graph.nodes[1].name + ".weight").values[0], -0.25F);
  EXPECT_EQ(stated_policy(read.graph)[0], (BitPair{1, 3}));
  EXPECT_FALSE(layers(read.graph)[0].signed_input);  // images are not
  // And through a file of ours.
  Network network;
  network.name = "q";
  network.graph = read.graph;
  const Network again = parse_network(YamlNode::parse(network_yaml(network), "q.yaml"));
  EXPECT_EQ(graph_key(again.graph), graph_key(read.graph));
}

TEST(Onnx, StatesNoBitsWhereALayerHasNoQuantiser) {
  OnnxBuilder m({1, 1, 3, 3});
  m.then("Conv", {m.constant("w", {2, 1, 3, 3})});
  const OnnxNetwork read = m.read();
  EXPECT_FALSE(has_quantisers(read.graph));
  EXPECT_THROW(stated_policy(read.graph), Error);
}

TEST(Onnx, MakesAConvolutionAndARearrangementOfATransposedConvolution) {
  OnnxBuilder m;
  m.then("ConvTranspose", {m.constant("up.weight", {2, 3, 2, 2}), m.constant("b", {3})});
  m.with("strides", std::vector<std::int64_t>{2, 2});
  const OnnxNetwork read = m.read();
  ASSERT_THAT(ops_of(read.graph), ElementsAre(Op::kConv, Op::kRearrange));
  EXPECT_EQ(read.graph.nodes[0].name, "up");
  EXPECT_EQ(read.graph.nodes[0].shape, (Shape{12, 4, 4}));
  EXPECT_EQ(read.graph.nodes[0].attributes.kernel_h, 1);
  EXPECT_EQ(read.graph.nodes[1].shape, (Shape{3, 8, 8}));
  EXPECT_TRUE(read.notes.empty());
}

TEST(Onnx, SaysThatATransposedConvolutionGetsWeightsOfZero) {
  OnnxBuilder m;
  m.then("ConvTranspose", {m.constant("w", {2, 3, 3, 3})});
  m.with("strides", std::vector<std::int64_t>{2, 2});
  const OnnxNetwork read = m.read();
  EXPECT_EQ(read.graph.nodes[0].attributes.kernel_h, 2);
  ASSERT_EQ(read.notes.size(), 1U);
  EXPECT_THAT(read.notes[0], HasSubstr("7 of its 16 weights for each input and output are 0"));
}

TEST(Onnx, MakesASumOfALeakyRelu) {
  OnnxBuilder m;
  m.then("Conv", {m.constant("w", {3, 2, 1, 1})}).then("LeakyRelu");
  EXPECT_THAT(ops_of(m.read().graph),
              ElementsAre(Op::kConv, Op::kBatchNorm, Op::kRelu, Op::kBatchNorm, Op::kAdd));
}

TEST(Onnx, MirrorsAMapByASliceBackwards) {
  OnnxBuilder m;
  m.then("Slice", {m.integers("starts", {-1}), m.integers("ends", {-9}), m.integers("axes", {1}),
                   m.integers("steps", {-1})});
  const OnnxNetwork read = m.read();
  ASSERT_THAT(ops_of(read.graph), ElementsAre(Op::kSlice, Op::kSlice, Op::kConcat));
  EXPECT_EQ(read.graph.nodes[2].shape, (Shape{2, 4, 4}));
}

TEST(Onnx, PoolsOverTheChannelsWhereAMeanIsTakenOverThem) {
  OnnxBuilder m;
  m.then("ReduceMean").with("axes", std::vector<std::int64_t>{1});
  const Graph graph = m.read().graph;
  EXPECT_EQ(graph.shape_of(graph.output).elements(), 16);
}

}  // namespace
}  // namespace bittern
