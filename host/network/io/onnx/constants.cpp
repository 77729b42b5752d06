// Computes the nodes whose inputs are all known: what exporters write around shapes, and arithmetic
// on weights.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "host/base/error.h"
#include "host/network/io/onnx/importer.h"

namespace bittern::onnx_io {
namespace {

constexpr std::int64_t kMostValues = std::int64_t{1} << 28;

std::int64_t checked_count(const FileNode& node, const Dims& dims) {
  const std::int64_t count = count_of(dims);
  if (count > kMostValues) node.fail(fmt::format("a constant of {}", dims_text(dims)));
  return count;
}

/// A constant of the same kind without values.
Constant like(const Constant& from, Dims dims) {
  Constant out;
  out.dims = std::move(dims);
  out.integer = from.integer;
  out.type = from.type;
  return out;
}

void push(Constant& to, const Constant& from, std::int64_t index) {
  const auto i = static_cast<std::size_t>(index);
  if (to.integer) {
    to.integers.push_back(from.integers[i]);
  } else {
    to.reals.push_back(from.reals[i]);
  }
}

/// Extents of two tensors that are spread over one another.
Dims joint_dims(const FileNode& node, const Dims& a, const Dims& b) {
  Dims out(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto extent = [&](const Dims& dims) {
      return i + dims.size() < out.size() ? 1 : dims[i + dims.size() - out.size()];
    };
    if (extent(a) != extent(b) && extent(a) != 1 && extent(b) != 1) {
      node.fail(fmt::format("extents {} and {} do not fit", dims_text(a), dims_text(b)));
    }
    out[i] = extent(a) == 1 ? extent(b) : extent(a);
  }
  return out;
}

/// Visits every place of a tensor of `dims` with the index that it has in one of `inner`, which is
/// spread over it.
std::vector<std::int64_t> spread_indices(const Dims& dims, const Dims& inner) {
  const std::int64_t count = count_of(dims);
  std::vector<std::int64_t> strides(dims.size(), 0);
  std::int64_t stride = 1;
  for (std::size_t i = inner.size(); i-- > 0;) {
    const std::size_t place = i + dims.size() - inner.size();
    strides[place] = inner[i] == 1 ? 0 : stride;
    stride *= inner[i];
  }
  std::vector<std::int64_t> indices;
  indices.reserve(static_cast<std::size_t>(count));
  Dims at(dims.size(), 0);
  std::int64_t index = 0;
  for (std::int64_t n = 0; n < count; ++n) {
    indices.push_back(index);
    for (std::size_t i = dims.size(); i-- > 0;) {
      index += strides[i];
      if (++at[i] < dims[i]) break;
      index -= strides[i] * dims[i];
      at[i] = 0;
    }
  }
  return indices;
}

/// Sums and products of 64-bit integers wrap around, as ONNX leaves open and C++ does not.
std::int64_t wrapped(char what, std::int64_t a, std::int64_t b) {
  const auto x = static_cast<std::uint64_t>(a);
  const auto y = static_cast<std::uint64_t>(b);
  return static_cast<std::int64_t>(what == '+' ? x + y : what == '-' ? x - y : x * y);
}

Constant binary(const FileNode& node) {
  const Constant& a = node.constant(0, "input");
  const Constant& b = node.constant(1, "input");
  const Dims dims = joint_dims(node, a.dims, b.dims);
  checked_count(node, dims);
  const auto from_a = spread_indices(dims, a.dims);
  const auto from_b = spread_indices(dims, b.dims);
  const std::string& op = node.op();
  const bool comparison = op == "Equal" || op == "Less" || op == "Greater";
  Constant out = like(a, dims);
  out.integer = comparison || (a.integer && b.integer);
  if (comparison) out.type = onnx::TensorProto::BOOL;
  for (std::size_t i = 0; i < from_a.size(); ++i) {
    const double x = a.at(from_a[i]);
    const double y = b.at(from_b[i]);
    if (comparison) {
      out.integers.push_back(op == "Equal" ? x == y : op == "Less" ? x < y : x > y);
    } else if (out.integer) {
      const std::int64_t p = a.integers[static_cast<std::size_t>(from_a[i])];
      const std::int64_t q = b.integers[static_cast<std::size_t>(from_b[i])];
      if (op == "Div" && (q == 0 || q == -1)) {
        if (q == 0) node.fail("a division by zero");
        out.integers.push_back(wrapped('-', 0, p));
      } else if (op == "Pow") {
        out.integers.push_back(static_cast<std::int64_t>(std::clamp(std::pow(x, y), -9e18, 9e18)));
      } else {
        out.integers.push_back(op == "Add"   ? wrapped('+', p, q)
                               : op == "Sub" ? wrapped('-', p, q)
                               : op == "Mul" ? wrapped('*', p, q)
                               : op == "Div" ? p / q
                               : op == "Min" ? std::min(p, q)
                                             : std::max(p, q));
      }
    } else {
      const auto u = static_cast<float>(x);
      const auto v = static_cast<float>(y);
      out.reals.push_back(op == "Add"   ? u + v
                          : op == "Sub" ? u - v
                          : op == "Mul" ? u * v
                          : op == "Div" ? u / v
                          : op == "Pow" ? std::pow(u, v)
                          : op == "Min" ? std::min(u, v)
                                        : std::max(u, v));
    }
  }
  return out;
}

Constant unary(const FileNode& node) {
  Constant out = node.constant(0, "input");
  out.quantiser.reset();
  const std::string& op = node.op();
  for (std::int64_t& value : out.integers) {
    if (op == "Neg") value = wrapped('-', 0, value);
    if (op == "Abs" && value < 0) value = wrapped('-', 0, value);
    if (op == "Not") value = value == 0 ? 1 : 0;
    if (op == "Relu") value = std::max<std::int64_t>(value, 0);
  }
  for (float& value : out.reals) {
    if (op == "Neg") value = -value;
    if (op == "Abs") value = std::abs(value);
    if (op == "Sqrt") value = std::sqrt(value);
    if (op == "Exp") value = std::exp(value);
    if (op == "Log") value = std::log(value);
    if (op == "Reciprocal") value = 1.0F / value;
    if (op == "Floor") value = std::floor(value);
    if (op == "Ceil") value = std::ceil(value);
    if (op == "Relu") value = std::max(value, 0.0F);
  }
  return out;
}

Constant cast(const FileNode& node) {
  const Constant& from = node.constant(0, "input");
  const auto to = static_cast<int>(node.integer("to", onnx::TensorProto::FLOAT));
  const auto limits = integer_limits(to);
  Constant out = from;
  out.type = to;
  if (limits.has_value() == from.integer) {
    if (to == onnx::TensorProto::BOOL) {
      for (std::int64_t& value : out.integers) value = value != 0 ? 1 : 0;
    }
    return out;
  }
  out.quantiser.reset();
  out.integer = limits.has_value();
  out.integers.clear();
  out.reals.clear();
  for (std::int64_t i = 0; i < from.count(); ++i) {
    if (!out.integer) {
      out.reals.push_back(static_cast<float>(from.at(i)));
    } else if (to == onnx::TensorProto::BOOL) {
      out.integers.push_back(from.at(i) != 0 ? 1 : 0);
    } else {
      const double value = std::trunc(from.at(i));
      if (!(std::abs(value) < 9e18)) node.fail("a real number that is no integer");
      out.integers.push_back(static_cast<std::int64_t>(value));
    }
  }
  return out;
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

Constant with_dims(const Constant& from, Dims dims) {
  Constant out = from;
  out.dims = std::move(dims);
  relabel(out);
  return out;
}

std::vector<std::size_t> axes_of(const FileNode& node, std::size_t rank,
                                 const std::vector<std::int64_t>& list) {
  std::vector<std::size_t> axes;
  axes.reserve(list.size());
  for (const std::int64_t axis : list) axes.push_back(node.axis(axis, rank));
  return axes;
}

Dims transposed_dims(const FileNode& node, const Dims& dims,
                     const std::vector<std::int64_t>& order) {
  Dims out;
  for (const std::int64_t axis : order) {
    if (axis < 0 || axis >= static_cast<std::int64_t>(dims.size())) node.fail("perm does not fit");
    out.push_back(dims[static_cast<std::size_t>(axis)]);
  }
  return out;
}

std::vector<std::int64_t> order_of(const FileNode& node, std::size_t rank) {
  std::vector<std::int64_t> order = node.list("perm");
  if (node.attribute("perm") == nullptr) {
    for (std::size_t i = rank; i-- > 0;) order.push_back(static_cast<std::int64_t>(i));
  }
  std::vector<std::int64_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (sorted[i] != static_cast<std::int64_t>(i)) node.fail("perm is no order of the extents");
  }
  if (order.size() != rank)
    node.fail(fmt::format("perm for {} extents, not {}", order.size(), rank));
  return order;
}

Constant transpose(const FileNode& node) {
  const Constant& from = node.constant(0, "input");
  const std::vector<std::int64_t> order = order_of(node, from.dims.size());
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

Constant where(const FileNode& node) {
  const Constant& condition = node.constant(0, "condition");
  const Constant& yes = node.constant(1, "input");
  const Constant& no = node.constant(2, "input");
  if (!condition.integer || yes.integer != no.integer) node.fail("its inputs do not fit");
  const Dims dims = joint_dims(node, condition.dims, joint_dims(node, yes.dims, no.dims));
  checked_count(node, dims);
  Constant out = like(yes, dims);
  const auto c = spread_indices(dims, condition.dims);
  const auto y = spread_indices(dims, yes.dims);
  const auto n = spread_indices(dims, no.dims);
  for (std::size_t i = 0; i < c.size(); ++i) {
    const bool chosen = condition.integers[static_cast<std::size_t>(c[i])] != 0;
    push(out, chosen ? yes : no, chosen ? y[i] : n[i]);
  }
  return out;
}

Constant filled(const FileNode& node, Importer& importer) {
  const Dims dims = node.integers(0, "shape");
  const std::int64_t count = checked_count(node, dims);
  Constant value = real_constant({1}, {0.0F});
  if (const auto* const attribute = node.attribute("value")) {
    value = read_tensor(attribute->t(), importer.folder(), node.where() + ": value");
  }
  if (value.count() != 1) node.fail("its value is one number");
  Constant out = like(value, dims);
  for (std::int64_t i = 0; i < count; ++i) push(out, value, 0);
  return out;
}

Constant range(const FileNode& node) {
  const double from = node.scalar(0, "start");
  const double to = node.scalar(1, "limit");
  const double step = node.scalar(2, "delta");
  const double count = step == 0 ? -1 : std::max(0.0, std::ceil((to - from) / step));
  if (!(count >= 0 && count < 1e6)) node.fail("a range without end");
  Constant out = like(node.constant(0, "start"), {static_cast<std::int64_t>(count)});
  for (std::int64_t i = 0; i < out.dims[0]; ++i) {
    const double value = from + static_cast<double>(i) * step;
    if (out.integer) {
      out.integers.push_back(static_cast<std::int64_t>(value));
    } else {
      out.reals.push_back(static_cast<float>(value));
    }
  }
  return out;
}

Constant product(const FileNode& node) {
  Constant out = node.constant(0, "input");
  if (node.attribute("axes") != nullptr || out.dims.size() > 1 || node.inputs() > 1) {
    node.fail("products along some axes of a constant are not folded");
  }
  Constant one = like(out, node.integer("keepdims", 1) != 0 ? Dims(out.dims.size(), 1) : Dims{});
  std::int64_t whole = 1;
  float real = 1;
  for (const std::int64_t value : out.integers) whole = wrapped('*', whole, value);
  for (const float value : out.reals) real *= value;
  if (one.integer) {
    one.integers = {whole};
  } else {
    one.reals = {real};
  }
  return one;
}

Constant literal(const FileNode& node, Importer& importer) {
  if (const auto* const value = node.attribute("value")) {
    return read_tensor(value->t(), importer.folder(), node.where() + ": value");
  }
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

/// What is known of extents that change without values moving.
Constant reshaped(const FileNode& node) {
  const Constant& from = node.constant(0, "input");
  Dims dims = from.dims;
  const std::string& op = node.op();
  if (op == "Flatten") {
    const std::int64_t axis = node.integer("axis", 1);
    const auto rank = static_cast<std::int64_t>(dims.size());
    if (axis < -rank || axis > rank) node.fail("axis does not fit");
    const auto middle = dims.begin() + (axis < 0 ? axis + rank : axis);
    dims = {count_of(Dims(dims.begin(), middle)), count_of(Dims(middle, dims.end()))};
  } else if (op == "Reshape") {
    dims = reshaped_dims(node, from.dims);
  } else if (op == "Squeeze") {
    dims = squeezed_dims(node, from.dims);
  } else {
    dims = unsqueezed_dims(node, from.dims);
  }
  return with_dims(from, dims);
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

Constant clipped(const FileNode& node) {
  Constant out = node.constant(0, "input");
  const ClipBounds bounds = clip_bounds(node);
  for (float& value : out.reals) {
    value = static_cast<float>(std::clamp(static_cast<double>(value), bounds.low, bounds.high));
  }
  for (std::int64_t& value : out.integers) {
    const double kept = std::clamp(static_cast<double>(value), bounds.low, bounds.high);
    if (kept != static_cast<double>(value)) value = static_cast<std::int64_t>(kept);
  }
  if (out.integer) out.code_range = {bounds.low, bounds.high};
  return out;
}

}  // namespace

Dims reshaped_dims(const FileNode& node, const Dims& from) {
  std::vector<std::int64_t> wanted;
  if (const auto given = node.list_or_input("shape", 1)) wanted = *given;
  const bool zero = node.integer("allowzero", 0) != 0;
  const std::int64_t count = count_of(from);
  std::int64_t known = 1;
  std::optional<std::size_t> open;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == 0 && !zero) {
      if (i >= from.size()) node.fail("a 0 beyond the extents of its input");
      wanted[i] = from[i];
    }
    if (wanted[i] == -1) {
      if (open) node.fail("two extents of -1");
      open = i;
      continue;
    }
    if (wanted[i] < 0 || (wanted[i] > 0 && known > (std::int64_t{1} << 40) / wanted[i])) {
      node.fail(fmt::format("an extent of {}", wanted[i]));
    }
    known *= wanted[i];
  }
  if (open) {
    if (known == 0 || count % known != 0) node.fail("the extents do not fit its input");
    wanted[*open] = count / known;
  }
  if (count_of(wanted) != count) {
    node.fail(fmt::format("{} as {}", dims_text(from), dims_text(wanted)));
  }
  return wanted;
}

Dims squeezed_dims(const FileNode& node, const Dims& from) {
  std::vector<bool> gone(from.size(), false);
  if (const auto list = node.list_or_input("axes", 1)) {
    for (const std::size_t axis : axes_of(node, from.size(), *list)) gone[axis] = true;
  } else {
    for (std::size_t i = 0; i < from.size(); ++i) gone[i] = from[i] == 1;
  }
  Dims dims;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (gone[i] && from[i] != 1) node.fail(fmt::format("extent {} is {}, not 1", i, from[i]));
    if (!gone[i]) dims.push_back(from[i]);
  }
  return dims;
}

Dims unsqueezed_dims(const FileNode& node, const Dims& from) {
  const auto list = node.list_or_input("axes", 1);
  if (!list) node.fail("its axes are missing");
  const std::size_t rank = from.size() + list->size();
  std::vector<bool> made(rank, false);
  for (const std::size_t axis : axes_of(node, rank, *list)) {
    if (made[axis]) node.fail("an axis twice");
    made[axis] = true;
  }
  Dims dims;
  auto next = from.begin();
  for (std::size_t i = 0; i < rank; ++i) dims.push_back(made[i] ? 1 : *next++);
  return dims;
}

std::vector<SliceAxis> slice_axes(const FileNode& node, const Dims& from) {
  std::vector<SliceAxis> out;
  for (const std::int64_t extent : from) out.push_back({0, extent, 1});
  const auto starts = node.list_or_input("starts", 1);
  const auto ends = node.list_or_input("ends", 2);
  auto axes = node.list_or_input("axes", 3);
  const auto steps = node.list_or_input("steps", 4);
  if (!starts || !ends || starts->size() != ends->size()) node.fail("starts and ends do not fit");
  if (!axes) {
    axes.emplace();
    for (std::size_t i = 0; i < starts->size(); ++i) axes->push_back(static_cast<std::int64_t>(i));
  }
  if (axes->size() != starts->size() || (steps && steps->size() != starts->size())) {
    node.fail("starts, axes and steps do not fit");
  }
  for (std::size_t i = 0; i < starts->size(); ++i) {
    const std::size_t axis = node.axis((*axes)[i], from.size());
    const std::int64_t extent = from[axis];
    const std::int64_t step = steps ? (*steps)[i] : 1;
    if (step == 0) node.fail("a step of 0");
    const auto bounded = [&](std::int64_t place, std::int64_t low, std::int64_t high) {
      if (place < 0) place = place < -extent ? -1 : place + extent;
      return std::clamp(place, low, high);
    };
    std::int64_t begin = 0;
    std::int64_t count = 0;
    if (step > 0) {
      begin = (*starts)[i] < -extent ? 0 : bounded((*starts)[i], 0, extent);
      const std::int64_t end = (*ends)[i] < -extent ? 0 : bounded((*ends)[i], 0, extent);
      count = end > begin ? (end - begin - 1) / step + 1 : 0;
    } else {
      begin = bounded((*starts)[i], -1, extent - 1);
      const std::int64_t end = bounded((*ends)[i], -1, extent - 1);
      const std::int64_t size = step < -extent ? extent + 1 : -step;
      count = begin > end ? (begin - end - 1) / size + 1 : 0;
    }
    out[axis] = {begin, count, step};
  }
  return out;
}

ClipBounds clip_bounds(const FileNode& node) {
  ClipBounds bounds;
  bounds.low = node.real("min", bounds.low);
  bounds.high = node.real("max", bounds.high);
  if (node.has(1)) bounds.low = node.scalar(1, "min");
  if (node.has(2)) bounds.high = node.scalar(2, "max");
  if (!(bounds.low <= bounds.high)) {
    node.fail(fmt::format("it clips from {} to {}", bounds.low, bounds.high));
  }
  return bounds;
}

std::vector<std::int64_t> transpose_order(const FileNode& node, std::size_t rank) {
  return order_of(node, rank);
}

Spread spread_over(const FileNode& node, const Constant& constant, const Dims& full, bool batched) {
  Dims dims = constant.dims;
  while (dims.size() > full.size() && dims.front() == 1) dims.erase(dims.begin());
  if (dims.size() > full.size()) {
    node.fail(fmt::format("a constant of {} with a tensor of {}", dims_text(constant.dims),
                          dims_text(full)));
  }
  const std::size_t missing = full.size() - dims.size();
  const std::size_t channel_axis = batched ? 1 : 0;
  bool one = true;
  bool per_channel = true;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 1) continue;
    const std::size_t axis = i + missing;
    if (dims[i] != full[axis]) {
      node.fail(
          fmt::format("a constant of {} with a tensor of {}: they would be spread over one "
                      "another",
                      dims_text(constant.dims), dims_text(full)));
    }
    if (batched && axis == 0) node.fail("a constant that differs between the images of a batch");
    one = false;
    if (axis != channel_axis) per_channel = false;
  }
  Spread spread;
  if (one || per_channel) {
    for (std::int64_t i = 0; i < constant.count(); ++i) spread.values.push_back(constant.at(i));
    return spread;
  }
  spread.each = true;
  Dims image = full;
  if (batched) image.erase(image.begin());
  if (dims.size() > image.size()) dims.erase(dims.begin());  // an extent of 1 for the batch
  checked_count(node, image);
  for (const std::int64_t index : spread_indices(image, dims)) {
    spread.values.push_back(constant.at(index));
  }
  return spread;
}

