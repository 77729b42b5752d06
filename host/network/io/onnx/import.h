#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "host/network/network.h"
#include "host/network/weights.h"

namespace bittern {

/// A tensor of integers, with ONNX's number of its element type (7: 64 bits).
struct IntegerTensor {
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> values;
  int type = 7;
};

/// How a model file is read.
struct OnnxOptions {
  /// Which input takes the images, where there are several without known values; empty: the only
  /// one, or the first that has as many extents as images have.
  std::string input;
  /// Which output is the answer; empty: the first.
  std::string output;
  /// Values of further inputs, by name: they are taken as constants.
  NamedTensors inputs;
  /// The same for inputs of integers.
  std::map<std::string, IntegerTensor> integer_inputs;
  /// Takes the whole input for one image, its first extent too.
  bool one_image = false;
  /// Added in front: (image - mean) / deviation, one for each channel; empty: nothing. Images are 0
  /// to 1.
  std::vector<double> mean;
  std::vector<double> deviation;
  /// Images can be negative.
  bool signed_input = false;
};

/// What a model file holds, as a network of ours.
struct OnnxNetwork {
  Graph graph;
  NamedTensors weights;
  /// What was left out or assumed, a sentence each.
  std::vector<std::string> notes;
  /// Extents of the answer without the batch, as the file has them.
  std::vector<std::int64_t> answer;
};

/// Reads an ONNX file: opsets 1 to 22 of ONNX itself, and QONNX's operations. Nodes are checked by
/// libonnx up to the opset that it knows, and by our table of operations in any case. Throws Error
/// (exit status 2) with file, node (place, name, operation), what is wrong and what can be done.
OnnxNetwork read_onnx(const std::filesystem::path& path, const OnnxOptions& options = {});

/// The same from memory; `file` stands in messages for the path, data beside the model is looked
/// for in `folder`.
OnnxNetwork parse_onnx(std::string_view content, const std::string& file,
                       const std::filesystem::path& folder, const OnnxOptions& options = {});

/// The network of such a file, called after it, with its weights.
Network import_onnx(const std::filesystem::path& path, const OnnxOptions& options = {});

/// An operation that files may have, and what becomes of it.
struct OnnxOpInfo {
  std::string domain;
  std::string name;
  std::string text;
};
/// All of them, as the reader knows them.
std::vector<OnnxOpInfo> supported_onnx_ops();

}  // namespace bittern
