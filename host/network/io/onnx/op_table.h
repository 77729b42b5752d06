#pragma once

#include <onnx/onnx_pb.h>

#include <string>
#include <vector>

#include "host/network/io/onnx/importer.h"

namespace bittern::onnx_io {

/// One entry of the table of operations.
struct OnnxOp {
  const char* domain;  ///< "" for ONNX itself
  const char* name;
  /// What becomes of it, for people; nullptr where it is refused, which `hint` explains.
  void (*lower)(Importer& importer, const FileNode& node);
  const char* text;
};
const std::vector<OnnxOp>& convolution_ops();
const std::vector<OnnxOp>& product_ops();  ///< of matrices
const std::vector<OnnxOp>& normalisation_ops();
const std::vector<OnnxOp>& pooling_ops();
const std::vector<OnnxOp>& reduction_ops();
const std::vector<OnnxOp>& arithmetic_ops();  ///< with constants, sums
const std::vector<OnnxOp>& activation_ops();
const std::vector<OnnxOp>& reshaping_ops();  ///< the same values in other extents or order
const std::vector<OnnxOp>& slicing_ops();
const std::vector<OnnxOp>& concat_ops();
const std::vector<OnnxOp>& border_ops();
const std::vector<OnnxOp>& resizing_ops();
const std::vector<OnnxOp>& constant_ops();  ///< of constants only
const std::vector<OnnxOp>& quant_ops();     ///< QONNX, QuantizeLinear

/// All of them, in the order in which they are listed.
std::vector<OnnxOp> all_onnx_ops();

/// ONNX's own domain has two names; QONNX's operations have been kept under several.
std::string domain_of(const onnx::NodeProto& node);

/// The entry of a node; nullptr where there is none.
const OnnxOp* find_op(const onnx::NodeProto& node);

/// Whether an operation may stand between QuantizeLinear and DequantizeLinear: those that move
/// values, and a bound for them.
bool takes_codes(const std::string& op);

/// Whether it moves the bytes of an image and computes nothing with them.
bool takes_bytes(const std::string& op);

/// What can be done about an operation that is not known.
std::string advice_for(const std::string& op);

}  // namespace bittern::onnx_io
