#pragma once

#include <cstdint>
#include <vector>

#include "host/network/io/onnx/file_node.h"

namespace bittern::onnx_io {

/// How an operation is computed whose inputs are all known.
struct ConstantRule {
  const char* op;
  Constant (*compute)(const FileNode& node);
};
const std::vector<ConstantRule>& arithmetic_rules();  ///< values from values
const std::vector<ConstantRule>& movement_rules();    ///< the same values in other places

/// A constant of the same kind without values.
Constant like(const Constant& from, Dims dims);

/// Appends value `index` of another constant of the same kind.
void push(Constant& to, const Constant& from, std::int64_t index);

}  // namespace bittern::onnx_io
