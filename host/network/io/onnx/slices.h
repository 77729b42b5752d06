#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "host/network/io/onnx/extents.h"
#include "host/network/io/onnx/importer.h"

namespace bittern::onnx_io {

/// A slice along one extent of a value (without the batch), backwards where its step is negative.
Value slice_along(Importer& importer, const FileNode& node, const Value& from, std::size_t i,
                  const SliceAxis& axis);

/// The stated places along one extent of a value (without the batch), in any order.
Value taken(Importer& importer, const FileNode& node, const Value& from, std::size_t axis,
            const std::vector<std::int64_t>& places);

/// A slice along the axes of a value, those of the batch too.
Value sliced(Importer& importer, const FileNode& node, const Value& from,
             const std::vector<SliceAxis>& axes);

}  // namespace bittern::onnx_io
