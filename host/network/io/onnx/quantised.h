#pragma once

#include <cstddef>
#include <optional>

#include "host/network/io/onnx/importer.h"
#include "host/network/quantiser.h"

namespace bittern::onnx_io {

/// Computes a quantiser of a constant, which keeps its scales. False for other operations.
bool compute_quantised_constant(Importer& importer, const FileNode& node);

/// The quantiser of a weight tensor whose output channels lie along `axis`; nothing where the
/// tensor has none.
std::optional<Quantiser> weight_quantiser_of(const FileNode& node, const Constant& weight,
                                             std::size_t axis);

}  // namespace bittern::onnx_io
