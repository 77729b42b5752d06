#pragma once

#include <array>
#include <cstdint>

#include "host/cores/matrix/matrix_core.h"
#include "host/variant/variant.h"

namespace bittern {

/// What a variant with core "bismo" has to fit.
VariantRules bismo_rules();

/// From such a variant, which fits them.
MatrixConfig bismo_config(const Variant& variant);

/// The bit-serial BISMO core.
class BismoCore : public MatrixCore {
 public:
  explicit BismoCore(const MatrixConfig& config) : MatrixCore(config) {}

 private:
  std::array<std::uint64_t, 2> encode(const MatrixStep& step, const Plan& plan) const override;
};

}  // namespace bittern
