// Quantisers of maps: QONNX's Quant, BipolarQuant and Trunc, and ONNX's QuantizeLinear and
// DequantizeLinear with a Clip between them.
#include "host/network/io/onnx/quantised.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "host/network/io/onnx/op_table.h"
#include "host/network/io/onnx/quantiser_forms.h"
#include "host/network/io/onnx/spread.h"

namespace bittern::onnx_io {
namespace {

/// Appends a quantiser to a map.
void quantise_map(Importer& importer, const FileNode& node, const Value& value, Quantiser quantiser,
                  const Constant& scale, const Constant& zero) {
  const Dims full = importer.full(value);
  const Spread scales = spread_over(node, scale, full, value.batched);
  const Spread zeros = spread_over(node, zero, full, value.batched);
  if (scales.each || zeros.each) {
    node.fail("scales that differ within a channel: expected one, or one for each channel");
  }
  quantiser.scale.assign(scales.values.begin(), scales.values.end());
  quantiser.zero_point.assign(zeros.values.begin(), zeros.values.end());
  if (quantiser.scale.size() > 1 && quantiser.zero_point.size() == 1) {
    quantiser.zero_point.resize(quantiser.scale.size(), quantiser.zero_point[0]);
  }
  Node made;
  made.op = Op::kQuantise;
  made.inputs = {quantiser.scale.size() == 1 && quantiser.zero_point.size() == 1
                     ? value.source
                     : importer.shaped(node, value)};
  made.attributes.quantiser = std::move(quantiser);
  Value out = value;
  out.codes.reset();
  out.source = importer.append(node, std::move(made));
  importer.set(node, std::move(out));
}

void quant(Importer& importer, const FileNode& node) {
  const Constant& scale = node.constant(1, "scale");
  const bool bipolar = node.op() == "BipolarQuant";
  const Constant& zero = bipolar ? no_zero_point() : node.constant(2, "zero point");
  quantise_map(importer, node, node.input(0), form_of(node), scale, zero);
}

/// Drops the last bits of codes: value = floor(code / 2^n) * scale, n = bits before - after.
void trunc(Importer& importer, const FileNode& node) {
  const double scale = node.scalar(1, "scale");
  const double zero = node.scalar(2, "zero point");
  const int before = bits_of(node, 3, "bit width before");
  const int after = bits_of(node, 4, "bit width after");
  if (zero != 0) node.fail("a zero point of " + fmt::format("{}", zero) + ", expected 0");
  if (before < after) node.fail("it would add bits");
  const Rounding rounding = rounding_mode(node, "FLOOR");
  if (rounding != Rounding::kFloor) node.fail("rounding_mode other than FLOOR is not computed");
  // Values lie on codes already, but for the rounding of floats: half a scale more is safely within
  // what the floor takes.
  // The quantiser comes last, so that layers have it straight before them: a factor of a power of
  // two is exact on either side of it.
  const double factor = std::ldexp(1.0, after - before);
  const std::string name = importer.weight_name(node, Value{});
  const Value raised =
      importer.affine(node, node.input(0), {factor}, {scale / 2 * factor}, name + "_half");
  Quantiser quantiser;
  quantiser.bits = std::min(32, after + 1);  // signed, whatever the codes before were
  quantiser.rounding = Rounding::kFloor;
  quantiser.scale = {static_cast<float>(scale)};
  Node made;
  made.op = Op::kQuantise;
  made.inputs = {raised.source};
  made.attributes.quantiser = quantiser;
  Value out = raised;
  out.source = importer.append(node, std::move(made));
  importer.set(node, std::move(out));
}

void quantize_linear(Importer& importer, const FileNode& node) {
  Value value = node.input(0);
  if (value.codes) node.fail("codes are quantised again: dequantise first");
  const std::size_t rank = importer.full(value).size();
  Codes codes;
  codes.scale = along_axis(node, node.constant(1, "scale"), rank);
  codes.zero = zero_of(node, 2, rank);
  const auto limits = integer_limits(code_type(node, 2));
  if (!limits) node.fail("codes of a type that are no integers");
  codes.low = static_cast<double>(limits->first);
  codes.high = static_cast<double>(limits->second);
  value.codes = std::move(codes);
  importer.set(node, std::move(value));
}

bool same_values(const Constant& a, const Constant& b) {
  if (a.count() != b.count()) return false;
  for (std::int64_t i = 0; i < a.count(); ++i) {
    if (a.at(i) != b.at(i)) return false;
  }
  return true;
}

void dequantize_linear(Importer& importer, const FileNode& node) {
  const Value& value = node.input(0);
  if (value.bytes) {
    // The image itself: its bytes are codes.
    const Dims full = importer.full(value);
    const Spread scale = spread_over(node, along_axis(node, node.constant(1, "scale"), full.size()),
                                     full, value.batched);
    const Spread zero = spread_over(node, zero_of(node, 2, full.size()), full, value.batched);
    Spread shift = zero;
    shift.values.resize(std::max(zero.values.size(), scale.values.size()), zero.values[0]);
    for (std::size_t i = 0; i < shift.values.size(); ++i) {
      shift.values[i] *= -scale.values[scale.values.size() == 1 ? 0 : i];
    }
    shift.each = zero.each || scale.each;
    Value out =
        importer.spread_affine(node, value, scale, shift, importer.weight_name(node, Value{}));
    out.bytes = false;
    return importer.set(node, std::move(out));
  }
  if (!value.codes) node.fail("its input are no codes of a QuantizeLinear");
  const std::size_t rank = importer.full(value).size();
  const Codes& codes = *value.codes;
  if (!same_values(codes.scale, along_axis(node, node.constant(1, "scale"), rank)) ||
      !same_values(codes.zero, zero_of(node, 2, rank))) {
    node.fail("another scale or zero point than its QuantizeLinear has");
  }
  const auto form = form_between(codes.low, codes.high);
  if (!form) {
    node.fail(
        fmt::format("codes from {} to {} are those of no number of bits", codes.low, codes.high));
  }
  quantise_map(importer, node, value, *form, codes.scale, codes.zero);
}

}  // namespace

const std::vector<OnnxOp>& quant_ops() {
  static constexpr const char* kQonnx = "qonnx.custom_op.general";
  static const std::vector<OnnxOp> kOps = {
      {kQonnx, "Quant", quant, "weights and activations: bits, scales, zero points are kept"},
      {kQonnx, "IntQuant", quant, "as Quant"},
      {kQonnx, "BipolarQuant", quant, "one bit, -1 and +1"},
      {kQonnx, "Trunc", trunc, "the last bits of codes are dropped (floor)"},
      {"", "QuantizeLinear", quantize_linear, "with the DequantizeLinear behind it: a quantiser"},
      {"", "DequantizeLinear", dequantize_linear,
       "weights, or behind QuantizeLinear; a Clip between them sets the bits"},
  };
  return kOps;
}

}  // namespace bittern::onnx_io
