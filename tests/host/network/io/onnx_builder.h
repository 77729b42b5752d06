#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "host/base/error.h"
#include "host/network/io/onnx/import.h"
#include "tests/host/base/message_of.h"

namespace bittern {

/// Writes a model node by node.
class OnnxBuilder {
 public:
  explicit OnnxBuilder(const std::vector<std::int64_t>& image = {1, 2, 4, 4}, int opset = 13) {
    model_.set_ir_version(7);
    model_.add_opset_import()->set_version(opset);
    onnx::ValueInfoProto& input = *graph().add_input();
    input.set_name("image");
    auto& type = *input.mutable_type()->mutable_tensor_type();
    type.set_elem_type(onnx::TensorProto::FLOAT);
    for (const std::int64_t extent : image) {
      auto& dim = *type.mutable_shape()->add_dim();
      if (extent > 0) {
        dim.set_dim_value(extent);
      } else {
        dim.set_dim_param("N");
      }
    }
  }

  onnx::ModelProto& model() { return model_; }
  onnx::GraphProto& graph() { return *model_.mutable_graph(); }

  std::string constant(const std::string& name, const std::vector<std::int64_t>& dims,
                       float value = 1.0F) {
    onnx::TensorProto& tensor = *graph().add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    std::int64_t count = 1;
    for (const std::int64_t extent : dims) {
      tensor.add_dims(extent);
      count *= extent;
    }
    for (std::int64_t i = 0; i < count; ++i) tensor.add_float_data(value);
    return name;
  }

  std::string integers(const std::string& name, const std::vector<std::int64_t>& values) {
    onnx::TensorProto& tensor = *graph().add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(onnx::TensorProto::INT64);
    tensor.add_dims(static_cast<std::int64_t>(values.size()));
    for (const std::int64_t value : values) tensor.add_int64_data(value);
    return name;
  }

  /// A node that takes the one before, and `others`.
  OnnxBuilder& then(const std::string& op, const std::vector<std::string>& others = {},
                    const std::string& domain = "") {
    onnx::NodeProto& node = *graph().add_node();
    node.set_op_type(op);
    node.set_name("my" + op);
    node.set_domain(domain);
    node.add_input(at_);
    for (const std::string& other : others) node.add_input(other);
    at_ = op + std::to_string(graph().node_size());
    node.add_output(at_);
    return *this;
  }

  OnnxBuilder& with(const std::string& name, const std::vector<std::int64_t>& values) {
    onnx::AttributeProto& attribute = *last().add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::INTS);
    for (const std::int64_t value : values) attribute.add_ints(value);
    return *this;
  }
  OnnxBuilder& with(const std::string& name, std::int64_t value) {
    onnx::AttributeProto& attribute = *last().add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::INT);
    attribute.set_i(value);
    return *this;
  }

  OnnxBuilder& with(const std::string& name, const std::string& text) {
    onnx::AttributeProto& attribute = *last().add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::STRING);
    attribute.set_s(text);
    return *this;
  }

  /// An extent of the image: a number, or open where it is 0.
  void set_extent(int place, std::int64_t extent) {
    auto& dim = *graph()
                     .mutable_input(0)
                     ->mutable_type()
                     ->mutable_tensor_type()
                     ->mutable_shape()
                     ->mutable_dim(place);
    dim.set_dim_value(extent);
  }

  onnx::NodeProto& last() { return *graph().mutable_node(graph().node_size() - 1); }

  OnnxNetwork read(const OnnxOptions& options = {}, const std::filesystem::path& folder = "") {
    if (graph().output_size() == 0) graph().add_output()->set_name(at_);
    return parse_onnx(model_.SerializeAsString(), "m.onnx", folder, options);
  }

  std::string error(const OnnxOptions& options = {}, const std::filesystem::path& folder = "") {
    return message_of(ExitStatus::kUsage, [&] { read(options, folder); });
  }

 private:
  onnx::ModelProto model_;
  std::string at_ = "image";
};

/// The operations of a graph, in its order.
inline std::vector<Op> ops_of(const Graph& graph) {
  std::vector<Op> ops;
  for (const Node& node : graph.nodes) ops.push_back(node.op);
  return ops;
}

}  // namespace bittern
