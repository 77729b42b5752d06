#pragma once

#include "host/network/io/onnx/importer.h"

namespace bittern::onnx_io {

/// A ConvTranspose as one convolution, which gives the stride x stride pixels that lie side by side
/// in the output as channels, and a rearrangement that puts them there.
void transposed_convolution(Importer& importer, const FileNode& node);

}  // namespace bittern::onnx_io
