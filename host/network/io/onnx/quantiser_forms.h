#pragma once

#include <cstddef>
#include <optional>

#include "host/network/io/onnx/file_node.h"
#include "host/network/quantiser.h"

namespace bittern::onnx_io {

/// Bits, signs and rounding of a Quant or BipolarQuant.
Quantiser form_of(const FileNode& node);

/// A rounding_mode; `fallback` where the node has none.
Rounding rounding_mode(const FileNode& node, const char* fallback);

/// A number of bits that an input states.
int bits_of(const FileNode& node, std::size_t input, const char* what);

/// Bits, signs and narrowness of codes between two bounds; nothing where they are those of no
/// number of bits.
std::optional<Quantiser> form_between(double low, double high);

/// The element type that codes have: that of the zero point, or of the attribute.
int code_type(const FileNode& node, std::size_t zero_input);

/// Scale or zero point with extents that can be spread over a tensor of `rank` extents.
Constant along_axis(const FileNode& node, Constant constant, std::size_t rank);

/// The zero point of such an input; 0 where it is missing.
Constant zero_of(const FileNode& node, std::size_t input, std::size_t rank);

/// A zero point of 0.
const Constant& no_zero_point();

}  // namespace bittern::onnx_io
