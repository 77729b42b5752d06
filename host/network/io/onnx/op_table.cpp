#include "host/network/io/onnx/op_table.h"

#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace bittern::onnx_io {
namespace {

using Table = const std::vector<OnnxOp>& (*)();
constexpr std::array<Table, 12> kTables = {
    convolution_ops, product_ops, normalisation_ops, pooling_ops,  arithmetic_ops, reshaping_ops,
    slicing_ops,     concat_ops,  border_ops,        resizing_ops, constant_ops,   quant_ops};

}  // namespace

const std::vector<OnnxOp>& constant_ops() {
  static const std::vector<OnnxOp> kOps = {
      {"", "Constant", nullptr, "a constant"},
      {"", "ConstantOfShape", nullptr, "of constants only"},
      {"", "Expand", nullptr, "of constants only"},
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
      {"", "Abs", nullptr, "of constants only"},
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

std::string advice_for(const std::string& op) {
  static const std::map<std::string, std::string> kAdvice = {
      {"ConvTranspose", "write an upsampling (Resize, nearest) and a convolution instead"},
      {"Sigmoid", "only piecewise linear activations are computed: train with ReLU or ReLU6"},
      {"HardSigmoid", "products of two activations are not computed: train with ReLU or ReLU6"},
      {"HardSwish", "only piecewise linear activations are computed: train with ReLU or ReLU6"},
      {"Tanh", "only piecewise linear activations are computed: train with ReLU or ReLU6"},
      {"Erf", "only piecewise linear activations are computed: train with ReLU or ReLU6"},
      {"Gelu", "only piecewise linear activations are computed: train with ReLU or ReLU6"},
      {"LeakyRelu", "train with ReLU or ReLU6"},
      {"PRelu", "train with ReLU or ReLU6"},
      {"Elu", "train with ReLU or ReLU6"},
      {"Selu", "train with ReLU or ReLU6"},
      {"Softplus", "train with ReLU or ReLU6"},
      {"LRN", "train with batch normalisation instead"},
      {"InstanceNormalization", "its mean depends on the image: train with batch normalisation"},
      {"LayerNormalization", "its mean depends on the image: train with batch normalisation"},
      {"GroupNormalization", "its mean depends on the image: train with batch normalisation"},
      {"LSTM", "recurrent networks are not computed"},
      {"GRU", "recurrent networks are not computed"},
      {"RNN", "recurrent networks are not computed"},
      {"Loop", "export without control flow (torch.jit.trace)"},
      {"If", "export without control flow (torch.jit.trace)"},
      {"Scan", "export without control flow (torch.jit.trace)"},
      {"ArgMax", "end the network with its logits"},
      {"TopK", "end the network with its logits"},
      {"QLinearConv", "export the quantised network as QDQ (QuantizeLinear, DequantizeLinear)"},
      {"QLinearMatMul", "export the quantised network as QDQ (QuantizeLinear, DequantizeLinear)"},
      {"QLinearAdd", "export the quantised network as QDQ (QuantizeLinear, DequantizeLinear)"},
      {"ConvInteger", "export the quantised network as QDQ (QuantizeLinear, DequantizeLinear)"},
      {"MatMulInteger", "export the quantised network as QDQ (QuantizeLinear, DequantizeLinear)"},
      {"DynamicQuantizeLinear", "export with static quantisation"},
  };
  const auto found = kAdvice.find(op);
  return found != kAdvice.end() ? found->second : "bittern import --ops lists those that are";
}

}  // namespace bittern::onnx_io
