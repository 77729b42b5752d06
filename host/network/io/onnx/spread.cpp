#include "host/network/io/onnx/spread.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

namespace bittern::onnx_io {

std::int64_t checked_count(const FileNode& node, const Dims& dims) {
  constexpr std::int64_t kMostValues = std::int64_t{1} << 28;
  const std::int64_t count = count_of(dims);
  if (count > kMostValues) node.fail(fmt::format("a constant of {}", dims_text(dims)));
  return count;
}

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

}  // namespace bittern::onnx_io
