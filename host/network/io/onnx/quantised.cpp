// Quantisers: QONNX's Quant, BipolarQuant and Trunc, and ONNX's QuantizeLinear and
// DequantizeLinear with a Clip between them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "host/base/error.h"
#include "host/network/io/onnx/importer.h"

namespace bittern::onnx_io {
namespace {

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

/// Bits, signs and rounding of a Quant or BipolarQuant.
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

std::vector<float> floats(const Constant& constant) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < constant.count(); ++i) {
    values.push_back(static_cast<float>(constant.at(i)));
  }
  return values;
}

/// Extents with those of 1 in front that make them as many as the tensor's; none for one number.
Dims aligned(const FileNode& node, const Constant& constant, std::size_t rank) {
  if (constant.count() == 1) return {};
  Dims dims = constant.dims;
  while (dims.size() > rank && dims.front() == 1) dims.erase(dims.begin());
  if (dims.size() > rank) node.fail("scales of " + dims_text(constant.dims) + " do not fit");
  while (dims.size() < rank) dims.insert(dims.begin(), 1);
  return dims;
}

/// One value of a scale or zero point for every value of a tensor.
std::vector<double> over_all(const FileNode& node, const Constant& constant, const Dims& dims) {
  const Spread spread = spread_over(node, constant, dims, false);
  std::vector<double> all(static_cast<std::size_t>(count_of(dims)));
  const std::size_t inner =
      dims.empty() || dims[0] == 0 ? 1 : all.size() / static_cast<std::size_t>(dims[0]);
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i] = spread.each                 ? spread.values[i]
             : spread.values.size() == 1 ? spread.values[0]
                                         : spread.values[i / inner];
  }
  return all;
}

/// The values of `x` that have codes, with the quantiser kept.
Constant quantised(const FileNode& node, const Constant& x, const Quantiser& form,
                   const Constant& scale, const Constant& zero) {
  Constant out = real_constant(x.dims, {});
  const std::vector<double> scales = over_all(node, scale, x.dims);
  const std::vector<double> zeros = over_all(node, zero, x.dims);
  Quantiser each = form;
  for (std::int64_t i = 0; i < x.count(); ++i) {
    const auto place = static_cast<std::size_t>(i);
    each.scale = {static_cast<float>(scales[place])};
    each.zero_point = {static_cast<float>(zeros[place])};
    if (i == 0 || scale.count() > 1 || zero.count() > 1) {
      try {
        each.validate(1);
      } catch (const Error& error) {
        node.fail(error.what());
      }
    }
    out.reals.push_back(each.quantise(static_cast<float>(x.at(i)), 0));
  }
  out.quantiser = ConstantQuantiser{form, aligned(node, scale, x.dims.size()), floats(scale),
                                    aligned(node, zero, x.dims.size()), floats(zero)};
  return out;
}

const Constant& no_zero_point() {
  static const Constant kZero = real_constant({}, {0.0F});
  return kZero;
}

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

/// Bits, signs and narrowness of codes between two bounds.
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

/// The element type that codes have: that of the zero point, or of the attribute.
int code_type(const FileNode& node, std::size_t zero_input) {
  if (node.has(zero_input)) return node.constant(zero_input, "zero point").type;
  const std::int64_t stated = node.integer("output_dtype", 0);
  return stated == 0 ? static_cast<int>(onnx::TensorProto::UINT8) : static_cast<int>(stated);
}

/// Scale or zero point with extents that can be spread over a tensor.
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

Constant zero_of(const FileNode& node, std::size_t input, std::size_t rank) {
  return node.has(input) ? along_axis(node, node.constant(input, "zero point"), rank)
                         : no_zero_point();
}

