// What lowerings use of the importer: nodes, values and weights.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <memory>
#include <utility>

#include "host/base/error.h"
#include "host/base/text.h"
#include "host/network/io/onnx/importer.h"
#include "host/network/io/onnx/passes.h"
#include "host/network/layer_name.h"

namespace bittern::onnx_io {
namespace {

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
    node.fail("a second tensor called '" + shortened(printable(name)) + "'");
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

}  // namespace bittern::onnx_io
