#include "host/network/io/onnx/clip_bounds.h"

#include <fmt/format.h>

namespace bittern::onnx_io {

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

}  // namespace bittern::onnx_io
