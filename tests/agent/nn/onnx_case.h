#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/torch.h"
#include "host/base/error.h"
#include "host/base/file.h"
#include "host/network/io/onnx/constant.h"
#include "host/network/io/onnx/import.h"
#include "tests/agent/nn/graph_runner.h"

namespace bittern {

/// What became of a model with inputs and expected outputs, in a folder laid out as ONNX's
/// conformance data: model.onnx, test_data_set_0/input_0.pb, output_0.pb, ...
struct OnnxOutcome {
  std::string name;  ///< of the folder and the one it lies in
  bool read = false;
  std::string refusal;   ///< when not read: why
  std::string mismatch;  ///< when read: the first difference, if any
};

inline onnx_io::Constant stored_tensor(const std::filesystem::path& path) {
  onnx::TensorProto tensor;
  if (!tensor.ParseFromString(read_file(path))) fail_usage("{}: no tensor", path.string());
  return onnx_io::read_tensor(tensor, path.parent_path(), path.string());
}

inline torch::Tensor images_of(const onnx_io::Constant& input, const Graph& graph, bool bytes) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < input.count(); ++i) {
    values.push_back(static_cast<float>(input.at(i)) / (bytes ? 255.0F : 1.0F));
  }
  const std::int64_t each = graph.input.elements();
  return torch::tensor(values).view({static_cast<std::int64_t>(values.size()) / each,
                                     graph.input.channels, graph.input.height, graph.input.width});
}

/// The first difference, if any.
inline std::string difference(const torch::Tensor& found, const onnx_io::Constant& expected) {
  const torch::Tensor flat = found.contiguous(torch::MemoryFormat::Contiguous).flatten();
  if (flat.numel() != expected.count()) {
    return fmt::format("{} values, expected {}", flat.numel(), expected.count());
  }
  for (std::int64_t i = 0; i < flat.numel(); ++i) {
    const double value = flat[i].item<double>();
    const double wanted = expected.at(i);
    if (value == wanted) continue;  // infinite ones
    if (!(std::abs(value - wanted) <= 1e-4 * std::max(1.0, std::abs(wanted)))) {
      return fmt::format("value {} is {}, expected {}", i, value, wanted);
    }
  }
  return "";
}

/// Reads a model with all inputs but one as constants, and compares what it gives.
inline void try_model(const std::filesystem::path& folder, const onnx::ModelProto& model,
                      bool one_image, OnnxOutcome& outcome) {
  OnnxOptions options;
  options.one_image = one_image;
  std::set<std::string> initialised;
  for (const auto& tensor : model.graph().initializer()) initialised.insert(tensor.name());
  std::vector<const onnx::ValueInfoProto*> open;
  for (const auto& input : model.graph().input()) {
    if (initialised.count(input.name()) == 0) open.push_back(&input);
  }
  std::optional<onnx_io::Constant> image;
  bool bytes = false;
  for (std::size_t i = 0; i < open.size(); ++i) {
    const auto& type = open[i]->type().tensor_type();
    if (!open[i]->type().has_tensor_type()) fail_usage("an input that is no tensor");
    onnx_io::Constant value =
        stored_tensor(folder / "test_data_set_0" / fmt::format("input_{}.pb", i));
    if (!image) {
      options.input = open[i]->name();
      // The reader multiplies images of 0 to 1 by 255 where the file takes integers.
      bytes = value.integer;
      if (type.elem_type() == onnx::TensorProto::BFLOAT16) {
        fail_usage("its input is stored as integers that stand for numbers of 16 bits");
      }
      image = std::move(value);
    } else if (value.integer) {
      options.integer_inputs[open[i]->name()] = {value.dims, value.integers, value.type};
    } else {
      options.inputs[open[i]->name()] = {value.dims, value.reals};
    }
  }
  if (!image) fail_usage("it has no input");
  for (const auto& output : model.graph().output()) {
    const int type = output.type().tensor_type().elem_type();
    if (type == onnx::TensorProto::FLOAT16 || type == onnx::TensorProto::BFLOAT16) {
      fail_usage("its answer has numbers of 16 bits, Bittern computes with 32");
    }
  }
  outcome.read = true;
  for (int i = 0; i < model.graph().output_size(); ++i) {
    options.output = model.graph().output(i).name();
    const OnnxNetwork network =
        parse_onnx(read_file(folder / "model.onnx"), outcome.name, folder, options);
    const onnx_io::Constant expected =
        stored_tensor(folder / "test_data_set_0" / fmt::format("output_{}.pb", i));
    const std::string found = difference(
        run_graph(network.graph, network.weights, images_of(*image, network.graph, bytes)),
        expected);
    if (!found.empty()) outcome.mismatch = options.output + ": " + found;
  }
}

/// Reads the model, all inputs but the first as constants, runs it on the first, and compares
/// (within 1e-4, of values above 1 relative). Where the first extent cannot be the images of a
/// batch, the whole input is one image.
inline OnnxOutcome run_onnx_case(const std::filesystem::path& folder) {
  OnnxOutcome outcome;
  outcome.name = folder.parent_path().filename().string() + "/" + folder.filename().string();
  try {
    onnx::ModelProto model;
    if (!model.ParseFromString(read_file(folder / "model.onnx"))) fail_usage("no model");
    try {
      try_model(folder, model, false, outcome);
    } catch (const Error&) {
      // Without images as its first extent, perhaps.
      try_model(folder, model, true, outcome);
    }
  } catch (const Error& error) {
    outcome.read = false;
    outcome.refusal = error.what();
  }
  return outcome;
}

}  // namespace bittern
