#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/network/io/onnx/value.h"

namespace bittern::onnx_io {

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
  /// The tensor of an attribute, which may lie in a file beside the model.
  Constant tensor(const std::string& name) const;
  /// An axis counted from the end where it is negative; within 0 .. rank - 1.
  std::size_t axis(std::int64_t axis, std::size_t rank) const;

 private:
  Importer& importer_;
  const onnx::NodeProto& proto_;
  std::string where_;
};

}  // namespace bittern::onnx_io