bool compute_constant(Importer& importer, const FileNode& node) {
  using Rule = std::function<Constant(const FileNode&)>;
  const Rule fill = [&importer](const FileNode& n) { return filled(n, importer); };
  const Rule known = [&importer](const FileNode& n) { return literal(n, importer); };
  const Rule same = [](const FileNode& n) { return n.constant(0, "input"); };
  const Rule shape = [](const FileNode& n) {
    const Dims dims = n.constant(0, "input").dims;
    return shape_constant(n, dims);
  };
  const std::map<std::string, Rule> rules = {{"Constant", known},      {"ConstantOfShape", fill},
                                             {"Identity", same},       {"Dropout", same},
                                             {"Shape", shape},         {"Cast", cast},
                                             {"Transpose", transpose}, {"Concat", concat},
                                             {"Gather", gather},       {"Expand", expand},
                                             {"Where", where},         {"Range", range},
                                             {"ReduceProd", product},  {"Reshape", reshaped},
                                             {"Flatten", reshaped},    {"Squeeze", reshaped},
                                             {"Unsqueeze", reshaped},  {"Slice", sliced},
                                             {"Clip", clipped},        {"Add", binary},
                                             {"Sub", binary},          {"Mul", binary},
                                             {"Div", binary},          {"Pow", binary},
                                             {"Min", binary},          {"Max", binary},
                                             {"Equal", binary},        {"Less", binary},
                                             {"Greater", binary},      {"Neg", unary},
                                             {"Abs", unary},           {"Sqrt", unary},
                                             {"Exp", unary},           {"Log", unary},
                                             {"Reciprocal", unary},    {"Floor", unary},
                                             {"Ceil", unary},          {"Not", unary},
                                             {"Relu", unary}};
  if (compute_quantised_constant(importer, node)) return true;
  const auto rule = rules.find(node.op());
  if (rule == rules.end() || (!node.domain().empty() && node.domain() != "ai.onnx")) return false;
  if ((node.op() == "Min" || node.op() == "Max") && node.inputs() != 2) return false;
  importer.set_constant(node, rule->second(node));
  return true;
}

}  // namespace bittern::onnx_io
