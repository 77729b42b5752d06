#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/network/graph.h"
#include "host/network/io/onnx/constant.h"
#include "host/network/io/onnx/import.h"
#include "host/network/weights.h"

namespace bittern::onnx_io {

/// Integers that stand for a map's values between QuantizeLinear and DequantizeLinear.
struct Codes {
  Constant scale;
  Constant zero;
  int axis = 1;
  double low = 0;  ///< least and greatest code: the type's, or what a Clip leaves
  double high = 0;
};

/// What a name of the file stands for: a tensor that is known, or what a node of our graph gives.
///
/// The values of a map lie in the order of `dims`, the first extent outermost, whatever the shape
/// of the node that gives them: reshaping is another `dims` and no operation.
struct Value {
  std::shared_ptr<const Constant> constant;
  int source = kImage;
  Dims dims;            ///< without the batch where there is one
  bool batched = true;  ///< whether an extent for the images of a batch stands before `dims`
  std::optional<Codes> codes = std::nullopt;
  bool bytes = false;     ///< values are bytes in the file, of which arithmetic would wrap around
  std::string name = {};  ///< of the initialiser that a constant comes from

  bool known() const { return constant != nullptr; }
};

/// How a constant is spread over a value (with NumPy's rules): one number, or one for each channel.
/// Where it differs within a channel, `each` is set and there is one for every value.
struct Spread {
  std::vector<double> values;
  bool each = false;
};

class Importer;

/// One node of the file. Getters check types and throw Error that names file, node and attribute.
class FileNode {
 public:
  FileNode(Importer& importer, const onnx::NodeProto& node, int index);

  const std::string& op() const { return proto_.op_type(); }
  const std::string& domain() const { return proto_.domain(); }
  const onnx::NodeProto& proto() const { return proto_; }
  /// "model.onnx: node 12 'Conv_12' (Conv)".
  const std::string& where() const { return where_; }
  /// Throws Error (exit status 2) "where: message".
  [[noreturn]] void fail(const std::string& message) const;

  std::size_t inputs() const { return static_cast<std::size_t>(proto_.input_size()); }
  bool has(std::size_t input) const;
  /// Throws Error when the input is missing.
  const Value& input(std::size_t index) const;
  /// An input that has to be known; `what` is its name in messages.
  const Constant& constant(std::size_t index, const char* what) const;
  /// The integers of such an input.
  std::vector<std::int64_t> integers(std::size_t index, const char* what) const;
  /// The one value of such an input.
  double scalar(std::size_t index, const char* what) const;

  const onnx::AttributeProto* attribute(const std::string& name) const;
  std::int64_t integer(const std::string& name, std::int64_t fallback) const;
  double real(const std::string& name, double fallback) const;
  std::string text(const std::string& name, const std::string& fallback) const;
  std::vector<std::int64_t> list(const std::string& name) const;
  /// An attribute of older opsets that became an input: from where it is. Nothing where it is not.
  std::optional<std::vector<std::int64_t>> list_or_input(const std::string& name,
                                                         std::size_t index) const;
  /// An axis counted from the end where it is negative; within 0 .. rank - 1.
  std::size_t axis(std::int64_t axis, std::size_t rank) const;

 private:
  Importer& importer_;
  const onnx::NodeProto& proto_;
  std::string where_;
};

/// Turns the nodes of a file into a graph.
class Importer {
 public:
  Importer(const std::string& file, const std::filesystem::path& folder,
           const OnnxOptions& options);

  /// All of it. Call once.
  OnnxNetwork import(const onnx::ModelProto& model);

  // What lowerings use.

  int opset() const { return opset_; }
  const Graph& graph() const { return graph_; }
  const std::string& file() const { return file_; }
  const std::filesystem::path& folder() const { return folder_; }
  const Value* find(const std::string& name) const;

