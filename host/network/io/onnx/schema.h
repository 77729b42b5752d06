#pragma once

#include <onnx/onnx_pb.h>

#include "host/network/io/onnx/file_node.h"

namespace bittern::onnx_io {

/// Throws Error when libonnx knows the opset and the node does not fit its definition there:
/// numbers of inputs and outputs, attributes and their types. Of newer opsets nothing is checked.
void check_schema(const FileNode& where, const onnx::NodeProto& node, int opset);

}  // namespace bittern::onnx_io
