#include "host/network/io/onnx/transposed_convolution.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/network/io/onnx/quantised.h"
#include "host/network/io/onnx/slices.h"
#include "host/network/io/onnx/windows.h"

namespace bittern::onnx_io {
namespace {

std::int64_t floor_of(std::int64_t a, std::int64_t b) {
  return a >= 0 ? a / b : -((b - 1 - a) / b);
}

/// One axis of a transposed convolution: input pixel i adds weight k to output pixel
/// i * stride + k * dilation - begin.
///
/// Output pixel stride * q + r, its phase being r, takes input pixels q - j with weight
/// (stride * j + r + begin) / dilation. A convolution over all j from `least` to `most` gives every
/// phase.
struct Axis {
  int in = 1;
  int kernel = 1;
  int stride = 1;
  int dilation = 1;
  std::int64_t begin = 0;  ///< pixels that are cut off before the first
  std::int64_t out = 1;
  std::int64_t least = 0;
  std::int64_t most = 0;

  std::int64_t reach() const { return std::int64_t{kernel - 1} * dilation + 1; }
  std::int64_t taps() const { return most - least + 1; }
  /// The weight that tap t of the convolution has for a phase; nothing where it is 0.
  std::optional<int> weight(std::int64_t tap, std::int64_t phase) const {
    const std::int64_t place = stride * (most - tap) + phase + begin;
    if (place < 0 || place >= reach() || place % dilation != 0) return std::nullopt;
    return static_cast<int>(place / dilation);
  }
  /// Padding before, and rows of the convolution's output before the first that is wanted.
  std::int64_t before() const { return std::max<std::int64_t>(0, most); }
  std::int64_t skipped() const { return std::max<std::int64_t>(0, -most); }
  std::int64_t after() const {
    const std::int64_t rows = (out + stride - 1) / stride + skipped();
    return std::max<std::int64_t>(0, rows + taps() - 1 - in - before());
  }
};

/// Which input pixels any phase takes.
void find_taps(Axis& axis) {
  bool any = false;
  for (std::int64_t phase = 0; phase < axis.stride; ++phase) {
    const std::int64_t low = -floor_of(phase + axis.begin, axis.stride);
    const std::int64_t high = floor_of(axis.reach() - 1 - phase - axis.begin, axis.stride);
    if (low > high) continue;
    axis.least = any ? std::min(axis.least, low) : low;
    axis.most = any ? std::max(axis.most, high) : high;
    any = true;
  }
}

/// The two axes; images with one have one row.
std::array<Axis, 2> axes_of(const FileNode& node, const Shape& in, std::size_t axes,
                            const Dims& kernel) {
  const auto strides = each_axis(node, "strides", axes, 1);
  const auto dilations = each_axis(node, "dilations", axes, 1);
  const std::vector<std::int64_t> more = node.list("output_padding");
  const std::vector<std::int64_t> wanted = node.list("output_shape");
  const std::vector<std::int64_t> pads = node.list("pads");
  const std::string mode = node.text("auto_pad", "NOTSET");
  const bool same = mode == "SAME_UPPER" || mode == "SAME_LOWER";
  if (!same && mode != "NOTSET" && mode != "VALID") {
    node.fail("auto_pad is '" + mode + "', expected NOTSET, SAME_UPPER, SAME_LOWER or VALID");
  }
  if ((!more.empty() && more.size() != axes) || (!wanted.empty() && wanted.size() != axes) ||
      (!pads.empty() && pads.size() != 2 * axes)) {
    node.fail(fmt::format("output_padding, output_shape or pads do not fit {} axes", axes));
  }
  std::array<Axis, 2> all;
  for (std::size_t i = 0; i < axes; ++i) {
    const std::size_t place = i + 2 - axes;
    Axis& axis = all[place];
    axis.in = place == 0 ? in.height : in.width;
    axis.kernel = whole(node, kernel[i + 2], 1, "weights");
    axis.stride = strides[place];
    axis.dilation = dilations[place];
    const int extra = more.empty() ? 0 : whole(node, more[i], 0, "output_padding");
    const std::int64_t all_pixels = std::int64_t{axis.in - 1} * axis.stride + axis.reach() + extra;
    if (!wanted.empty() || same) {
      axis.out = wanted.empty() ? std::int64_t{axis.in} * axis.stride
                                : whole(node, wanted[i], 1, "output_shape");
      const std::int64_t cut = std::max<std::int64_t>(0, all_pixels - axis.out);
      axis.begin = mode == "SAME_UPPER" ? cut / 2 : cut - cut / 2;
    } else {
      const bool padded = mode == "NOTSET" && !pads.empty();
      axis.begin = padded ? whole(node, pads[i], 0, "pads") : 0;
      const std::int64_t end = padded ? whole(node, pads[i + axes], 0, "pads") : 0;
      axis.out = all_pixels - axis.begin - end;
    }
    whole(node, axis.out, 1, "an output");
    find_taps(axis);
  }
  return all;
}

/// The quantiser of the weights with one scale for each output of the convolution.
std::optional<Quantiser> phase_quantiser(const FileNode& node, const Constant& weight, int outputs,
                                         int phases, bool zeros) {
  std::optional<Quantiser> quantiser = weight_quantiser_of(node, weight, 1);
  if (!quantiser) return quantiser;
  for (std::vector<float>* const values : {&quantiser->scale, &quantiser->zero_point}) {
    if (values->size() == 1) continue;
    const std::vector<float> each = *values;
    values->clear();
    for (int o = 0; o < outputs; ++o) {
      values->insert(values->end(), static_cast<std::size_t>(phases),
                     each[static_cast<std::size_t>(o) % each.size()]);
    }
  }
  if (zeros && quantiser->bipolar) {
    node.fail(
        "weights of -1 and +1 with a kernel that its stride does not divide: a convolution that "
        "computes it has weights of 0 as well");
  }
  return quantiser;
}

}  // namespace

void transposed_convolution(Importer& importer, const FileNode& node) {
  const Value value = importer.batched(node, node.input(0));
  const Constant& weight = node.constant(1, "weights");
  const int source = spatial_map(importer, node, value);
  const std::size_t axes = value.dims.size() - 1;
  const Shape in = importer.graph().shape_of(source);
  if (weight.dims.size() != axes + 2 || weight.dims[0] != in.channels) {
    node.fail(fmt::format("weights of {} for an input of {}", dims_text(weight.dims),
                          dims_text(value.dims)));
  }
  const int groups = whole(node, node.integer("group", 1), 1, "group");
  if (in.channels % groups != 0) {
    node.fail(fmt::format("{} channels in {} groups", in.channels, groups));
  }
  const std::array<Axis, 2> axis = axes_of(node, in, axes, weight.dims);
  const Axis& rows = axis[0];
  const Axis& columns = axis[1];
  const int each = whole(node, weight.dims[1], 1, "weights");  // outputs of a group
  const int outputs = whole(node, std::int64_t{each} * groups, 1, "outputs");
  const int phases = whole(node, std::int64_t{rows.stride} * columns.stride, 1, "strides");
  const int inputs = in.channels / groups;

  Node made;
  made.op = Op::kConv;
  made.inputs = {source};
  Attributes& a = made.attributes;
  a.kernel_h = whole(node, rows.taps(), 1, "a kernel");
  a.kernel_w = whole(node, columns.taps(), 1, "a kernel");
  a.pad_top = whole(node, rows.before(), 0, "padding");
  a.pad_bottom = whole(node, rows.after(), 0, "padding");
  a.pad_left = whole(node, columns.before(), 0, "padding");
  a.pad_right = whole(node, columns.after(), 0, "padding");
  a.out_channels = whole(node, std::int64_t{outputs} * phases, 1, "outputs");
  a.groups = groups;
  a.depthwise = groups > 1 && groups == in.channels;
  a.bias = node.has(2);

  const std::vector<float> values = reals_of(node, weight, "weights");
  const Dims dims = {a.out_channels, inputs, a.kernel_h, a.kernel_w};
  std::vector<float> turned(static_cast<std::size_t>(count_of(dims)), 0.0F);
  bool zeros = false;
  std::size_t at = 0;
  for (int o = 0; o < outputs; ++o) {
    for (int phase = 0; phase < phases; ++phase) {
      for (int c = 0; c < inputs; ++c) {
        const std::int64_t plane = std::int64_t{o / each * inputs + c} * each + o % each;
        for (int y = 0; y < a.kernel_h; ++y) {
          for (int x = 0; x < a.kernel_w; ++x, ++at) {
            const auto row = rows.weight(y, phase / columns.stride);
            const auto column = columns.weight(x, phase % columns.stride);
            zeros = zeros || !row || !column;
            if (!row || !column) continue;
            turned[at] = values[static_cast<std::size_t>(
                (plane * rows.kernel + *row) * columns.kernel + *column)];
          }
        }
      }
    }
  }
  if (zeros) {
    const std::int64_t taps = std::int64_t{phases} * a.kernel_h * a.kernel_w;
    importer.note(
        fmt::format("{}: computed as a convolution with a kernel of {}x{} and {} outputs for each "
                    "of its own: {} "
                    "of its {} weights for each input and output are 0",
                    node.where(), a.kernel_h, a.kernel_w, phases,
                    taps - std::int64_t{rows.kernel} * columns.kernel, taps));
  }
  a.quantiser = phase_quantiser(node, weight, outputs, phases, zeros);
  made.name = importer.weight_name(node, node.input(1));
  importer.set_weight(made.name, "weight", dims, std::move(turned));
  if (a.bias) {
    const Constant& bias = node.constant(2, "bias");
    if (bias.count() != outputs) {
      node.fail(fmt::format("{} biases for {} outputs", bias.count(), outputs));
    }
    std::vector<float> biases;
    for (const float number : reals_of(node, bias, "biases")) {
      biases.insert(biases.end(), static_cast<std::size_t>(phases), number);
    }
    importer.set_weight(made.name, "bias", {a.out_channels}, std::move(biases));
  }
  Value out = value;
  out.source = importer.append(node, std::move(made));
  const Shape shape = importer.graph().shape_of(out.source);
  out.dims = {outputs, rows.stride, columns.stride, shape.height, shape.width};
  out = importer.transposed(node, out, {0, 3, 1, 4, 2});
  out.dims = {outputs, std::int64_t{shape.height} * rows.stride,
              std::int64_t{shape.width} * columns.stride};
  out = slice_along(importer, node, out, 1, {rows.skipped() * rows.stride, rows.out, 1});
  out = slice_along(importer, node, out, 2, {columns.skipped() * columns.stride, columns.out, 1});
  if (axes == 1) out.dims.erase(out.dims.begin() + 1);
  importer.set(node, std::move(out));
}

}  // namespace bittern::onnx_io
