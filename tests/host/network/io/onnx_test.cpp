// What the ONNX reader makes of small models, and what it says of those that it refuses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/random.h"
#include "host/base/temporary_folder.h"
#include "host/network/io/network_yaml.h"
#include "host/network/io/onnx/import.h"
#include "host/network/quantisation.h"
#include "tests/host/base/message_of.h"

namespace bittern {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Dims = std::vector<std::int64_t>;

/// Writes a model node by node.
class ModelBuilder {
 public:
  explicit ModelBuilder(const Dims& image = {1, 2, 4, 4}, int opset = 13) {
    model_.set_ir_version(7);
    model_.add_opset_import()->set_version(opset);
    onnx::ValueInfoProto& input = *graph().add_input();
    input.set_name("image");
    auto& type = *input.mutable_type()->mutable_tensor_type();
    type.set_elem_type(onnx::TensorProto::FLOAT);
    for (const std::int64_t extent : image) {
      auto& dim = *type.mutable_shape()->add_dim();
      if (extent > 0) {
        dim.set_dim_value(extent);
      } else {
        dim.set_dim_param("N");
      }
    }
  }

  onnx::ModelProto& model() { return model_; }
  onnx::GraphProto& graph() { return *model_.mutable_graph(); }

  std::string constant(const std::string& name, const Dims& dims, float value = 1.0F) {
    onnx::TensorProto& tensor = *graph().add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    std::int64_t count = 1;
    for (const std::int64_t extent : dims) {
      tensor.add_dims(extent);
      count *= extent;
    }
    for (std::int64_t i = 0; i < count; ++i) tensor.add_float_data(value);
    return name;
  }

  std::string integers(const std::string& name, const std::vector<std::int64_t>& values) {
    onnx::TensorProto& tensor = *graph().add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(onnx::TensorProto::INT64);
    tensor.add_dims(static_cast<std::int64_t>(values.size()));
    for (const std::int64_t value : values) tensor.add_int64_data(value);
    return name;
  }

  /// A node that takes the one before, and `others`.
  ModelBuilder& then(const std::string& op, const std::vector<std::string>& others = {},
                     const std::string& domain = "") {
    onnx::NodeProto& node = *graph().add_node();
    node.set_op_type(op);
    node.set_name("my" + op);
    node.set_domain(domain);
    node.add_input(at_);
    for (const std::string& other : others) node.add_input(other);
    at_ = op + std::to_string(graph().node_size());
    node.add_output(at_);
    return *this;
  }

  ModelBuilder& with(const std::string& name, const std::vector<std::int64_t>& values) {
    onnx::AttributeProto& attribute = *last().add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::INTS);
    for (const std::int64_t value : values) attribute.add_ints(value);
    return *this;
  }
  ModelBuilder& with(const std::string& name, std::int64_t value) {
    onnx::AttributeProto& attribute = *last().add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::INT);
    attribute.set_i(value);
    return *this;
  }

  onnx::NodeProto& last() { return *graph().mutable_node(graph().node_size() - 1); }

  OnnxNetwork read(const OnnxOptions& options = {}, const std::filesystem::path& folder = "") {
    if (graph().output_size() == 0) graph().add_output()->set_name(at_);
    return parse_onnx(model_.SerializeAsString(), "m.onnx", folder, options);
  }

  std::string error(const OnnxOptions& options = {}, const std::filesystem::path& folder = "") {
    return message_of(ExitStatus::kUsage, [&] { read(options, folder); });
  }

 private:
  onnx::ModelProto model_;
  std::string at_ = "image";
};

std::vector<Op> ops_of(const Graph& graph) {
  std::vector<Op> ops;
  for (const Node& node : graph.nodes) ops.push_back(node.op);
  return ops;
}

