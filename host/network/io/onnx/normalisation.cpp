#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "host/network/io/onnx/op_table.h"
#include "host/network/io/onnx/passes.h"
#include "host/network/io/onnx/windows.h"

namespace bittern::onnx_io {
namespace {

void batch_norm(Importer& importer, const FileNode& node) {
  if (node.integer("training_mode", 0) != 0) {
    node.fail(
        "it normalises with the statistics of the batch (training): export in inference "
        "mode, model.eval()");
  }
  if (node.integer("spatial", 1) == 0) node.fail("spatial=0 is not computed");
  for (int i = 1; i < node.proto().output_size(); ++i) {
    if (!node.proto().output(i).empty() && importer.used(node.proto().output(i))) {
      node.fail("its statistics are taken as an output: export in inference mode, model.eval()");
    }
  }
  const Value value = importer.batched(node, node.input(0));
  const std::int64_t channels = value.dims.empty() ? 1 : value.dims[0];
  const std::array<const char*, 4> tensors = {"weight", "bias", "running_mean", "running_var"};
  std::array<std::vector<float>, 4> values;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const Constant& constant = node.constant(i + 1, tensors[i]);
    if (constant.count() != channels) {
      node.fail(fmt::format("{} {} for {} channels", constant.count(), tensors[i], channels));
    }
    values[i] = reals_of(node, constant, tensors[i]);
  }
  Node made;
  made.op = Op::kBatchNorm;
  // The decimal number that was meant: 1e-5, not the float nearest to it.
  made.attributes.epsilon =
      std::stod(fmt::format("{}", static_cast<float>(node.real("epsilon", 1e-5))));
  made.name = importer.weight_name(node, node.input(1));
  constexpr double kLeast = 1e-12;
  if (!(made.attributes.epsilon >= kLeast && made.attributes.epsilon <= 1.0)) {
    for (float& variance : values[3]) {
      variance = static_cast<float>(variance + made.attributes.epsilon);
    }
    made.attributes.epsilon = kNoEpsilon;
  }
  for (const float variance : values[3]) {
    if (!(variance + made.attributes.epsilon > 0)) node.fail("a variance below 0");
  }
  Value out = value;
  made.inputs = {importer.shaped(node, value)};
  const std::string name = made.name;
  out.source = importer.append(node, std::move(made));
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    importer.set_weight(name, tensors[i], {channels}, std::move(values[i]));
  }
  importer.set(node, std::move(out));
}

}  // namespace

const std::vector<OnnxOp>& normalisation_ops() {
  static const std::vector<OnnxOp> kOps = {
      {"", "BatchNormalization", batch_norm, "in inference mode"},
  };
  return kOps;
}

}  // namespace bittern::onnx_io
