#include "host/network/io/onnx/quantiser_forms.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

namespace bittern::onnx_io {

Rounding rounding_mode(const FileNode& node, const char* fallback) {
  static const std::map<std::string, Rounding> kModes = {
      {"ROUND", Rounding::kHalfEven}, {"HALF_EVEN", Rounding::kHalfEven},
      {"HALF_UP", Rounding::kHalfUp}, {"HALF_DOWN", Rounding::kHalfDown},
      {"DOWN", Rounding::kDown},      {"ROUND_TO_ZERO", Rounding::kDown},
      {"UP", Rounding::kUp},          {"FLOOR", Rounding::kFloor},
      {"CEIL", Rounding::kCeil}};
  std::string mode = node.text("rounding_mode", fallback);
  std::transform(mode.begin(), mode.end(), mode.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const auto found = kModes.find(mode);
  if (found == kModes.end()) node.fail("rounding_mode '" + mode + "' is not known");
  return found->second;
}

int bits_of(const FileNode& node, std::size_t input, const char* what) {
  const double bits = node.scalar(input, what);
  if (bits != std::floor(bits) || bits < 1 || bits > 32) {
    node.fail(fmt::format("{} of {}, expected a whole number from 1 to 32", what, bits));
  }
  return static_cast<int>(bits);
}

Quantiser form_of(const FileNode& node) {
  Quantiser form;
  if (node.op() == "BipolarQuant") {
    form.bits = 1;
    form.bipolar = true;
    return form;
  }
  form.bits = bits_of(node, 3, "bit width");
  form.is_signed = node.integer("signed", 1) != 0;
  form.narrow = node.integer("narrow", 0) != 0;
  form.rounding = rounding_mode(node, "ROUND");
  return form;
}

std::optional<Quantiser> form_between(double low, double high) {
  for (int bits = 1; bits <= 32; ++bits) {
    for (const bool is_signed : {false, true}) {
      for (const bool narrow : {false, true}) {
        Quantiser form;
        form.bits = bits;
        form.is_signed = is_signed;
        form.narrow = narrow;
        if (form.low() == low && form.high() == high && low < high) return form;
      }
    }
  }
  return std::nullopt;
}

int code_type(const FileNode& node, std::size_t zero_input) {
  if (node.has(zero_input)) return node.constant(zero_input, "zero point").type;
  const std::int64_t stated = node.integer("output_dtype", 0);
  return stated == 0 ? static_cast<int>(onnx::TensorProto::UINT8) : static_cast<int>(stated);
}

Constant along_axis(const FileNode& node, Constant constant, std::size_t rank) {
  if (constant.count() == 1) {
    constant.dims = {};
    return constant;
  }
  if (node.integer("block_size", 0) != 0 || constant.dims.size() != 1) {
    node.fail("scales in blocks are not read: expected one, or one for each channel");
  }
  const std::size_t axis = node.axis(node.integer("axis", 1), rank);
  Dims dims(rank, 1);
  dims[axis] = constant.count();
  constant.dims = dims;
  return constant;
}

const Constant& no_zero_point() {
  static const Constant kZero = real_constant({}, {0.0F});
  return kZero;
}

Constant zero_of(const FileNode& node, std::size_t input, std::size_t rank) {
  return node.has(input) ? along_axis(node, node.constant(input, "zero point"), rank)
                         : no_zero_point();
}

}  // namespace bittern::onnx_io
