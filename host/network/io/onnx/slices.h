#pragma once

#include <vector>

#include "host/network/io/onnx/extents.h"
#include "host/network/io/onnx/importer.h"

namespace bittern::onnx_io {

/// A slice along the axes of a value, those of the batch too.
Value sliced(Importer& importer, const FileNode& node, const Value& from,
             const std::vector<SliceAxis>& axes);

}  // namespace bittern::onnx_io
