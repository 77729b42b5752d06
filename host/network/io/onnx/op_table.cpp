#include "host/network/io/onnx/op_table.h"

#include <array>
#include <set>
#include <string>
#include <vector>

namespace bittern::onnx_io {
namespace {

using Table = const std::vector<OnnxOp>& (*)();
constexpr std::array<Table, 14> kTables = {
    convolution_ops, product_ops,    normalisation_ops, pooling_ops, reduction_ops,
    arithmetic_ops,  activation_ops, reshaping_ops,     slicing_ops, concat_ops,
    border_ops,      resizing_ops,   constant_ops,      quant_ops};

}  // namespace

const std::vector<OnnxOp>& constant_ops() {
  static const std::vector<OnnxOp> kOps = {
      {"", "Constant", nullptr, "a constant"},
      {"", "ConstantOfShape", nullptr, "of constants only"},
      {"", "Where", nullptr, "of constants only"},
      {"", "Range", nullptr, "of constants only"},
      {"", "ReduceProd", nullptr, "of constants only"},
      {"", "Equal", nullptr, "of constants only"},
      {"", "Less", nullptr, "of constants only"},
      {"", "Greater", nullptr, "of constants only"},
      {"", "Not", nullptr, "of constants only"},
      {"", "Pow", nullptr, "of constants only"},
      {"", "Sqrt", nullptr, "of constants only"},
      {"", "Exp", nullptr, "of constants only"},
      {"", "Log", nullptr, "of constants only"},
      {"", "Reciprocal", nullptr, "of constants only"},
      {"", "Floor", nullptr, "of constants only"},
      {"", "Ceil", nullptr, "of constants only"},
  };
  return kOps;
}

std::vector<OnnxOp> all_onnx_ops() {
  std::vector<OnnxOp> all;
  for (const Table table : kTables) all.insert(all.end(), table().begin(), table().end());
  return all;
}

std::string domain_of(const onnx::NodeProto& node) {
  static const std::set<std::string> kQuantDomains = {"onnx.brevitas", "finn.custom_op.general",
                                                      "finn"};
  if (kQuantDomains.count(node.domain()) > 0) return "qonnx.custom_op.general";
  return node.domain() == "ai.onnx" ? "" : node.domain();
}

const OnnxOp* find_op(const onnx::NodeProto& node) {
  const std::string domain = domain_of(node);
  for (const Table table : kTables) {
    for (const OnnxOp& op : table()) {
      if (domain == op.domain && node.op_type() == op.name) return &op;
    }
  }
  return nullptr;
}

bool takes_codes(const std::string& op) {
  static const std::set<std::string> kOps = {
      "DequantizeLinear", "Clip",      "MaxPool", "Reshape", "Flatten", "Squeeze",
      "Unsqueeze",        "Transpose", "Shape",   "Slice",   "Identity"};
  return kOps.count(op) > 0;
}

bool takes_bytes(const std::string& op) {
  static const std::set<std::string> kOps = {"Cast",         "Pad",          "Concat", "Split",
                                             "Gather",       "Expand",       "Tile",   "Resize",
                                             "DepthToSpace", "SpaceToDepth", "Size"};
  return takes_codes(op) || kOps.count(op) > 0;
}

std::string advice_for(const std::string& op) {
  struct Advice {
    const char* text;
    std::set<std::string> ops;
  };
  static const std::vector<Advice> kAdvice = {
      {"only piecewise linear activations are computed: train with ReLU, ReLU6, LeakyReLU or "
       "Hardsigmoid",
       {"Sigmoid", "Tanh", "Erf", "Gelu", "Elu", "Selu", "Celu", "Softplus", "Softsign", "Mish",
        "Exp", "Log", "Sqrt", "Sin", "Cos", "Tan", "Sinh", "Cosh"}},
      {"products of two activations are not computed: train with ReLU or ReLU6 in its place",
       {"HardSwish", "Swish", "Silu"}},
      {"only continuous activations are computed: train with ReLU, ReLU6 or LeakyReLU",
       {"ThresholdedRelu", "Shrink", "Sign", "Hardmax"}},
      {"roots and squares of activations are not computed: train with batch normalisation instead",
       {"LRN", "MeanVarianceNormalization"}},
      {"its mean depends on the image: train with batch normalisation",
       {"InstanceNormalization", "LayerNormalization", "GroupNormalization"}},
      {"roots and squares of activations are not computed: pool with MaxPool or AveragePool",
       {"LpPool", "GlobalLpPool", "LpNormalization", "ReduceL2", "ReduceSumSquare"}},
      {"logarithms of activations are not computed: end the network with its logits",
       {"ReduceLogSum", "ReduceLogSumExp"}},
      {"the places of maxima are not kept: write an upsampling (Resize, nearest) instead",
       {"MaxUnpool"}},
      {"products of two activations are not computed: every layer multiplies activations by "
       "weights, which lie in memory before it starts",
       {"Einsum"}},
      {"recurrent networks are not computed", {"LSTM", "GRU", "RNN"}},
      {"export without control flow (torch.jit.trace)", {"Loop", "If", "Scan"}},
      {"end the network with its logits",
       {"ArgMax", "ArgMin", "TopK", "NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"}},
      {"end the network before its boxes are chosen", {"NonMaxSuppression", "RoiAlign"}},
      {"export the quantised network as QDQ (QuantizeLinear, DequantizeLinear)",
       {"QLinearConv", "QLinearMatMul", "QLinearAdd", "QLinearGlobalAveragePool", "QGemm",
        "ConvInteger", "MatMulInteger"}},
      {"export with static quantisation", {"DynamicQuantizeLinear"}},
  };
  for (const Advice& advice : kAdvice) {
    if (advice.ops.count(op) > 0) return advice.text;
  }
  return "bittern import --ops lists those that are";
}

}  // namespace bittern::onnx_io