TEST(Onnx, NamesLayersAfterTheirTensors) {
  ModelBuilder m;
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
  ModelBuilder m({0, 2, 4, 4});
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
  ModelBuilder m;
  m.then("Pad", {m.integers("pads", {0, 0, 1, 2, 0, 0, 3, 4})});
  m.then("Conv", {m.constant("w", {3, 2, 1, 1})});
  const OnnxNetwork read = m.read();
  ASSERT_THAT(ops_of(read.graph), ElementsAre(Op::kConv));
  const Attributes& a = read.graph.nodes[0].attributes;
  EXPECT_EQ((std::vector<int>{a.pad_top, a.pad_left, a.pad_bottom, a.pad_right}),
            (std::vector<int>{1, 2, 3, 4}));
}

TEST(Onnx, MakesOneOfArithmeticThatFollowsOneAnother) {
  ModelBuilder m;
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
  ModelBuilder m;
  m.then("Conv", {m.constant("w", {3, 2, 1, 1})});
  onnx::NodeProto& other = *m.graph().add_node();
  other.set_op_type("NonMaxSuppression");
  other.add_input("image");
  other.add_output("nowhere");
  m.then("Relu");
  EXPECT_THAT(ops_of(m.read().graph), ElementsAre(Op::kConv, Op::kRelu));
}

TEST(Onnx, AnswersWithAnEarlierTensorWhereThatIsAskedFor) {
  ModelBuilder m;
  m.then("Conv", {m.constant("w", {3, 2, 1, 1})}).then("Sigmoid");
  EXPECT_THAT(m.error(), HasSubstr("--output"));
  OnnxOptions options;
  options.output = "Conv1";
  EXPECT_THAT(ops_of(m.read(options).graph), ElementsAre(Op::kConv));
}

TEST(Onnx, LeavesOutASoftmaxAtTheEndAndSaysSo) {
  ModelBuilder m({1, 8});
  m.then("MatMul", {m.constant("w", {8, 3})}).then("Softmax");
  const OnnxNetwork read = m.read();
  EXPECT_THAT(ops_of(read.graph), ElementsAre(Op::kLinear));
  ASSERT_EQ(read.notes.size(), 1U);
  EXPECT_THAT(read.notes[0], HasSubstr("left out"));
}

TEST(Onnx, PutsNormalisationInFrontWhereTheModelHasNone) {
  ModelBuilder m;
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
  ModelBuilder m({1, 1, 3, 3});
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
  ModelBuilder m({1, 1, 3, 3});
  m.then("Conv", {m.constant("w", {2, 1, 3, 3})});
  const OnnxNetwork read = m.read();
  EXPECT_FALSE(has_quantisers(read.graph));
  EXPECT_THROW(stated_policy(read.graph), Error);
}

struct Refusal {
  std::string name;
  std::function<void(ModelBuilder&)> build;
  std::string message;
};

class OnnxRefusals : public ::testing::TestWithParam<Refusal> {};

