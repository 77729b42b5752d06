#include "host/integer/sum_range.h"

#include <algorithm>

namespace bittern {
namespace {

struct OperandRange {
  std::int64_t least;
  std::int64_t greatest;
};

OperandRange operand_range(int bits, bool is_signed) {
  const std::int64_t values = std::int64_t{1} << bits;
  if (is_signed) return {-values / 2, values / 2 - 1};
  return {0, values - 1};
}

}  // namespace

int SumRange::bits() const {
  int count = 1;
  while (count < 64 && (least < -(std::int64_t{1} << (count - 1)) ||
                        greatest > (std::int64_t{1} << (count - 1)) - 1)) {
    ++count;
  }
  return count;
}

SumRange sum_range(const Layer& layer, const Precision& precision) {
  const OperandRange w = operand_range(precision.bits.weight, precision.weight_signed);
  const OperandRange a = operand_range(precision.bits.activation, precision.activation_signed);
  const auto [least, greatest] = std::minmax(
      {w.least * a.least, w.least * a.greatest, w.greatest * a.least, w.greatest * a.greatest});
  return {layer.reduction() * least, layer.reduction() * greatest};
}

}  // namespace bittern
