#pragma once

#include "host/network/io/onnx/importer.h"

namespace bittern::onnx_io {

/// Computes a node whose inputs are all known. False where there is no rule for the operation.
bool compute_constant(Importer& importer, const FileNode& node);

}  // namespace bittern::onnx_io