TEST_P(OnnxRefusals, SayWhereAndWhy) {
  ModelBuilder m;
  GetParam().build(m);
  EXPECT_THAT(m.error(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, OnnxRefusals,
    ::testing::Values(
        Refusal{"UnknownOperation", [](ModelBuilder& m) { m.then("Tanh"); },
                "m.onnx: node 0 'myTanh' (Tanh): this operation is not supported: only piecewise"},
        Refusal{"UnknownDomain", [](ModelBuilder& m) { m.then("Relu", {}, "com.x"); },
                "(com.x::Relu): this operation is not supported"},
        Refusal{"TransposedConvolutionOfOtherWeights",
                [](ModelBuilder& m) {
                  m.then("ConvTranspose", {m.constant("w", {3, 3, 2, 2})});
                },
                "weights of 3x3x2x2 for an input of 2x4x4"},
        Refusal{"ProductOfTwoMaps", [](ModelBuilder& m) { m.then("Mul", {"image"}); },
                "products of two activations"},
        Refusal{"WrongWeights",
                [](ModelBuilder& m) {
                  m.then("Conv", {m.constant("w", {3, 5, 1, 1})});
                },
                "weights of 3x5x1x1 in 1 groups for 2 channels"},
        Refusal{"SchemaOfLibonnx", [](ModelBuilder& m) { m.then("Relu").with("slope", 1); },
                "does not fit its definition"},
        Refusal{"MissingInput", [](ModelBuilder& m) { m.then("Conv", {"nowhere"}); },
                "input 'nowhere' is given by no earlier node"},
        Refusal{"TooNewAnOpset",
                [](ModelBuilder& m) {
                  m.then("Relu");
                  m.model().mutable_opset_import(0)->set_version(40);
                },
                "expected 1 to 21"},
        Refusal{"NoOpset",
                [](ModelBuilder& m) {
                  m.then("Relu");
                  m.model().clear_opset_import();
                },
                "which opset"},
        Refusal{"OpenExtent",
                [](ModelBuilder& m) {
                  m.then("Relu");
                  m.graph()
                      .mutable_input(0)
                      ->mutable_type()
                      ->mutable_tensor_type()
                      ->mutable_shape()
                      ->mutable_dim(2)
                      ->set_dim_param("height");
                },
                "extent 2 'height' is not fixed"},
        Refusal{"TensorOfTooFewBytes",
                [](ModelBuilder& m) {
                  m.then("Add", {m.constant("c", {2})});
                  auto& tensor = *m.graph().mutable_initializer(0);
                  tensor.clear_float_data();
                  tensor.set_raw_data("abc");
                },
                "initialiser 'c': 3 bytes"},
        Refusal{"TensorOfTooFewValues",
                [](ModelBuilder& m) {
                  m.then("Add", {m.constant("c", {2})});
                  m.graph().mutable_initializer(0)->add_float_data(1);
                },
                "3 values for extents 2"},
        Refusal{"HugeTensor",
                [](ModelBuilder& m) {
                  m.then("Add", {m.constant("c", {2})});
                  auto& tensor = *m.graph().mutable_initializer(0);
                  tensor.set_dims(0, std::int64_t{1} << 40);
                },
                "more than 2^31"},
        Refusal{"NotANumber",
                [](ModelBuilder& m) {
                  m.then("Conv", {m.constant("w", {3, 2, 1, 1}, NAN)});
                },
                "the network had diverged"},
        Refusal{"DataOutsideOfTheFolder",
                [](ModelBuilder& m) {
                  m.then("Add", {m.constant("c", {2})});
                  auto& tensor = *m.graph().mutable_initializer(0);
                  tensor.clear_float_data();
                  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
                  auto& entry = *tensor.add_external_data();
                  entry.set_key("location");
                  entry.set_value("../../etc/passwd");
                },
                "expected a file in the model's folder"},
        Refusal{"TrainingMode",
                [](ModelBuilder& m) {
                  const std::string c = m.constant("c", {2});
                  m.then("BatchNormalization", {c, c, c, c}).with("training_mode", 1);
                  m.model().mutable_opset_import(0)->set_version(15);
                },
                "model.eval()"},
        Refusal{"BatchMixed",
                [](ModelBuilder& m) {
                  m.graph()
                      .mutable_input(0)
                      ->mutable_type()
                      ->mutable_tensor_type()
                      ->mutable_shape()
                      ->mutable_dim(0)
                      ->set_dim_value(4);
                  m.then("Transpose").with("perm", std::vector<std::int64_t>{1, 0, 2, 3});
                },
                "export with a batch of 1"},
        Refusal{"TwoOpenInputs",
                [](ModelBuilder& m) {
                  m.then("Relu");
                  *m.graph().add_input() = m.graph().input(0);
                  m.graph().mutable_input(1)->set_name("second");
                },
                "2 inputs without values ('image', 'second')"},
        Refusal{"ReductionOverTheBatch",
                [](ModelBuilder& m) {
                  m.graph()
                      .mutable_input(0)
                      ->mutable_type()
                      ->mutable_tensor_type()
                      ->mutable_shape()
                      ->mutable_dim(0)
                      ->set_dim_value(4);
                  m.then("ReduceMean").with("axes", std::vector<std::int64_t>{0});
                },
                "export with a batch of 1"},
        Refusal{"SumOfSquares", [](ModelBuilder& m) { m.then("ReduceSumSquare"); },
                "roots and squares of activations"},
        Refusal{"SoftmaxInTheMiddle", [](ModelBuilder& m) { m.then("Softmax").then("Relu"); },
                "nowhere but at the end"}),
    [](const auto& info) { return info.param.name; });

TEST(OnnxFiles, RefusesWhatIsNoModel) {
  for (const std::string content : {"", "text", "\x08\x07", "\xff\xff\xff\xff"}) {
    EXPECT_THROW(parse_onnx(content, "m.onnx", ""), Error) << content;
  }
  EXPECT_THROW(read_onnx("/nonexistent/m.onnx"), Error);
}

TEST(OnnxFiles, EveryCutOfAModelIsAnError) {
  ModelBuilder m;
  m.then("Conv", {m.constant("w", {3, 2, 1, 1})}).then("Relu");
  m.read();
  const std::string content = m.model().SerializeAsString();
  for (std::size_t size = 0; size < content.size(); ++size) {
    try {
      parse_onnx(content.substr(0, size), "m.onnx", "");
    } catch (const Error&) {
      continue;
    }
    ADD_FAILURE() << "cut at " << size << " of " << content.size();
  }
}

TEST(OnnxFiles, DamagedModelsAreReadOrRefused) {
  ModelBuilder m;
  const std::string c = m.constant("c", {3});
  m.then("Conv", {m.constant("w", {3, 2, 1, 1})}).then("BatchNormalization", {c, c, c, c});
  m.then("Relu").then("MaxPool").with("kernel_shape", std::vector<std::int64_t>{2, 2});
  m.then("Pad", {m.integers("p", {0, 0, 1, 0, 0, 0, 0, 1})}).then("Flatten");
  m.then("MatMul", {m.constant("f", {48, 2})});
  m.read();
  const std::string content = m.model().SerializeAsString();
  Rng rng(9);
  int read = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string damaged = content;
    for (std::int64_t i = rng.integer(1, 4); i > 0; --i) {
      const auto place =
          static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(damaged.size()) - 1));
      damaged[place] = static_cast<char>(rng.integer(0, 255));
    }
    try {
      parse_onnx(damaged, "m.onnx", "/nonexistent");
      ++read;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("m.onnx"));
    }
  }
  EXPECT_GT(read, 0);
  EXPECT_LT(read, 4000);
}

