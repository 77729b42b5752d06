#include "host/export/onnx_file.h"

#include <limits>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/version.h"

namespace bittern {
namespace {

/// The oldest that has scales of channels in DequantizeLinear and Clip of 8-bit integers; readers
/// of all ages know it.
constexpr int kOpset = 13;
constexpr int kIrVersion = 7;

}  // namespace

OnnxFile::OnnxFile(const std::string& network) {
  model_.set_ir_version(kIrVersion);
  model_.set_producer_name("bittern");
  model_.set_producer_version(version());
  import_domain("", kOpset);
  model_.mutable_graph()->set_name(network);
}

void OnnxFile::take(const std::string& name) {
  if (names_.insert(name).second) return;
  fail_usage("two tensors of the exported file would be called '{}': rename a node of the network",
             name);
}

onnx::NodeProto& OnnxFile::node(const std::string& op, const std::vector<std::string>& inputs,
                                const std::string& output, const std::string& domain) {
  take(output);
  onnx::NodeProto& node = *model_.mutable_graph()->add_node();
  node.set_op_type(op);
  node.set_domain(domain);
  node.set_name(output);
  for (const std::string& name : inputs) node.add_input(name);
  node.add_output(output);
  return node;
}

onnx::TensorProto& OnnxFile::tensor(const std::string& name, const std::vector<std::int64_t>& shape,
                                    onnx::TensorProto::DataType type) {
  take(name);
  onnx::TensorProto& tensor = *model_.mutable_graph()->add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(type);
  for (const std::int64_t extent : shape) tensor.add_dims(extent);
  return tensor;
}

std::string OnnxFile::constant(const std::string& name, const std::vector<std::int64_t>& shape,
                               const std::vector<float>& values) {
  onnx::TensorProto& made = tensor(name, shape, onnx::TensorProto::FLOAT);
  made.mutable_float_data()->Add(values.begin(), values.end());
  return name;
}

std::string OnnxFile::constant(const std::string& name, const std::vector<std::int64_t>& values) {
  onnx::TensorProto& made =
      tensor(name, {static_cast<std::int64_t>(values.size())}, onnx::TensorProto::INT64);
  made.mutable_int64_data()->Add(values.begin(), values.end());
  return name;
}

std::string OnnxFile::constant_int32(const std::string& name,
                                     const std::vector<std::int32_t>& values) {
  onnx::TensorProto& made =
      tensor(name, {static_cast<std::int64_t>(values.size())}, onnx::TensorProto::INT32);
  made.mutable_int32_data()->Add(values.begin(), values.end());
  return name;
}

std::string OnnxFile::codes(const std::string& name, const std::vector<std::int64_t>& shape,
                            const std::vector<std::int16_t>& values, bool is_signed) {
  onnx::TensorProto& made =
      tensor(name, shape, is_signed ? onnx::TensorProto::INT8 : onnx::TensorProto::UINT8);
  std::string bytes;
  bytes.reserve(values.size());
  for (const std::int16_t code : values) bytes += static_cast<char>(code);
  made.set_raw_data(bytes);
  return name;
}

void OnnxFile::value(onnx::ValueInfoProto& info, const std::string& name,
                     const std::vector<std::int64_t>& shape) {
  info.set_name(name);
  onnx::TypeProto::Tensor& type = *info.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  for (const std::int64_t extent : shape) {
    auto& dim = *type.mutable_shape()->add_dim();
    if (extent == 0) {
      dim.set_dim_param("batch");
    } else {
      dim.set_dim_value(extent);
    }
  }
}

void OnnxFile::input(const std::string& name, const std::vector<std::int64_t>& shape) {
  value(*model_.mutable_graph()->add_input(), name, shape);
}

void OnnxFile::output(const std::string& name, const std::vector<std::int64_t>& shape) {
  value(*model_.mutable_graph()->add_output(), name, shape);
}

void OnnxFile::import_domain(const std::string& domain, int version) {
  auto& opset = *model_.add_opset_import();
  opset.set_domain(domain);
  opset.set_version(version);
}

void OnnxFile::note(const std::string& key, const std::string& value) {
  auto& entry = *model_.add_metadata_props();
  entry.set_key(key);
  entry.set_value(value);
}

void OnnxFile::write(const std::filesystem::path& path) const {
  if (model_.ByteSizeLong() > std::numeric_limits<std::int32_t>::max()) {
    fail("{}: the network has {} bytes, more than the 2 GiB of an ONNX file", path.string(),
         model_.ByteSizeLong());
  }
  write_file(path, model_.SerializeAsString());
}

void set_attribute(onnx::NodeProto& node, const char* name, std::int64_t value) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INT);
  attribute.set_i(value);
}

void set_attribute(onnx::NodeProto& node, const char* name, const std::string& value) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::STRING);
  attribute.set_s(value);
}

void set_attribute(onnx::NodeProto& node, const char* name,
                   const std::vector<std::int64_t>& values) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  attribute.set_type(onnx::AttributeProto::INTS);
  for (const std::int64_t value : values) attribute.add_ints(value);
}

}  // namespace bittern
