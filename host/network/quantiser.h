#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace bittern {

/// What becomes of a number between two integers.
enum class Rounding {
  kHalfEven,  ///< to the nearest, ties to the even one (ROUND, HALF_EVEN)
  kHalfUp,    ///< to the nearest, ties away from zero
  kHalfDown,  ///< to the nearest, ties towards zero
  kDown,      ///< towards zero
  kUp,        ///< away from zero
  kFloor,
  kCeil,
};

/// In network files: "half_even", "half_up", ...
const char* rounding_name(Rounding rounding);
const std::vector<std::string>& rounding_names();
Rounding rounding_of(const std::string& name);

/// `x` as a whole number.
double rounded(double x, Rounding rounding);

/// A uniform quantiser: code = clamp(round(x / scale) + zero_point, low(), high()), value = (code -
/// zero_point) * scale, in 32-bit floating point with the operations in this order (as ONNX's
/// QuantizeLinear and DequantizeLinear define them; QONNX's Quant adds the zero point before it
/// rounds, which differs only for ties to even beside an odd zero point).
///
/// A bipolar one has the codes -1 and +1 (QONNX's BipolarQuant: +1 for x >= 0). Two's complement
/// has no such operand of one bit: hardware multiplies the bit b of code = 2 b - 1 and the host (or
/// the layer's correction) makes sum(code * x) = 2 * sum(b * x) - sum(x) of it, exactly, in
/// integers. It counts as one bit; the sum of x over the window is what it costs besides.
struct Quantiser {
  int bits = 8;           ///< 1 to 32
  bool is_signed = true;  ///< two's complement; else 0 and up
  bool narrow = false;    ///< signed: without the least code; unsigned: without the greatest
  bool bipolar = false;   ///< codes -1 and +1, bits is 1
  Rounding rounding = Rounding::kHalfEven;
  std::vector<float> scale = {1.0F};       ///< one, or one for each channel
  std::vector<float> zero_point = {0.0F};  ///< as many, or one; whole numbers

  /// Least and greatest code.
  double low() const;
  double high() const;
  float scale_of(std::size_t channel) const { return scale[scale.size() == 1 ? 0 : channel]; }
  float zero_of(std::size_t channel) const {
    return zero_point[zero_point.size() == 1 ? 0 : channel];
  }
  /// Code of a value, before the zero point is taken off.
  float code(float x, std::size_t channel) const;
  /// Value of a code.
  float value(float code, std::size_t channel) const {
    return (code - zero_of(channel)) * scale_of(channel);
  }
  /// value(code(x)).
  float quantise(float x, std::size_t channel) const { return value(code(x, channel), channel); }

  /// Canonical text, for content keys: "b4 signed narrow s0.5 z0".
  std::string text() const;
  /// Throws Error (exit status 2) that says what is impossible: bits, scales that are not positive
  /// and finite, zero points that are no whole numbers within the codes, numbers of scales other
  /// than 1 and `channels`.
  void validate(std::size_t channels) const;

  bool operator==(const Quantiser& other) const;
  bool operator!=(const Quantiser& other) const { return !(*this == other); }
};

}  // namespace bittern