TEST(OnnxFiles, ReadsDataBesideTheModelAndRefusesLinksThatLeadOut) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "model");
  const std::vector<float> values = {0.5F, -2.0F};
  const std::string bytes(reinterpret_cast<const char*>(values.data()), 8);
  ModelBuilder m;
  m.then("Conv", {m.constant("w", {3, 2, 1, 1})}).then("Mul", {m.constant("c", {1})});
  auto& tensor = *m.graph().mutable_initializer(1);
  tensor.clear_float_data();
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  const auto add = [&tensor](const std::string& key, const std::string& value) {
    auto& entry = *tensor.add_external_data();
    entry.set_key(key);
    entry.set_value(value);
  };
  add("location", "data.bin");
  add("offset", "4");
  add("length", "4");
  const std::filesystem::path home = folder / "model";
  EXPECT_THAT(m.error({}, home), HasSubstr("put it beside the model"));
  write_file(home / "data.bin", bytes.substr(0, 6));
  EXPECT_THAT(m.error({}, home), HasSubstr("the file is cut"));
  write_file(home / "data.bin", bytes);
  const OnnxNetwork read = m.read({}, home);
  EXPECT_EQ(read.weights.at(read.graph.nodes[1].name + ".weight").values[0], -2.0F);
  std::filesystem::remove(home / "data.bin");
  write_file(folder / "secret", bytes);
  std::filesystem::create_symlink(folder / "secret", home / "data.bin");
  EXPECT_THAT(m.error({}, home), HasSubstr("outside of the model's folder"));
}

}  // namespace
}  // namespace bittern
