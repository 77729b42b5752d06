// Quantisers of constants.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/base/error.h"
#include "host/network/io/onnx/quantised.h"
#include "host/network/io/onnx/quantiser_forms.h"
#include "host/network/io/onnx/spread.h"

namespace bittern::onnx_io {
namespace {

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

}  // namespace bittern::onnx_io
