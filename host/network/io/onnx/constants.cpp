// Computes the nodes whose inputs are all known: what exporters write around shapes, and arithmetic
// on weights.
#include "host/network/io/onnx/constants.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "host/network/io/onnx/constant_rules.h"
#include "host/network/io/onnx/quantised.h"

namespace bittern::onnx_io {
namespace {

const ConstantRule* find_rule(const FileNode& node) {
  if (!node.domain().empty() && node.domain() != "ai.onnx") return nullptr;
  for (const auto* const rules : {&arithmetic_rules(), &movement_rules()}) {
    const auto found =
        std::find_if(rules->begin(), rules->end(),
                     [&node](const ConstantRule& rule) { return node.op() == rule.op; });
    if (found != rules->end()) return &*found;
  }
  return nullptr;
}

}  // namespace

Constant like(const Constant& from, Dims dims) {
  Constant out;
  out.dims = std::move(dims);
  out.integer = from.integer;
  out.type = from.type;
  return out;
}

void push(Constant& to, const Constant& from, std::int64_t index) {
  const auto i = static_cast<std::size_t>(index);
  if (to.integer) {
    to.integers.push_back(from.integers[i]);
  } else {
    to.reals.push_back(from.reals[i]);
  }
}

bool compute_constant(Importer& importer, const FileNode& node) {
  if (compute_quantised_constant(importer, node)) return true;
  const ConstantRule* const rule = find_rule(node);
  if (rule == nullptr) return false;
  if ((node.op() == "Min" || node.op() == "Max") && node.inputs() != 2) return false;
  importer.set_constant(node, rule->compute(node));
  return true;
}

}  // namespace bittern::onnx_io
