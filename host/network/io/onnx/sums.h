#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/network/io/onnx/importer.h"

namespace bittern::onnx_io {

/// A value one after the other so many times along one of its extents (without the batch).
Value repeated(Importer& importer, const FileNode& node, const Value& value, std::size_t axis,
               std::int64_t times);

/// A value spread over these extents (with the batch), with NumPy's rules.
Value spread_map(Importer& importer, const FileNode& node, Value value, const Dims& full);

/// The sum of two values or more, spread over one another.
Value sum_of_maps(Importer& importer, const FileNode& node, std::vector<Value> values);

/// `a` - `b`.
Value difference_of_maps(Importer& importer, const FileNode& node, const Value& a, const Value& b);

/// A value behind an operation of one input that leaves its extents as they are.
Value behind(Importer& importer, const FileNode& node, const Value& value, Node made);

/// max(value, 0).
Value rectified(Importer& importer, const FileNode& node, const Value& value);

/// |value|.
Value absolute(Importer& importer, const FileNode& node, const Value& value);

/// value * factor.
Value scaled(Importer& importer, const FileNode& node, const Value& value, double factor);

}  // namespace bittern::onnx_io
