// Arithmetic on constants.
#include <fmt/format.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "host/network/io/onnx/clip_bounds.h"
#include "host/network/io/onnx/constant_rules.h"
#include "host/network/io/onnx/spread.h"

namespace bittern::onnx_io {
namespace {

/// Sums and products of 64-bit integers wrap around, as ONNX leaves open and C++ does not.
std::int64_t wrapped(char what, std::int64_t a, std::int64_t b) {
  const auto x = static_cast<std::uint64_t>(a);
  const auto y = static_cast<std::uint64_t>(b);
  return static_cast<std::int64_t>(what == '+' ? x + y : what == '-' ? x - y : x * y);
}

Constant binary(const FileNode& node) {
  const Constant& a = node.constant(0, "input");
  const Constant& b = node.constant(1, "input");
  const Dims dims = joint_dims(node, a.dims, b.dims);
  checked_count(node, dims);
  const auto from_a = spread_indices(dims, a.dims);
  const auto from_b = spread_indices(dims, b.dims);
  const std::string& op = node.op();
  const bool comparison = op == "Equal" || op == "Less" || op == "Greater";
  Constant out = like(a, dims);
  out.integer = comparison || (a.integer && b.integer);
  if (comparison) out.type = onnx::TensorProto::BOOL;
  for (std::size_t i = 0; i < from_a.size(); ++i) {
    const double x = a.at(from_a[i]);
    const double y = b.at(from_b[i]);
    if (comparison) {
      out.integers.push_back(op == "Equal" ? x == y : op == "Less" ? x < y : x > y);
    } else if (out.integer) {
      const std::int64_t p = a.integers[static_cast<std::size_t>(from_a[i])];
      const std::int64_t q = b.integers[static_cast<std::size_t>(from_b[i])];
      if (op == "Div" && (q == 0 || q == -1)) {
        if (q == 0) node.fail("a division by zero");
        out.integers.push_back(wrapped('-', 0, p));
      } else if (op == "Pow") {
        out.integers.push_back(static_cast<std::int64_t>(std::clamp(std::pow(x, y), -9e18, 9e18)));
      } else {
        out.integers.push_back(op == "Add"   ? wrapped('+', p, q)
                               : op == "Sub" ? wrapped('-', p, q)
                               : op == "Mul" ? wrapped('*', p, q)
                               : op == "Div" ? p / q
                               : op == "Min" ? std::min(p, q)
                                             : std::max(p, q));
      }
    } else {
      const auto u = static_cast<float>(x);
      const auto v = static_cast<float>(y);
      out.reals.push_back(op == "Add"   ? u + v
                          : op == "Sub" ? u - v
                          : op == "Mul" ? u * v
                          : op == "Div" ? u / v
                          : op == "Pow" ? std::pow(u, v)
                          : op == "Min" ? std::min(u, v)
                                        : std::max(u, v));
    }
  }
  return out;
}

Constant unary(const FileNode& node) {
  Constant out = node.constant(0, "input");
  out.quantiser.reset();
  const std::string& op = node.op();
  for (std::int64_t& value : out.integers) {
    if (op == "Neg") value = wrapped('-', 0, value);
    if (op == "Abs" && value < 0) value = wrapped('-', 0, value);
    if (op == "Not") value = value == 0 ? 1 : 0;
    if (op == "Relu") value = std::max<std::int64_t>(value, 0);
  }
  for (float& value : out.reals) {
    if (op == "Neg") value = -value;
    if (op == "Abs") value = std::abs(value);
    if (op == "Sqrt") value = std::sqrt(value);
    if (op == "Exp") value = std::exp(value);
    if (op == "Log") value = std::log(value);
    if (op == "Reciprocal") value = 1.0F / value;
    if (op == "Floor") value = std::floor(value);
    if (op == "Ceil") value = std::ceil(value);
    if (op == "Relu") value = std::max(value, 0.0F);
  }
  return out;
}

Constant cast(const FileNode& node) {
  const Constant& from = node.constant(0, "input");
  const auto to = static_cast<int>(node.integer("to", onnx::TensorProto::FLOAT));
  const auto limits = integer_limits(to);
  Constant out = from;
  out.type = to;
  if (limits.has_value() == from.integer) {
    if (to == onnx::TensorProto::BOOL) {
      for (std::int64_t& value : out.integers) value = value != 0 ? 1 : 0;
    }
    return out;
  }
  out.quantiser.reset();
  out.integer = limits.has_value();
  out.integers.clear();
  out.reals.clear();
  for (std::int64_t i = 0; i < from.count(); ++i) {
    if (!out.integer) {
      out.reals.push_back(static_cast<float>(from.at(i)));
    } else if (to == onnx::TensorProto::BOOL) {
      out.integers.push_back(from.at(i) != 0 ? 1 : 0);
    } else {
      const double value = std::trunc(from.at(i));
      if (!(std::abs(value) < 9e18)) node.fail("a real number that is no integer");
      out.integers.push_back(static_cast<std::int64_t>(value));
    }
  }
  return out;
}

Constant where(const FileNode& node) {
  const Constant& condition = node.constant(0, "condition");
  const Constant& yes = node.constant(1, "input");
  const Constant& no = node.constant(2, "input");
  if (!condition.integer || yes.integer != no.integer) node.fail("its inputs do not fit");
  const Dims dims = joint_dims(node, condition.dims, joint_dims(node, yes.dims, no.dims));
  checked_count(node, dims);
  Constant out = like(yes, dims);
  const auto c = spread_indices(dims, condition.dims);
  const auto y = spread_indices(dims, yes.dims);
  const auto n = spread_indices(dims, no.dims);
  for (std::size_t i = 0; i < c.size(); ++i) {
    const bool chosen = condition.integers[static_cast<std::size_t>(c[i])] != 0;
    push(out, chosen ? yes : no, chosen ? y[i] : n[i]);
  }
  return out;
}

Constant range(const FileNode& node) {
  const double from = node.scalar(0, "start");
  const double to = node.scalar(1, "limit");
  const double step = node.scalar(2, "delta");
  const double count = step == 0 ? -1 : std::max(0.0, std::ceil((to - from) / step));
  if (!(count >= 0 && count < 1e6)) node.fail("a range without end");
  Constant out = like(node.constant(0, "start"), {static_cast<std::int64_t>(count)});
  for (std::int64_t i = 0; i < out.dims[0]; ++i) {
    const double value = from + static_cast<double>(i) * step;
    if (out.integer) {
      out.integers.push_back(static_cast<std::int64_t>(value));
    } else {
      out.reals.push_back(static_cast<float>(value));
    }
  }
  return out;
}

Constant product(const FileNode& node) {
  Constant out = node.constant(0, "input");
  if (node.attribute("axes") != nullptr || out.dims.size() > 1 || node.inputs() > 1) {
    node.fail("products along some axes of a constant are not folded");
  }
  Constant one = like(out, node.integer("keepdims", 1) != 0 ? Dims(out.dims.size(), 1) : Dims{});
  std::int64_t whole = 1;
  float real = 1;
  for (const std::int64_t value : out.integers) whole = wrapped('*', whole, value);
  for (const float value : out.reals) real *= value;
  if (one.integer) {
    one.integers = {whole};
  } else {
    one.reals = {real};
  }
  return one;
}

Constant clipped(const FileNode& node) {
  Constant out = node.constant(0, "input");
  const ClipBounds bounds = clip_bounds(node);
  for (float& value : out.reals) {
    value = static_cast<float>(std::clamp(static_cast<double>(value), bounds.low, bounds.high));
  }
  for (std::int64_t& value : out.integers) {
    const double kept = std::clamp(static_cast<double>(value), bounds.low, bounds.high);
    if (kept != static_cast<double>(value)) value = static_cast<std::int64_t>(kept);
  }
  if (out.integer) out.code_range = {bounds.low, bounds.high};
  return out;
}

}  // namespace

const std::vector<ConstantRule>& arithmetic_rules() {
  static const std::vector<ConstantRule> kRules = {
      {"Add", binary},   {"Sub", binary},     {"Mul", binary},  {"Div", binary},
      {"Pow", binary},   {"Min", binary},     {"Max", binary},  {"Equal", binary},
      {"Less", binary},  {"Greater", binary}, {"Neg", unary},   {"Abs", unary},
      {"Sqrt", unary},   {"Exp", unary},      {"Log", unary},   {"Reciprocal", unary},
      {"Floor", unary},  {"Ceil", unary},     {"Not", unary},   {"Relu", unary},
      {"Cast", cast},    {"Where", where},    {"Range", range}, {"ReduceProd", product},
      {"Clip", clipped},
  };
  return kRules;
}

}  // namespace bittern::onnx_io
