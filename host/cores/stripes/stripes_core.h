#pragma once

#include <array>
#include <cstdint>

#include "host/cores/matrix/matrix_core.h"
#include "host/variant/variant.h"

namespace bittern {

/// What a variant with core "stripes" has to fit.
VariantRules stripes_rules();

/// From such a variant, which fits them.
MatrixConfig stripes_config(const Variant& variant);

/// The Stripes core: serial activations, serial weights, or both.
class StripesCore : public MatrixCore {
 public:
  explicit StripesCore(const MatrixConfig& config) : MatrixCore(config) {}

 private:
  std::array<std::uint64_t, 2> encode(const MatrixStep& step, const Plan& plan) const override;
};

}  // namespace bittern
