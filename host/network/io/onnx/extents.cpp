#include "host/network/io/onnx/extents.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace bittern::onnx_io {
namespace {

std::vector<std::size_t> axes_of(const FileNode& node, std::size_t rank,
                                 const std::vector<std::int64_t>& list) {
  std::vector<std::size_t> axes;
  axes.reserve(list.size());
  for (const std::int64_t axis : list) axes.push_back(node.axis(axis, rank));
  return axes;
}

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

Dims flattened_dims(const FileNode& node, const Dims& from) {
  const std::int64_t axis = node.integer("axis", 1);
  const auto rank = static_cast<std::int64_t>(from.size());
  if (axis < -rank || axis > rank) node.fail(fmt::format("axis {} of {}", axis, dims_text(from)));
  const auto middle = from.begin() + (axis < 0 ? axis + rank : axis);
  return {count_of(Dims(from.begin(), middle)), count_of(Dims(middle, from.end()))};
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

}  // namespace

Dims dims_with_same_values(const FileNode& node, const Dims& from) {
  if (node.op() == "Reshape") return reshaped_dims(node, from);
  if (node.op() == "Flatten") return flattened_dims(node, from);
  return node.op() == "Squeeze" ? squeezed_dims(node, from) : unsqueezed_dims(node, from);
}

std::vector<std::int64_t> transpose_order(const FileNode& node, std::size_t rank) {
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

Dims transposed_dims(const FileNode& node, const Dims& dims,
                     const std::vector<std::int64_t>& order) {
  Dims out;
  for (const std::int64_t axis : order) {
    if (axis < 0 || axis >= static_cast<std::int64_t>(dims.size())) node.fail("perm does not fit");
    out.push_back(dims[static_cast<std::size_t>(axis)]);
  }
  return out;
}

Constant shape_constant(const FileNode& node, const Dims& dims) {
  const auto rank = static_cast<std::int64_t>(dims.size());
  const auto place = [rank](std::int64_t at) {
    return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const std::int64_t begin = place(node.integer("start", 0));
  const std::int64_t end = std::max(begin, place(node.integer("end", rank)));
  Dims part(dims.begin() + begin, dims.begin() + end);
  const auto count = static_cast<std::int64_t>(part.size());
  return integer_constant({count}, std::move(part));
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

}  // namespace bittern::onnx_io
