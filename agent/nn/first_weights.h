#pragma once

namespace bittern {

/// What the weights of a convolution or linear layer start as.
enum class FirstWeights {
  kDefault,  ///< uniform in +-1/sqrt(fan-in), biases too: as PyTorch's layers start
  /// Uniform in +-sqrt(6/fan-in), biases 0 (He et al., ICCV 2015, equation 10): values keep their
  /// spread through ReLUs, which deep networks without batch norm need.
  kHe,
};

}  // namespace bittern
