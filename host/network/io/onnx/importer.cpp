// Reads a file: its constants, its input, its nodes one after the other, its answer.
#include "host/network/io/onnx/importer.h"

#include <fmt/format.h>

#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "host/base/error.h"
#include "host/base/text.h"
#include "host/network/io/onnx/constants.h"
#include "host/network/io/onnx/op_table.h"
#include "host/network/io/onnx/passes.h"
#include "host/network/io/onnx/schema.h"
#include "host/network/ops.h"

namespace bittern::onnx_io {
namespace {

constexpr std::int64_t kMostExtent = 1 << 24;
constexpr int kLeastOpset = 1;
constexpr int kMostOpset = 22;

std::string quoted(const std::string& text) { return "'" + shortened(printable(text)) + "'"; }

}  // namespace

Importer::Importer(const std::string& file, const std::filesystem::path& folder,
                   const OnnxOptions& options)
    : file_(file), folder_(folder), options_(options) {}

void Importer::read_opsets(const onnx::ModelProto& model) {
  for (const auto& import : model.opset_import()) {
    if (!import.domain().empty() && import.domain() != "ai.onnx") continue;
    if (import.version() < kLeastOpset || import.version() > kMostOpset) {
      fail_usage(
          "{}: operations of opset {}, expected {} to {}: export with another "
          "opset_version, or convert it with onnx.version_converter",
          file_, import.version(), kLeastOpset, kMostOpset);
    }
    opset_ = static_cast<int>(import.version());
  }
  if (opset_ == 0) fail_usage("{}: it does not say which opset of ONNX it uses", file_);
}

void Importer::read_constants(const onnx::GraphProto& graph) {
  for (const onnx::TensorProto& tensor : graph.initializer()) {
    Value value;
    value.name = tensor.name();
    value.constant = std::make_shared<const Constant>(
        read_tensor(tensor, folder_, file_ + ": initialiser " + quoted(tensor.name())));
    if (!values_.emplace(tensor.name(), std::move(value)).second) {
      fail_usage("{}: a second initialiser {}", file_, quoted(tensor.name()));
    }
  }
  if (graph.sparse_initializer_size() > 0) {
    fail_usage("{}: sparse initialisers are not read: store them dense", file_);
  }
  const auto add = [this](const std::string& name, Constant constant) {
    Value value;
    value.name = name;
    value.constant = std::make_shared<const Constant>(std::move(constant));
    values_[name] = std::move(value);
  };
  for (const auto& [name, tensor] : options_.inputs) {
    add(name, real_constant(tensor.shape, tensor.values));
  }
  for (const auto& [name, tensor] : options_.integer_inputs) {
    Constant constant = integer_constant(tensor.shape, tensor.values);
    constant.type = tensor.type;
    add(name, std::move(constant));
  }
}

void Importer::read_input(const onnx::GraphProto& graph) {
  std::vector<const onnx::ValueInfoProto*> open;
  for (const onnx::ValueInfoProto& input : graph.input()) {
    if (!options_.input.empty() && input.name() == options_.input) return take_image(input);
    if (values_.count(input.name()) == 0) open.push_back(&input);
  }
  std::string names;
  for (const auto* input : open) names += (names.empty() ? "" : ", ") + quoted(input->name());
  if (!options_.input.empty()) {
    fail_usage("{}: it has no input {}; there are: {}", file_, quoted(options_.input), names);
  }
  if (open.empty()) fail_usage("{}: it has no input for images", file_);
  if (open.size() > 1) {
    fail_usage(
        "{}: {} inputs without values ({}): a network takes one image; give the others as "
        "initialisers",
        file_, open.size(), names);
  }
  take_image(*open[0]);
}

void Importer::take_image(const onnx::ValueInfoProto& input) {
  const std::string what = file_ + ": input " + quoted(input.name());
  if (!input.type().has_tensor_type() || !input.type().tensor_type().has_shape()) {
    fail_usage("{}: its shape is not stated: export with the shape of the image", what);
  }
  const auto& type = input.type().tensor_type();
  Dims dims;
  for (const auto& dim : type.shape().dim()) {
    const bool fixed = dim.has_dim_value() && dim.dim_value() > 0;
    if (!fixed && !dims.empty()) {
      fail_usage("{}: extent {} {} is not fixed: export with the size of the image", what,
                 dims.size(), dim.dim_param().empty() ? "" : quoted(dim.dim_param()));
    }
    dims.push_back(fixed ? dim.dim_value() : 1);
    if (dims.back() > kMostExtent) fail_usage("{}: an extent of {}", what, dims.back());
  }
  try {
    count_of(dims);
  } catch (const Error& error) {
    fail_usage("{}: {}", what, error.what());
  }
  const std::set<int> reals = {onnx::TensorProto::FLOAT, onnx::TensorProto::FLOAT16,
                               onnx::TensorProto::BFLOAT16, onnx::TensorProto::DOUBLE};
  // Exporters give images as bytes in wider integers too.
  const std::set<int> whole = {onnx::TensorProto::UINT8, onnx::TensorProto::INT32,
                               onnx::TensorProto::INT64};
  const bool bytes = whole.count(type.elem_type()) > 0;
  if (!bytes && reals.count(type.elem_type()) == 0) {
    fail_usage(
        "{}: images of element type {}, expected real numbers or bytes (uint8, int32, int64)", what,
        type.elem_type());
  }
  if (type.elem_type() != onnx::TensorProto::FLOAT && !bytes) {
    note("the file computes with another type than 32-bit floats; Bittern with these");
  }
  Value image;
  image.batched = !options_.one_image && !dims.empty();
  if (image.batched) {
    batch_ = dims[0];
    dims.erase(dims.begin());
  }
  if (dims.size() == 3 && dims[0] > 4 && dims[2] <= 4) {
    note(
        fmt::format("images of {}: the file seems to have channels last; they are taken as "
                    "channels x height x width, as the file states",
                    dims_text(dims)));
  }
  image.dims = dims;
  graph_.input = map_shape(dims);
  graph_.signed_input = options_.signed_input;
  if (bytes || !options_.mean.empty()) {
    const auto channels = static_cast<std::size_t>(graph_.input.channels);
    Node node;
    node.op = Op::kNormalise;
    node.inputs = {kImage};
    node.where = what;
    node.attributes.mean = options_.mean.empty() ? std::vector<double>(channels) : options_.mean;
    node.attributes.deviation =
        options_.deviation.empty() ? std::vector<double>(channels, 1.0) : options_.deviation;
    if (bytes) {
      for (double& deviation : node.attributes.deviation) deviation /= 255.0;
      note("images are integers in the file; Bittern's 0 to 1 are multiplied by 255");
    }
    try {
      image.source = add_node(graph_, std::move(node));
    } catch (const Error& error) {
      fail_usage("{}: --mean and --deviation: {}", what, error.what());
    }
  }
  image.bytes = bytes;
  values_[input.name()] = std::move(image);
}

void Importer::lower(const onnx::GraphProto& graph) {
  // Only what the answer depends on; the rest may be anything.
  std::map<std::string, int> producer;
  for (int i = 0; i < graph.node_size(); ++i) {
    for (const std::string& output : graph.node(i).output()) {
      if (output.empty() || producer.emplace(output, i).second) continue;
      FileNode(*this, graph.node(i), i).fail("a second tensor called " + quoted(output));
    }
  }
  std::vector<bool> needed(static_cast<std::size_t>(graph.node_size()), false);
  std::vector<std::string> open = {answer_};
  while (!open.empty()) {
    const std::string name = open.back();
    open.pop_back();
    ++uses_[name];
    const auto found = producer.find(name);
    if (found == producer.end() || needed[static_cast<std::size_t>(found->second)]) continue;
    needed[static_cast<std::size_t>(found->second)] = true;
    for (const std::string& input : graph.node(found->second).input()) open.push_back(input);
  }
  for (int i = 0; i < graph.node_size(); ++i) {
    if (!needed[static_cast<std::size_t>(i)]) continue;
    const onnx::NodeProto& proto = graph.node(i);
    const FileNode node(*this, proto, i);
    const OnnxOp* const op = find_op(proto);
    if (op == nullptr) {
      node.fail("this operation is not supported: " + advice_for(proto.op_type()) +
                "; or take an earlier tensor as the answer (--output NAME)");
    }
    try {
      lower_node(node, *op);
    } catch (const Error& error) {
      // What is wrong with extents is found where no node is known.
      const std::string message = error.what();
      if (error.status() != ExitStatus::kUsage || message.rfind(file_ + ":", 0) == 0) throw;
      node.fail(message);
    }
  }
}

void Importer::lower_node(const FileNode& node, const OnnxOp& op) {
  const std::string& name = node.op();
  if (domain_of(node.proto()).empty()) check_schema(node, node.proto(), opset_);
  bool known = true;
  for (std::size_t input = 0; input < node.inputs(); ++input) {
    if (node.has(input)) known = node.input(input).known() && known;
  }
  if (known && compute_constant(*this, node)) return;
  if (op.lower == nullptr || known) {
    node.fail(op.lower == nullptr
                  ? "its inputs depend on the image, expected constants"
                  : "all its inputs are constants, which this operation is not folded for: run "
                    "the file through a simplifier");
  }
  for (std::size_t input = 0; input < node.inputs(); ++input) {
    if (node.has(input) && node.input(input).codes && !takes_codes(name)) {
      node.fail(
          "it computes with the codes of a QuantizeLinear: expected DequantizeLinear "
          "before it");
    }
    if (node.has(input) && node.input(input).bytes && !takes_bytes(name)) {
      node.fail(
          "arithmetic on integers is not computed: expected Cast or DequantizeLinear before it");
    }
  }
  op.lower(*this, node);
}

void Importer::drop_unused_weights() {
  std::set<std::string> kept;
  for (const Node& node : graph_.nodes) {
    for (const std::string& tensor : op_info(node.op).tensors) {
      kept.insert(node.name + "." + tensor);
    }
  }
  for (auto it = weights_.begin(); it != weights_.end();) {
    it = kept.count(it->first) > 0 ? std::next(it) : weights_.erase(it);
  }
}

void Importer::finish(const onnx::GraphProto& graph) {
  const std::string& name = answer_;
  const Value* const answer = find(name);
  if (answer == nullptr) {
    fail_usage("{}: no node gives the output {}", file_, quoted(name));
  }
  if (answer->known())
    fail_usage("{}: output {} does not depend on the image", file_, quoted(name));
  if (answer->codes) {
    fail_usage(
        "{}: output {} are codes of QuantizeLinear: end with their DequantizeLinear, or "
        "before",
        file_, quoted(name));
  }
  if (options_.output.empty() && graph.output_size() > 1) {
    note(fmt::format("the file has {} outputs: {} is taken as the answer (--output chooses)",
                     graph.output_size(), quoted(name)));
  }
  graph_.output = answer->source;
  const Shape wanted = map_shape(answer->dims);
  if (graph_.shape_of(answer->source) == wanted) return;
  Node last;
  last.op = wanted.height == 1 && wanted.width == 1 ? Op::kFlatten : Op::kRearrange;
  if (last.op == Op::kRearrange) {
    last.attributes.shape = {wanted.channels, wanted.height, wanted.width};
  }
  last.inputs = {answer->source};
  last.where = file_ + ": output " + quoted(name);
  add_node(graph_, std::move(last));
}

OnnxNetwork Importer::import(const onnx::ModelProto& model) {
  if (!model.has_graph()) fail_usage("{}: it holds no graph: no ONNX model", file_);
  const onnx::GraphProto& graph = model.graph();
  if (graph.output_size() == 0) fail_usage("{}: it has no output", file_);
  answer_ = options_.output.empty() ? graph.output(0).name() : options_.output;
  read_opsets(model);
  read_constants(graph);
  read_input(graph);
  lower(graph);
  finish(graph);
  graph_ = tidied(graph_, weights_);
  drop_unused_weights();
  OnnxNetwork network;
  network.answer = find(answer_)->dims;
  network.graph = std::move(graph_);
  network.weights = std::move(weights_);
  network.notes = std::move(notes_);
  return network;
}

}  // namespace bittern::onnx_io
