#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/network/io/onnx/importer.h"

namespace bittern::onnx_io {

/// A number of a file as an int. Throws Error where it is below `least` or beyond 2^24.
int whole(const FileNode& node, std::int64_t value, std::int64_t least, const char* what);

/// One number for each spatial axis, rows and columns; a tensor with one axis has columns only.
std::array<int, 2> each_axis(const FileNode& node, const char* name, std::size_t axes,
                             std::int64_t least);

/// Images with one or two spatial axes as a map; throws Error for others.
int spatial_map(Importer& importer, const FileNode& node, const Value& value);

/// Kernel, strides, dilations and padding of a window over a map of `in`.
Attributes window_of(const FileNode& node, const Shape& in, std::size_t axes,
                     std::array<int, 2> kernel);

/// The value that a map of `axes` spatial axes stands for.
Value map_value(const Importer& importer, int source, std::size_t axes);

/// The values of a constant of real numbers.
std::vector<float> reals_of(const FileNode& node, const Constant& constant, const char* what);

}  // namespace bittern::onnx_io
