#include "host/network/io/onnx/importer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>
#include <utility>

#include "host/base/error.h"
#include "host/base/text.h"
#include "host/network/io/onnx/passes.h"
#include "host/network/io/onnx/schema.h"
#include "host/network/layer_name.h"
#include "host/network/ops.h"

namespace bittern::onnx_io {
namespace {

constexpr std::int64_t kMostExtent = 1 << 24;
constexpr int kLeastOpset = 1;
constexpr int kMostOpset = 21;

std::string quoted(const std::string& text) { return "'" + shortened(printable(text)) + "'"; }

/// ONNX's own domain has two names.
std::string domain_of(const onnx::NodeProto& node) {
  return node.domain() == "ai.onnx" ? "" : node.domain();
}

const OnnxOp* find_op(const onnx::NodeProto& node) {
  // QONNX's operations have been kept under several names.
  static const std::set<std::string> kQuantDomains = {"qonnx.custom_op.general", "onnx.brevitas",
                                                      "finn.custom_op.general", "finn"};
  std::string domain = domain_of(node);
  if (kQuantDomains.count(domain) > 0) domain = "qonnx.custom_op.general";
  for (const auto* const ops : {&layer_ops(), &value_ops(), &shape_ops(), &quant_ops()}) {
    for (const OnnxOp& op : *ops) {
      if (domain == op.domain && node.op_type() == op.name) return &op;
    }
  }
  return nullptr;
}

/// Whether an operation may stand between QuantizeLinear and DequantizeLinear: those that move
/// values, and a bound for them.
bool takes_codes(const std::string& op) {
  static const std::set<std::string> kOps = {
      "DequantizeLinear", "Clip",      "MaxPool", "Reshape", "Flatten", "Squeeze",
      "Unsqueeze",        "Transpose", "Shape",   "Slice",   "Identity"};
  return kOps.count(op) > 0;
}

/// What can be done about an operation that is not known.
std::string advice(const std::string& op) {
  static const std::map<std::string, std::string> kAdvice = {
      {"ConvTranspose", "write an upsampling (Resize, nearest) and a convolution instead"},
      {"Sigmoid", "only piecewise linear activations are computed: train with ReLU or ReLU6"},
      {"HardSigmoid", "products of two activations are not computed: train with ReLU or ReLU6"},
      {"HardSwish", "only piecewise linear activations are computed: train with ReLU or ReLU6"},
      {"Tanh", "only piecewise linear activations are computed: train with ReLU or ReLU6"},
      {"Erf", "only piecewise linear activations are computed: train with ReLU or ReLU6"},
      {"Gelu", "only piecewise linear activations are computed: train with ReLU or ReLU6"},
      {"LeakyRelu", "train with ReLU or ReLU6"},
      {"PRelu", "train with ReLU or ReLU6"},
      {"Elu", "train with ReLU or ReLU6"},
      {"Selu", "train with ReLU or ReLU6"},
      {"Softplus", "train with ReLU or ReLU6"},
      {"LRN", "train with batch normalisation instead"},
      {"InstanceNormalization", "its mean depends on the image: train with batch normalisation"},
      {"LayerNormalization", "its mean depends on the image: train with batch normalisation"},
      {"GroupNormalization", "its mean depends on the image: train with batch normalisation"},
      {"LSTM", "recurrent networks are not computed"},
      {"GRU", "recurrent networks are not computed"},
      {"RNN", "recurrent networks are not computed"},
      {"Loop", "export without control flow (torch.jit.trace)"},
      {"If", "export without control flow (torch.jit.trace)"},
      {"Scan", "export without control flow (torch.jit.trace)"},
      {"ArgMax", "end the network with its logits"},
      {"TopK", "end the network with its logits"},
      {"QLinearConv", "export the quantised network as QDQ (QuantizeLinear, DequantizeLinear)"},
      {"QLinearMatMul", "export the quantised network as QDQ (QuantizeLinear, DequantizeLinear)"},
      {"QLinearAdd", "export the quantised network as QDQ (QuantizeLinear, DequantizeLinear)"},
      {"ConvInteger", "export the quantised network as QDQ (QuantizeLinear, DequantizeLinear)"},
      {"MatMulInteger", "export the quantised network as QDQ (QuantizeLinear, DequantizeLinear)"},
      {"DynamicQuantizeLinear", "export with static quantisation"},
  };
  const auto found = kAdvice.find(op);
  return found != kAdvice.end() ? found->second : "bittern import --ops lists those that are";
}

/// Whether mean and deviation are numbers that a network file may have.
bool can_normalise(const std::vector<double>& scales, const std::vector<double>& shifts) {
  constexpr double kMost = 1e6;
  for (std::size_t c = 0; c < scales.size(); ++c) {
    const bool fits =
        scales[c] > 1 / kMost && scales[c] < kMost && std::abs(shifts[c] / scales[c]) < kMost;
    if (!fits) return false;
  }
  return true;
}

}  // namespace

Shape map_shape(const Dims& dims) {
  const auto whole = [](std::int64_t extent) { return static_cast<int>(extent); };
  switch (dims.size()) {
    case 0:
      return {1, 1, 1};
    case 1:
      return {whole(dims[0]), 1, 1};
    case 2:
      return {whole(dims[0]), 1, whole(dims[1])};
    default:
      break;
  }
  std::int64_t middle = 1;
  for (std::size_t i = 1; i + 1 < dims.size(); ++i) middle *= dims[i];
  return {whole(dims.front()), whole(middle), whole(dims.back())};
}

Importer::Importer(const std::string& file, const std::filesystem::path& folder,
                   const OnnxOptions& options)
    : file_(file), folder_(folder), options_(options) {}

const Value* Importer::find(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? nullptr : &found->second;
}

int Importer::append(const FileNode& from, Node node) {
  node.where = from.where();
  try {
    return add_node(graph_, std::move(node));
  } catch (const Error& error) {
    from.fail(error.what());
  }
}

void Importer::set(const FileNode& node, Value value, int output) {
  if (output >= node.proto().output_size()) node.fail(fmt::format("output {} is missing", output));
  const std::string& name = node.proto().output(output);
  if (!values_.emplace(name, std::move(value)).second) {
    node.fail("a second tensor called " + quoted(name));
  }
}

void Importer::set_constant(const FileNode& node, Constant constant, int output) {
  Value value;
  value.constant = std::make_shared<const Constant>(std::move(constant));
  set(node, std::move(value), output);
}

Dims Importer::full(const Value& value) const {
  if (value.known()) return value.constant->dims;
  Dims dims = value.dims;
  if (value.batched) dims.insert(dims.begin(), batch_);
  return dims;
}

Value Importer::with_full(const FileNode& node, Value value, const Dims& full) const {
  if (value.batched && !full.empty() && full[0] == batch_) {
    value.dims.assign(full.begin() + 1, full.end());
    return value;
  }
  if (batch_ != 1) {
    node.fail(fmt::format("extents {} would mix the {} images of a batch: export with a batch of 1",
                          dims_text(full), batch_));
  }
  value.batched = !full.empty() && full[0] == 1;
  value.dims.assign(full.begin() + (value.batched ? 1 : 0), full.end());
  return value;
}

Value Importer::batched(const FileNode& node, Value value) const {
  if (value.batched) return value;
  if (value.dims.empty() || value.dims[0] != 1) {
    node.fail(fmt::format("extents {}: expected the images of a batch as the first one",
                          dims_text(value.dims)));
  }
  value.batched = true;
  value.dims.erase(value.dims.begin());
  return value;
}

Value Importer::one_image(const FileNode& node, Value value) const {
  if (!value.batched) return value;
  if (batch_ != 1) {
    node.fail(fmt::format("it mixes the {} images of a batch: export with a batch of 1", batch_));
  }
  value.batched = false;
  value.dims.insert(value.dims.begin(), 1);
  return value;
}

int Importer::shaped(const FileNode& node, const Value& value, const Shape& shape) {
  if (graph_.shape_of(value.source) == shape) return value.source;
  Node made;
  made.inputs = {value.source};
  if (shape.height == 1 && shape.width == 1) {
    made.op = Op::kFlatten;
  } else {
    made.op = Op::kRearrange;
    made.attributes.shape = {shape.channels, shape.height, shape.width};
  }
  return append(node, std::move(made));
}

int Importer::shaped(const FileNode& node, const Value& value) {
  return shaped(node, value, map_shape(value.dims));
}

Value Importer::transposed(const FileNode& node, const Value& value,
                           const std::vector<int>& order) {
  Value out = value;
  out.dims.clear();
  std::vector<int> moving;  // extents of 1 may go anywhere
  for (const int axis : order) {
    const std::int64_t extent = value.dims[static_cast<std::size_t>(axis)];
    out.dims.push_back(extent);
    if (extent != 1) moving.push_back(axis);
  }
  if (std::is_sorted(moving.begin(), moving.end())) return out;
  Node made;
  made.op = Op::kRearrange;
  made.inputs = {value.source};
  const Shape shape = map_shape(out.dims);
  made.attributes.shape = {shape.channels, shape.height, shape.width};
  // Without the extents of 1.
  std::map<int, int> place;
  for (std::size_t i = 0; i < value.dims.size(); ++i) {
    if (value.dims[i] == 1) continue;
    place.emplace(static_cast<int>(i), static_cast<int>(place.size()));
    made.attributes.view.push_back(static_cast<int>(value.dims[i]));
  }
  for (const int axis : moving) made.attributes.order.push_back(place.at(axis));
  out.source = append(node, std::move(made));
  return out;
}

Value Importer::affine(const FileNode& node, const Value& value, const std::vector<double>& scale,
                       const std::vector<double>& shift, const std::string& name) {
  // The same for all values: whatever channels the map has.
  const bool uniform = scale.size() == 1 && shift.size() == 1;
  Value out = value;
  Node made;
  made.inputs = {uniform ? value.source : shaped(node, value)};
  const auto channels = static_cast<std::size_t>(graph_.shape_of(made.inputs[0]).channels);
  const auto all = [channels](const std::vector<double>& values) {
    return values.size() == 1 ? std::vector<double>(channels, values[0]) : values;
  };
  const std::vector<double> scales = all(scale);
  const std::vector<double> shifts = all(shift);
  const bool positive =
      std::all_of(scales.begin(), scales.end(), [](double s) { return s > 0 && std::isfinite(s); });
  if (made.inputs[0] == kImage && positive && can_normalise(scales, shifts)) {
    made.op = Op::kNormalise;
    for (std::size_t c = 0; c < channels; ++c) {
      made.attributes.mean.push_back(-shifts[c] / scales[c]);
      made.attributes.deviation.push_back(1.0 / scales[c]);
    }
    out.source = append(node, std::move(made));
    return out;
  }
  made.op = Op::kBatchNorm;
  made.name = name;
  made.attributes.epsilon = kNoEpsilon;
  std::vector<float> weights(channels);
  std::vector<float> biases(channels);
  for (std::size_t c = 0; c < channels; ++c) {
    weights[c] = static_cast<float>(scales[c]);
    biases[c] = static_cast<float>(shifts[c]);
  }
  const auto extent = static_cast<std::int64_t>(channels);
  set_weight(name, "weight", {extent}, std::move(weights));
  set_weight(name, "bias", {extent}, std::move(biases));
  set_weight(name, "running_mean", {extent}, std::vector<float>(channels, 0.0F));
  set_weight(name, "running_var", {extent}, std::vector<float>(channels, 1.0F));
  out.source = append(node, std::move(made));
  return out;
}

Value Importer::spread_affine(const FileNode& node, Value value, const Spread& scale,
                              const Spread& shift, const std::string& name) {
  const Dims dims = value.dims;
  if (scale.each || shift.each) {
    // A channel for each value.
    value.dims = {count_of(dims)};
    value.source = shaped(node, value);
  }
  Value out = affine(node, value, scale.values, shift.values, name);
  out.dims = dims;
  return out;
}

std::string Importer::weight_name(const FileNode& node, const Value& weight) {
  const auto letters = [](const std::string& text) {
    return std::any_of(text.begin(), text.end(),
                       [](unsigned char c) { return std::isalpha(c) != 0; });
  };
  // Exporters call tensors after what they belong to, or number them.
  std::string name = weight.name;
  for (const char* ending : {".weight", "_weight", ".weights", "/weights", ".scale", ".gamma"}) {
    const std::string end = ending;
    if (name.size() > end.size() && name.compare(name.size() - end.size(), end.size(), end) == 0) {
      name.resize(name.size() - end.size());
      break;
    }
  }
  if (!letters(name) || name.rfind("onnx::", 0) == 0) name = node.proto().name();
  if (!letters(name)) {
    name = node.op();
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  }
  std::string clean;
  for (const char c : printable(name)) clean += c == ',' ? '_' : c;
  constexpr std::size_t kMostLength = 150;
  if (clean.size() > kMostLength) clean.resize(kMostLength);
  if (!layer_name_fault(clean).empty()) clean = node.op();
  name = clean;
  for (int i = 2; !names_.insert(name).second; ++i) name = fmt::format("{}_{}", clean, i);
  return name;
}

void Importer::set_weight(const std::string& node, const char* tensor, Dims dims,
                          std::vector<float> values) {
  for (const float value : values) {
    if (!std::isfinite(value)) {
      fail_usage("{}: {} of '{}' holds {}: the network had diverged, or the file is damaged", file_,
                 tensor, node, value);
    }
  }
  weights_[node + "." + tensor] = Tensor{std::move(dims), std::move(values)};
}

void Importer::note(std::string text) {
  if (std::find(notes_.begin(), notes_.end(), text) == notes_.end()) {
    notes_.push_back(std::move(text));
  }
}

bool Importer::is_answer(const std::string& name) const {
  const auto found = uses_.find(name);
  return name == answer_ && found != uses_.end() && found->second == 1;
}

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
  count_of(dims);
  const std::set<int> reals = {onnx::TensorProto::FLOAT, onnx::TensorProto::FLOAT16,
                               onnx::TensorProto::BFLOAT16, onnx::TensorProto::DOUBLE};
  const bool bytes = type.elem_type() == onnx::TensorProto::UINT8;
  if (!bytes && reals.count(type.elem_type()) == 0) {
    fail_usage("{}: images of element type {}, expected real numbers or bytes", what,
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
      note("images are bytes in the file; Bittern's 0 to 1 are multiplied by 255");
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
    for (const std::string& output : graph.node(i).output()) producer.emplace(output, i);
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
      node.fail("this operation is not supported: " + advice(proto.op_type()) +
                "; or take an earlier tensor as the answer (--output NAME)");
    }
    if (domain_of(proto).empty()) check_schema(node, proto, opset_);
    bool known = true;
    for (std::size_t input = 0; input < node.inputs(); ++input) {
      if (node.has(input)) known = node.input(input).known() && known;
    }
    if (known && compute_constant(*this, node)) continue;
    if (op->lower == nullptr || known) {
      node.fail(op->lower == nullptr
                    ? "its inputs depend on the image, expected constants"
                    : "all its inputs are constants, which this operation is not folded for: run "
                      "the file through a simplifier");
    }
    for (std::size_t input = 0; input < node.inputs(); ++input) {
      if (node.has(input) && node.input(input).codes && !takes_codes(proto.op_type())) {
        node.fail(
            "it computes with the codes of a QuantizeLinear: expected DequantizeLinear "
            "before it");
      }
      if (node.has(input) && node.input(input).bytes && proto.op_type() != "Cast" &&
          !takes_codes(proto.op_type())) {
        node.fail(
            "arithmetic on bytes is not computed: expected Cast or DequantizeLinear before it");
      }
    }
    op->lower(*this, node);
  }
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
  const Shape& shape = graph_.shape_of(answer->source);
  if (answer->dims.size() <= 1 && (shape.height != 1 || shape.width != 1)) {
    Node flat;
    flat.op = Op::kFlatten;
    flat.inputs = {answer->source};
    flat.where = file_ + ": output " + quoted(name);
    add_node(graph_, std::move(flat));
  }
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
