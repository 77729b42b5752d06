#include "host/network/io/onnx/file_node.h"

#include <fmt/format.h>

#include <optional>

#include "host/base/error.h"
#include "host/base/text.h"
#include "host/network/io/onnx/importer.h"

namespace bittern::onnx_io {

FileNode::FileNode(Importer& importer, const onnx::NodeProto& node, int index)
    : importer_(importer), proto_(node) {
  where_ = fmt::format("{}: node {}", importer.file(), index);
  if (!node.name().empty()) where_ += fmt::format(" '{}'", shortened(printable(node.name())));
  where_ += fmt::format(" ({}{})", node.domain().empty() ? "" : printable(node.domain()) + "::",
                        shortened(printable(node.op_type())));
}

void FileNode::fail(const std::string& message) const { fail_usage("{}: {}", where_, message); }

bool FileNode::has(std::size_t input) const {
  return input < inputs() && !proto_.input(static_cast<int>(input)).empty();
}

const Value& FileNode::input(std::size_t index) const {
  if (!has(index)) fail(fmt::format("input {} is missing", index));
  const std::string& name = proto_.input(static_cast<int>(index));
  const Value* const value = importer_.find(name);
  if (value == nullptr) {
    fail(fmt::format("input '{}' is given by no earlier node", shortened(printable(name))));
  }
  return *value;
}

const Constant& FileNode::constant(std::size_t index, const char* what) const {
  const Value& value = input(index);
  if (!value.known()) {
    fail(fmt::format("its {} ('{}') depends on the image, expected a constant", what,
                     shortened(printable(proto_.input(static_cast<int>(index))))));
  }
  return *value.constant;
}

std::vector<std::int64_t> FileNode::integers(std::size_t index, const char* what) const {
  const Constant& values = constant(index, what);
  if (!values.integer) fail(fmt::format("its {} are real numbers, expected integers", what));
  return values.integers;
}

double FileNode::scalar(std::size_t index, const char* what) const {
  const Constant& value = constant(index, what);
  if (value.count() != 1) {
    fail(fmt::format("its {} has extents {}, expected one number", what, dims_text(value.dims)));
  }
  return value.at(0);
}

const onnx::AttributeProto* FileNode::attribute(const std::string& name) const {
  for (const onnx::AttributeProto& attribute : proto_.attribute()) {
    if (attribute.name() == name) return &attribute;
  }
  return nullptr;
}

std::int64_t FileNode::integer(const std::string& name, std::int64_t fallback) const {
  const onnx::AttributeProto* const found = attribute(name);
  if (found == nullptr) return fallback;
  if (found->type() != onnx::AttributeProto::INT) fail("attribute " + name + " is no integer");
  return found->i();
}

double FileNode::real(const std::string& name, double fallback) const {
  const onnx::AttributeProto* const found = attribute(name);
  if (found == nullptr) return fallback;
  if (found->type() != onnx::AttributeProto::FLOAT) fail("attribute " + name + " is no number");
  return found->f();
}

std::string FileNode::text(const std::string& name, const std::string& fallback) const {
  const onnx::AttributeProto* const found = attribute(name);
  if (found == nullptr) return fallback;
  if (found->type() != onnx::AttributeProto::STRING) fail("attribute " + name + " is no text");
  return found->s();
}

std::vector<std::int64_t> FileNode::list(const std::string& name) const {
  const onnx::AttributeProto* const found = attribute(name);
  if (found == nullptr) return {};
  if (found->type() != onnx::AttributeProto::INTS) {
    fail("attribute " + name + " is no list of integers");
  }
  return {found->ints().begin(), found->ints().end()};
}

std::optional<std::vector<std::int64_t>> FileNode::list_or_input(const std::string& name,
                                                                 std::size_t index) const {
  if (attribute(name) != nullptr) return list(name);
  if (has(index)) return integers(index, name.c_str());
  return std::nullopt;
}

Constant FileNode::tensor(const std::string& name) const {
  const onnx::AttributeProto* const found = attribute(name);
  if (found == nullptr || found->type() != onnx::AttributeProto::TENSOR) {
    fail("attribute " + name + " is no tensor");
  }
  return read_tensor(found->t(), importer_.folder(), where_ + ": " + name);
}

std::size_t FileNode::axis(std::int64_t axis, std::size_t rank) const {
  const auto size = static_cast<std::int64_t>(rank);
  if (axis < -size || axis >= size) {
    fail(fmt::format("axis {} of a tensor with {} extents", axis, rank));
  }
  return static_cast<std::size_t>(axis < 0 ? axis + size : axis);
}

}  // namespace bittern::onnx_io