  /// Appends a node of ours; what is wrong with it is said with the file's node.
  int append(const FileNode& from, Node node);
  /// The result of a node of the file.
  void set(const FileNode& node, Value value, int output = 0);
  void set_constant(const FileNode& node, Constant constant, int output = 0);
  /// Extents with the batch.
  Dims full(const Value& value) const;
  /// The same values with other extents (with the batch). Throws Error where images of a batch
  /// would be mixed.
  Value with_full(const FileNode& node, Value value, const Dims& full) const;
  /// The value with the batch as its first extent / without one (one image only).
  Value batched(const FileNode& node, Value value) const;
  Value one_image(const FileNode& node, Value value) const;
  /// The source of a value as a map of this shape; adds a rearrange node where it has another.
  int shaped(const FileNode& node, const Value& value, const Shape& shape);
  int shaped(const FileNode& node, const Value& value);
  /// The values in another order: as with Transpose, over the extents without the batch.
  Value transposed(const FileNode& node, const Value& value, const std::vector<int>& order);
  /// value * scale + shift; one of each, or one for each channel (the first extent).
  Value affine(const FileNode& node, const Value& value, const std::vector<double>& scale,
               const std::vector<double>& shift, const std::string& name);
  /// A name for a node with weights: of the initialiser where it has one that says something.
  std::string weight_name(const FileNode& node, const Value& weight);
  void set_weight(const std::string& node, const char* tensor, Dims dims,
                  std::vector<float> values);
  void note(std::string text);
  std::int64_t batch() const { return batch_; }
  /// Whether a name is used by another node or is an answer.
  bool used(const std::string& name) const { return uses_.count(name) > 0; }
  /// Whether it is the network's answer and nothing else.
  bool is_answer(const std::string& name) const;
  /// Whether no layer has been read yet.
  bool layerless() const { return layer_nodes(graph_).empty(); }
  /// value * scale + shift where the two are spread over the value.
  Value spread_affine(const FileNode& node, Value value, const Spread& scale, const Spread& shift,
                      const std::string& name);

 private:
  void read_opsets(const onnx::ModelProto& model);
  void read_constants(const onnx::GraphProto& graph);
  void read_input(const onnx::GraphProto& graph);
  void take_image(const onnx::ValueInfoProto& input);
  void lower(const onnx::GraphProto& graph);
  void finish(const onnx::GraphProto& graph);
  void drop_unused_weights();

  std::string file_;
  std::filesystem::path folder_;
  const OnnxOptions& options_;
  std::string answer_;  ///< the file's name for it
  int opset_ = 0;
  std::int64_t batch_ = 1;
  Graph graph_;
  NamedTensors weights_;
  std::map<std::string, Value> values_;
  std::map<std::string, int> uses_;
  std::set<std::string> names_;
  std::vector<std::string> notes_;
};

/// Extents of the map that stands for a tensor of these extents (without the batch).
Shape map_shape(const Dims& dims);

/// Throws Error where the constant does not fit, or differs between images.
Spread spread_over(const FileNode& node, const Constant& constant, const Dims& full, bool batched);

// Extents that operations of shapes give, for constants and maps alike; with the batch.

Dims reshaped_dims(const FileNode& node, const Dims& from);
Dims squeezed_dims(const FileNode& node, const Dims& from);
Dims unsqueezed_dims(const FileNode& node, const Dims& from);
std::vector<std::int64_t> transpose_order(const FileNode& node, std::size_t rank);
/// What Shape gives for a tensor of these extents.
Constant shape_constant(const FileNode& node, const Dims& dims);
/// What a Slice takes along one axis.
struct SliceAxis {
  std::int64_t begin;
  std::int64_t count;
  std::int64_t step;
};
std::vector<SliceAxis> slice_axes(const FileNode& node, const Dims& from);
/// Bounds of a Clip, from attributes or inputs; infinite where there is none.
struct ClipBounds {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
};
ClipBounds clip_bounds(const FileNode& node);

/// The same for quantisers of constants, which keep their scales.
bool compute_quantised_constant(Importer& importer, const FileNode& node);

/// Computes a node whose inputs are all known. False where there is no rule for the operation.
bool compute_constant(Importer& importer, const FileNode& node);

/// The quantiser of a weight tensor whose output channels lie along `axis`; nothing where the
/// tensor has none.
std::optional<Quantiser> weight_quantiser_of(const FileNode& node, const Constant& weight,
                                             std::size_t axis);

/// One entry of the table of operations.
struct OnnxOp {
  const char* domain;  ///< "" for ONNX itself
  const char* name;
  /// What becomes of it, for people; nullptr where it is refused, which `hint` explains.
  void (*lower)(Importer& importer, const FileNode& node);
  const char* text;
};
const std::vector<OnnxOp>& layer_ops();  ///< convolution, products, normalisation, pooling
const std::vector<OnnxOp>& value_ops();  ///< arithmetic, activations
const std::vector<OnnxOp>& shape_ops();  ///< reshape, transpose, slice, pad, ...
const std::vector<OnnxOp>& quant_ops();  ///< QONNX, QuantizeLinear

}  // namespace bittern::onnx_io