/// Codes of a constant.
Constant quantize_linear_constant(const FileNode& node) {
  const Constant& x = node.constant(0, "input");
  const int type = code_type(node, 2);
  const auto limits = integer_limits(type);
  if (!limits) node.fail("codes of a type that are no integers");
  const std::size_t rank = x.dims.size();
  const auto scales = over_all(node, along_axis(node, node.constant(1, "scale"), rank), x.dims);
  const auto zeros = over_all(node, zero_of(node, 2, rank), x.dims);
  Constant out = integer_constant(x.dims, {});
  out.type = type;
  for (std::int64_t i = 0; i < x.count(); ++i) {
    const auto place = static_cast<std::size_t>(i);
    if (!(scales[place] > 0)) node.fail("a scale that is not positive");
    const float position = static_cast<float>(x.at(i)) / static_cast<float>(scales[place]);
    const double code = rounded(static_cast<double>(position), Rounding::kHalfEven) + zeros[place];
    out.integers.push_back(static_cast<std::int64_t>(
        std::clamp(code, static_cast<double>(limits->first), static_cast<double>(limits->second))));
  }
  return out;
}

Constant dequantize_linear_constant(const FileNode& node) {
  const Constant& codes = node.constant(0, "input");
  if (!codes.integer) node.fail("its input are no integers");
  const std::size_t rank = codes.dims.size();
  const Constant scale = along_axis(node, node.constant(1, "scale"), rank);
  const Constant zero = zero_of(node, 2, rank);
  const auto scales = over_all(node, scale, codes.dims);
  const auto zeros = over_all(node, zero, codes.dims);
  Constant out = real_constant(codes.dims, {});
  for (std::int64_t i = 0; i < codes.count(); ++i) {
    const auto place = static_cast<std::size_t>(i);
    out.reals.push_back(static_cast<float>((codes.at(i) - zeros[place]) *
                                           static_cast<double>(static_cast<float>(scales[place]))));
  }
  const auto limits = integer_limits(codes.type);
  if (!limits) return out;
  const double low =
      codes.code_range ? codes.code_range->first : static_cast<double>(limits->first);
  const double high =
      codes.code_range ? codes.code_range->second : static_cast<double>(limits->second);
  if (const auto form = form_between(low, high)) {
    out.quantiser = ConstantQuantiser{*form, aligned(node, scale, rank), floats(scale),
                                      aligned(node, zero, rank), floats(zero)};
  }
  return out;
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
    const double scale = node.scalar(1, "scale");
    const double zero = node.has(2) ? node.scalar(2, "zero point") : 0.0;
    Value out =
        importer.affine(node, value, {scale}, {-zero * scale}, importer.weight_name(node, Value{}));
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

bool compute_quantised_constant(Importer& importer, const FileNode& node) {
  const std::string& op = node.op();
  if (op == "QuantizeLinear") {
    importer.set_constant(node, quantize_linear_constant(node));
  } else if (op == "DequantizeLinear") {
    importer.set_constant(node, dequantize_linear_constant(node));
  } else if (op == "Quant" || op == "IntQuant" || op == "BipolarQuant") {
    const bool bipolar = op == "BipolarQuant";
    importer.set_constant(
        node, quantised(node, node.constant(0, "input"), form_of(node), node.constant(1, "scale"),
                        bipolar ? no_zero_point() : node.constant(2, "zero point")));
  } else {
    return false;
  }
  return true;
}

std::optional<Quantiser> weight_quantiser_of(const FileNode& node, const Constant& weight,
                                             std::size_t axis) {
  if (!weight.quantiser) return std::nullopt;
  Quantiser quantiser = weight.quantiser->form;
  quantiser.scale = weight.quantiser->scale;
  quantiser.zero_point = weight.quantiser->zero;
  for (const Dims* const dims : {&weight.quantiser->scale_dims, &weight.quantiser->zero_dims}) {
    for (std::size_t i = 0; i < dims->size(); ++i) {
      if ((*dims)[i] == 1 || i == axis) continue;
      node.fail(
          "weights with scales along another axis than their outputs: expected one scale, or "
          "one for each output");
    }
  }
  // Two's complement: unsigned codes around the middle are signed ones around 0.
  const auto middle = static_cast<float>(std::ldexp(1.0, quantiser.bits - 1));
  const bool centred = std::all_of(quantiser.zero_point.begin(), quantiser.zero_point.end(),
                                   [middle](float zero) { return zero == middle; });
  if (!quantiser.is_signed && !quantiser.narrow && centred) {
    quantiser.is_signed = true;
    quantiser.zero_point.assign(quantiser.zero_point.size(), 0.0F);
  }
  return quantiser;
}

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
