// Constants whose values are moved, taken or repeated.
#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "host/network/io/onnx/constant_rules.h"
#include "host/network/io/onnx/extents.h"
#include "host/network/io/onnx/spread.h"

namespace bittern::onnx_io {
namespace {

Constant literal(const FileNode& node) {
  if (node.attribute("value") != nullptr) return node.tensor("value");
  if (node.attribute("value_float") != nullptr) {
    return real_constant({}, {static_cast<float>(node.real("value_float", 0))});
  }
  if (node.attribute("value_int") != nullptr) {
    return integer_constant({}, {node.integer("value_int", 0)});
  }
  if (node.attribute("value_ints") != nullptr) {
    std::vector<std::int64_t> values = node.list("value_ints");
    const auto count = static_cast<std::int64_t>(values.size());
    return integer_constant({count}, std::move(values));
  }
  if (const auto* const floats = node.attribute("value_floats")) {
    return real_constant({floats->floats_size()},
                         {floats->floats().begin(), floats->floats().end()});
  }
  node.fail("a constant that is neither numbers nor integers");
}

Constant filled(const FileNode& node) {
  const Dims dims = node.integers(0, "shape");
  const std::int64_t count = checked_count(node, dims);
  Constant value = real_constant({1}, {0.0F});
  if (node.attribute("value") != nullptr) value = node.tensor("value");
  if (value.count() != 1) node.fail("its value is one number");
  Constant out = like(value, dims);
  for (std::int64_t i = 0; i < count; ++i) push(out, value, 0);
  return out;
}

Constant same(const FileNode& node) { return node.constant(0, "input"); }

Constant shape(const FileNode& node) {
  return shape_constant(node, node.constant(0, "input").dims);
}

Constant size(const FileNode& node) {
  return integer_constant({}, {node.constant(0, "input").count()});
}

/// A quantiser's scales seen with other extents; nothing where they are one for each channel and
/// the extents cannot be followed.
void relabel(Constant& constant) {
  if (!constant.quantiser) return;
  ConstantQuantiser& q = *constant.quantiser;
  if (q.scale.size() == 1) q.scale_dims = {};
  if (q.zero.size() == 1) q.zero_dims = {};
  if (q.scale.size() != 1 || q.zero.size() != 1) constant.quantiser.reset();
}

/// What is known of extents that change without values moving.
Constant reshaped(const FileNode& node) {
  Constant out = node.constant(0, "input");
  out.dims = dims_with_same_values(node, out.dims);
  relabel(out);
  return out;
}

Constant transpose(const FileNode& node) {
  const Constant& from = node.constant(0, "input");
  const std::vector<std::int64_t> order = transpose_order(node, from.dims.size());
  Constant out = like(from, transposed_dims(node, from.dims, order));
  Dims strides(from.dims.size(), 1);
  for (std::size_t i = from.dims.size(); i-- > 1;) strides[i - 1] = strides[i] * from.dims[i];
  Dims at(from.dims.size(), 0);
  for (std::int64_t n = 0; n < from.count(); ++n) {
    std::int64_t index = 0;
    for (std::size_t i = 0; i < at.size(); ++i) {
      index += at[i] * strides[static_cast<std::size_t>(order[i])];
    }
    push(out, from, index);
    for (std::size_t i = at.size(); i-- > 0;) {
      if (++at[i] < out.dims[i]) break;
      at[i] = 0;
    }
  }
  if (from.quantiser) {
    // Scales have one extent above 1 at most, so that their values keep their order.
    ConstantQuantiser q = *from.quantiser;
    if (!q.scale_dims.empty()) q.scale_dims = transposed_dims(node, q.scale_dims, order);
    if (!q.zero_dims.empty()) q.zero_dims = transposed_dims(node, q.zero_dims, order);
    out.quantiser = std::move(q);
  }
  return out;
}

Constant concat(const FileNode& node) {
  const Constant& first = node.constant(0, "input");
  const std::size_t axis = node.axis(node.integer("axis", 0), first.dims.size());
  Dims dims = first.dims;
  dims[axis] = 0;
  std::vector<const Constant*> parts;
  for (std::size_t i = 0; i < node.inputs(); ++i) {
    const Constant& part = node.constant(i, "input");
    Dims others = part.dims;
    if (others.size() != dims.size() || part.integer != first.integer)
      node.fail("parts do not fit");
    dims[axis] += others[axis];
    others[axis] = first.dims[axis];
    if (others != first.dims) node.fail("parts do not fit");
    parts.push_back(&part);
  }
  checked_count(node, dims);
  Constant out = like(first, dims);
  std::int64_t outer = 1;
  std::int64_t inner = 1;
  for (std::size_t i = 0; i < dims.size(); ++i)
    (i < axis ? outer : inner) *= i == axis ? 1 : dims[i];
  for (std::int64_t o = 0; o < outer; ++o) {
    for (const Constant* part : parts) {
      const std::int64_t block = part->dims[axis] * inner;
      for (std::int64_t i = 0; i < block; ++i) push(out, *part, o * block + i);
    }
  }
  return out;
}

Constant gather(const FileNode& node) {
  const Constant& from = node.constant(0, "input");
  const Constant& where = node.constant(1, "indices");
  if (!where.integer || from.dims.empty()) node.fail("indices are integers, into a tensor");
  const std::size_t axis = node.axis(node.integer("axis", 0), from.dims.size());
  Dims dims(from.dims.begin(), from.dims.begin() + static_cast<std::ptrdiff_t>(axis));
  dims.insert(dims.end(), where.dims.begin(), where.dims.end());
  dims.insert(dims.end(), from.dims.begin() + static_cast<std::ptrdiff_t>(axis) + 1,
              from.dims.end());
  checked_count(node, dims);
  Constant out = like(from, dims);
  std::int64_t outer = 1;
  std::int64_t inner = 1;
  for (std::size_t i = 0; i < axis; ++i) outer *= from.dims[i];
  for (std::size_t i = axis + 1; i < from.dims.size(); ++i) inner *= from.dims[i];
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t index : where.integers) {
      if (index < 0) index += from.dims[axis];
      if (index < 0 || index >= from.dims[axis]) node.fail("an index beyond the tensor");
      for (std::int64_t i = 0; i < inner; ++i) {
        push(out, from, (o * from.dims[axis] + index) * inner + i);
      }
    }
  }
  return out;
}

