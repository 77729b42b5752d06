#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "host/network/graph.h"
#include "host/network/io/onnx/file_node.h"
#include "host/network/io/onnx/import.h"
#include "host/network/io/onnx/spread.h"
#include "host/network/io/onnx/value.h"
#include "host/network/weights.h"

namespace bittern::onnx_io {

struct OnnxOp;

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
  void lower_node(const FileNode& node, const OnnxOp& op);
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

}  // namespace bittern::onnx_io
