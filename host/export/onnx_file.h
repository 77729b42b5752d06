#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace bittern {

/// An ONNX file that is being written: nodes in their order, tensors by name. Throws Error (exit
/// status 2) where two tensors would have one name.
class OnnxFile {
 public:
  /// `network` is the graph's name.
  explicit OnnxFile(const std::string& network);

  /// Appends a node with one output, and returns it for its attributes. Its name is that of the
  /// output.
  onnx::NodeProto& node(const std::string& op, const std::vector<std::string>& inputs,
                        const std::string& output, const std::string& domain = "");

  // Constants; each returns `name`.

  std::string constant(const std::string& name, const std::vector<std::int64_t>& shape,
                       const std::vector<float>& values);
  std::string constant(const std::string& name, const std::vector<std::int64_t>& values);
  std::string constant_int32(const std::string& name, const std::vector<std::int32_t>& values);
  /// Codes as bytes, signed or not.
  std::string codes(const std::string& name, const std::vector<std::int64_t>& shape,
                    const std::vector<std::int16_t>& values, bool is_signed);

  /// An input or output of floats; an extent of 0 is that of the batch.
  void input(const std::string& name, const std::vector<std::int64_t>& shape);
  void output(const std::string& name, const std::vector<std::int64_t>& shape);
  void import_domain(const std::string& domain, int version);
  void note(const std::string& key, const std::string& value);

  /// Writes the file. Throws Error when it would be larger than a protobuf message can be.
  void write(const std::filesystem::path& path) const;

 private:
  onnx::TensorProto& tensor(const std::string& name, const std::vector<std::int64_t>& shape,
                            onnx::TensorProto::DataType type);
  void value(onnx::ValueInfoProto& info, const std::string& name,
             const std::vector<std::int64_t>& shape);

  void take(const std::string& name);

  onnx::ModelProto model_;
  std::set<std::string> names_;
};

// Attributes of a node.

void set_attribute(onnx::NodeProto& node, const char* name, std::int64_t value);
void set_attribute(onnx::NodeProto& node, const char* name, const std::string& value);
void set_attribute(onnx::NodeProto& node, const char* name,
                   const std::vector<std::int64_t>& values);

}  // namespace bittern
