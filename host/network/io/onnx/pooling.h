#pragma once

#include "host/network/io/onnx/importer.h"

namespace bittern::onnx_io {

/// A maximum or an average over all pixels of what `source` gives; the index of the node.
int pool_over_map(Importer& importer, const FileNode& node, int source, Op op);

}  // namespace bittern::onnx_io