Constant expand(const FileNode& node) {
  const Constant& from = node.constant(0, "input");
  const Dims dims = joint_dims(node, from.dims, node.integers(1, "shape"));
  checked_count(node, dims);
  Constant out = like(from, dims);
  for (const std::int64_t index : spread_indices(dims, from.dims)) push(out, from, index);
  return out;
}

Constant sliced(const FileNode& node) {
  const Constant& from = node.constant(0, "input");
  const std::vector<SliceAxis> axes = slice_axes(node, from.dims);
  Constant out = like(from, {});
  for (const SliceAxis& axis : axes) out.dims.push_back(axis.count);
  Dims at(axes.size(), 0);
  const std::int64_t count = count_of(out.dims);
  for (std::int64_t n = 0; n < count; ++n) {
    std::int64_t index = 0;
    for (std::size_t i = 0; i < axes.size(); ++i) {
      index = index * from.dims[i] + axes[i].begin + at[i] * axes[i].step;
    }
    push(out, from, index);
    for (std::size_t i = at.size(); i-- > 0;) {
      if (++at[i] < out.dims[i]) break;
      at[i] = 0;
    }
  }
  return out;
}

}  // namespace

const std::vector<ConstantRule>& movement_rules() {
  static const std::vector<ConstantRule> kRules = {
      {"Constant", literal},    {"ConstantOfShape", filled},
      {"Identity", same},       {"Dropout", same},
      {"Shape", shape},         {"Size", size},
      {"Transpose", transpose}, {"Concat", concat},
      {"Gather", gather},       {"Expand", expand},
      {"Reshape", reshaped},    {"Flatten", reshaped},
      {"Squeeze", reshaped},    {"Unsqueeze", reshaped},
      {"Slice", sliced},
  };
  return kRules;
}

}  // namespace bittern::onnx_io
