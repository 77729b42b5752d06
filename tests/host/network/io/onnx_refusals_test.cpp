// What the ONNX reader says of models that it refuses.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tests/host/network/io/onnx_builder.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;

struct Refusal {
  std::string name;
  std::function<void(OnnxBuilder&)> build;
  std::string message;
};

class OnnxRefusals : public ::testing::TestWithParam<Refusal> {};

TEST_P(OnnxRefusals, SayWhereAndWhy) {
  OnnxBuilder m;
  GetParam().build(m);
  EXPECT_THAT(m.error(), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, OnnxRefusals,
    ::testing::Values(
        Refusal{"UnknownOperation", [](OnnxBuilder& m) { m.then("Tanh"); },
                "m.onnx: node 0 'myTanh' (Tanh): this operation is not supported: only piecewise"},
        Refusal{"UnknownDomain", [](OnnxBuilder& m) { m.then("Relu", {}, "com.x"); },
                "(com.x::Relu): this operation is not supported"},
        Refusal{"TransposedConvolutionOfOtherWeights",
                [](OnnxBuilder& m) {
                  m.then("ConvTranspose", {m.constant("w", {3, 3, 2, 2})});
                },
                "weights of 3x3x2x2 for an input of 2x4x4"},
        Refusal{"ProductOfTwoMaps", [](OnnxBuilder& m) { m.then("Mul", {"image"}); },
                "products of two activations"},
        Refusal{"WrongWeights",
                [](OnnxBuilder& m) {
                  m.then("Conv", {m.constant("w", {3, 5, 1, 1})});
                },
                "weights of 3x5x1x1 in 1 groups for 2 channels"},
        Refusal{"SchemaOfLibonnx", [](OnnxBuilder& m) { m.then("Relu").with("slope", 1); },
                "does not fit its definition"},
        Refusal{"MissingInput", [](OnnxBuilder& m) { m.then("Conv", {"nowhere"}); },
                "input 'nowhere' is given by no earlier node"},
        Refusal{"TooNewAnOpset",
                [](OnnxBuilder& m) {
                  m.then("Relu");
                  m.model().mutable_opset_import(0)->set_version(40);
                },
                "expected 1 to 22"},
        Refusal{"NoOpset",
                [](OnnxBuilder& m) {
                  m.then("Relu");
                  m.model().clear_opset_import();
                },
                "which opset"},
        Refusal{"OpenExtent",
                [](OnnxBuilder& m) {
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
                [](OnnxBuilder& m) {
                  m.then("Add", {m.constant("c", {2})});
                  auto& tensor = *m.graph().mutable_initializer(0);
                  tensor.clear_float_data();
                  tensor.set_raw_data("abc");
                },
                "initialiser 'c': 3 bytes"},
        Refusal{"TensorOfTooFewValues",
                [](OnnxBuilder& m) {
                  m.then("Add", {m.constant("c", {2})});
                  m.graph().mutable_initializer(0)->add_float_data(1);
                },
                "3 values for extents 2"},
        Refusal{"HugeTensor",
                [](OnnxBuilder& m) {
                  m.then("Add", {m.constant("c", {2})});
                  auto& tensor = *m.graph().mutable_initializer(0);
                  tensor.set_dims(0, std::int64_t{1} << 40);
                },
                "more than 2^31"},
        Refusal{"NotANumber",
                [](OnnxBuilder& m) {
                  m.then("Conv", {m.constant("w", {3, 2, 1, 1}, NAN)});
                },
                "the network had diverged"},
        Refusal{"DataOutsideOfTheFolder",
                [](OnnxBuilder& m) {
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
                [](OnnxBuilder& m) {
                  const std::string c = m.constant("c", {2});
                  m.then("BatchNormalization", {c, c, c, c}).with("training_mode", 1);
                  m.model().mutable_opset_import(0)->set_version(15);
                },
                "model.eval()"},
        Refusal{"BatchMixed",
                [](OnnxBuilder& m) {
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
                [](OnnxBuilder& m) {
                  m.then("Relu");
                  *m.graph().add_input() = m.graph().input(0);
                  m.graph().mutable_input(1)->set_name("second");
                },
                "2 inputs without values ('image', 'second')"},
        Refusal{"ReductionOverTheBatch",
                [](OnnxBuilder& m) {
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
        Refusal{"SumOfSquares", [](OnnxBuilder& m) { m.then("ReduceSumSquare"); },
                "roots and squares of activations"},
        Refusal{"SoftmaxInTheMiddle", [](OnnxBuilder& m) { m.then("Softmax").then("Relu"); },
                "nowhere but at the end"}),
    [](const auto& info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Hostile, OnnxRefusals,
    ::testing::Values(
        Refusal{"NegativeExtentOfATensor",
                [](OnnxBuilder& m) {
                  m.then("Add", {m.constant("c", {2})});
                  m.graph().mutable_initializer(0)->set_dims(0, -2);
                },
                "initialiser 'c': a tensor with an extent of -2"},
        Refusal{"HugeImage",
                [](OnnxBuilder& m) {
                  m.then("Relu");
                  m.set_extent(2, std::int64_t{1} << 40);
                },
                "an extent of 1099511627776"},
        Refusal{"ImageOfManyValues",
                [](OnnxBuilder& m) {
                  m.then("Relu");
                  m.set_extent(2, 1 << 20);
                  m.set_extent(3, 1 << 20);
                },
                "m.onnx: input 'image'"},
        Refusal{"Cycle", [](OnnxBuilder& m) { m.then("Relu").then("Add", {"Add2"}); },
                "input 'Add2' is given by no earlier node"},
        Refusal{"NodesInTheWrongOrder",
                [](OnnxBuilder& m) {
                  m.then("Relu").then("Neg");
                  m.graph().mutable_node()->SwapElements(0, 1);
                },
                "input 'Relu1' is given by no earlier node"},
        Refusal{"TensorGivenTwice",
                [](OnnxBuilder& m) {
                  m.then("Relu").then("Neg");
                  m.graph().mutable_node(1)->set_output(0, "Relu1");
                  m.graph().add_output()->set_name("Relu1");
                },
                "a second tensor called 'Relu1'"},
        Refusal{"OutputThatNothingGives",
                [](OnnxBuilder& m) {
                  m.then("Relu");
                  m.graph().add_output()->set_name("nowhere");
                },
                "no node gives the output 'nowhere'"},
        Refusal{"NoNode", [](OnnxBuilder& m) { m.graph().add_output()->set_name("o"); },
                "no node gives the output 'o'"},
        Refusal{"DataAtAnAbsolutePath",
                [](OnnxBuilder& m) {
                  m.then("Add", {m.constant("c", {2})});
                  auto& tensor = *m.graph().mutable_initializer(0);
                  tensor.clear_float_data();
                  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
                  auto& entry = *tensor.add_external_data();
                  entry.set_key("location");
                  entry.set_value("/etc/passwd");
                },
                "'/etc/passwd': expected a file in the model's folder"},
        Refusal{"DataWithoutALocation",
                [](OnnxBuilder& m) {
                  m.then("Add", {m.constant("c", {2})});
                  m.graph().mutable_initializer(0)->clear_float_data();
                  m.graph().mutable_initializer(0)->set_data_location(onnx::TensorProto::EXTERNAL);
                },
                "initialiser 'c': its data is said to be in ''"},
        Refusal{"DataAtANegativeOffset",
                [](OnnxBuilder& m) {
                  m.then("Add", {m.constant("c", {2})});
                  auto& tensor = *m.graph().mutable_initializer(0);
                  tensor.clear_float_data();
                  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
                  auto& entry = *tensor.add_external_data();
                  entry.set_key("offset");
                  entry.set_value("-8");
                },
                "offset: '-8', expected a whole number"},
        Refusal{"TensorOfText",
                [](OnnxBuilder& m) {
                  m.then("Add", {m.constant("c", {2})});
                  auto& tensor = *m.graph().mutable_initializer(0);
                  tensor.clear_float_data();
                  tensor.set_data_type(onnx::TensorProto::STRING);
                  tensor.add_string_data("a");
                },
                "initialiser 'c': values of type 8, expected real numbers"},
        Refusal{"TensorOfComplexNumbers",
                [](OnnxBuilder& m) {
                  m.then("Add", {m.constant("c", {2})});
                  m.graph().mutable_initializer(0)->set_data_type(onnx::TensorProto::COMPLEX64);
                },
                "initialiser 'c': values of type 14"},
        Refusal{"ImageOfText",
                [](OnnxBuilder& m) {
                  m.then("Relu");
                  m.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(
                      onnx::TensorProto::STRING);
                },
                "input 'image': images of element type 8"},
        Refusal{"ImageThatIsASequence",
                [](OnnxBuilder& m) {
                  m.then("Relu");
                  m.graph().mutable_input(0)->mutable_type()->mutable_sequence_type();
                },
                "input 'image': its shape is not stated"},
        Refusal{"SparseTensor",
                [](OnnxBuilder& m) {
                  m.then("Relu");
                  m.graph().add_sparse_initializer();
                },
                "store them dense"},
        Refusal{"SecondTensorOfAName",
                [](OnnxBuilder& m) {
                  m.then("Add", {m.constant("c", {1})});
                  m.constant("c", {1});
                },
                "a second initialiser 'c'"},
        Refusal{"NodeOfNoOperation", [](OnnxBuilder& m) { m.then(""); },
                "this operation is not supported"},
        Refusal{"NodeWithoutInputs",
                [](OnnxBuilder& m) {
                  m.then("Relu");
                  m.last().clear_input();
                },
                "m.onnx: node 0 'myRelu' (Relu)"},
        Refusal{"HugeTile",
                [](OnnxBuilder& m) {
                  m.then("Tile", {m.integers("r", {1, 1, std::int64_t{1} << 40, 1})});
                },
                "m.onnx: node 0 'myTile' (Tile)"},
        Refusal{"TileOfLessThanNothing",
                [](OnnxBuilder& m) {
                  m.then("Tile", {m.integers("r", {1, 1, -1, 1})});
                },
                "a map -1 times over"},
        Refusal{"HugeExpand",
                [](OnnxBuilder& m) {
                  m.set_extent(2, 1);
                  m.then("Expand", {m.integers("s", {1, 2, std::int64_t{1} << 40, 4})});
                },
                "m.onnx: node 0 'myExpand' (Expand)"},
        Refusal{"HugeResize",
                [](OnnxBuilder& m) {
                  m.then("Resize", {"", "", m.integers("s", {1, 2, std::int64_t{1} << 40, 4})});
                },
                "m.onnx: node 0 'myResize' (Resize): extent 4 becomes"},
        Refusal{"ResizeToCubic",
                [](OnnxBuilder& m) {
                  m.then("Resize", {"", m.constant("s", {4}, 2.0F)}).with("mode", "cubic");
                },
                "mode 'cubic' is not computed, only nearest and linear"},
        Refusal{"LinearResizeWithAlignedCorners",
                [](OnnxBuilder& m) {
                  m.then("Resize", {"", "", m.integers("s", {1, 2, 8, 8})}).with("mode", "linear");
                  m.with("coordinate_transformation_mode", "align_corners");
                },
                "8 pixels from 4, linear and align_corners: only whole factors"},
        Refusal{"LinearResizeOfIntegers",
                [](OnnxBuilder& m) {
                  m.graph().mutable_input(0)->mutable_type()->mutable_tensor_type()->set_elem_type(
                      onnx::TensorProto::UINT8);
                  m.then("Resize", {"", "", m.integers("s", {1, 2, 8, 8})}).with("mode", "linear");
                },
                "a linear resize of integers rounds"},
        Refusal{"HugeTransposedConvolution",
                [](OnnxBuilder& m) {
                  m.then("ConvTranspose", {m.constant("w", {2, 3, 2, 2})});
                  m.with("strides", std::vector<std::int64_t>{1 << 24, 1 << 24});
                },
                "m.onnx: node 0 'myConvTranspose' (ConvTranspose)"},
        Refusal{"PadsThatCutAllOfATransposedConvolution",
                [](OnnxBuilder& m) {
                  m.then("ConvTranspose", {m.constant("w", {2, 3, 2, 2})});
                  m.with("pads", std::vector<std::int64_t>{3, 3, 3, 3});
                },
                "an output of -1, expected 1 to"},
        Refusal{"TransposedConvolutionOfBipolarWeights",
                [](OnnxBuilder& m) {
                  onnx::NodeProto& weights = *m.graph().add_node();
                  weights.set_op_type("BipolarQuant");
                  weights.set_domain("qonnx.custom_op.general");
                  weights.add_input(m.constant("w", {2, 3, 3, 3}));
                  weights.add_input(m.constant("s", {}));
                  weights.add_output("wq");
                  m.then("ConvTranspose", {"wq"}).with("strides", std::vector<std::int64_t>{2, 2});
                },
                "a kernel that its stride does not divide"},
        Refusal{
            "SliceOfNothing",
            [](OnnxBuilder& m) {
              m.then("Slice", {m.integers("b", {4}), m.integers("e", {9}), m.integers("a", {2})});
            },
            "nothing is left of its input"},
        Refusal{"PlacesInNoOrder",
                [](OnnxBuilder& m) {
                  m.set_extent(2, 400);
                  std::vector<std::int64_t> places;
                  for (std::int64_t i = 400; i-- > 0;) places.push_back(i);
                  m.then("Gather", {m.integers("p", places)}).with("axis", 2);
                },
                "400 places in no regular order, which are 400 slices: expected at most 256"},
        Refusal{"MatricesThatDoNotFit",
                [](OnnxBuilder& m) {
                  m.then("MatMul", {m.constant("w", {1, 3, 4, 5})});
                },
                "matrices of 3x4x5 and a tensor of 1x2x4x4"},
        Refusal{"DivisionByAMap", [](OnnxBuilder& m) { m.then("Div", {"image"}); },
                "divide by a constant"}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace bittern
