#pragma once

#include <string>

namespace bittern {

/// What floating-point results depend on beside the program: the processor's model, the instruction
/// set that LibTorch uses on it, LibTorch's version, for example "AMD EPYC 9654 96-Core Processor,
/// AVX512, LibTorch 1.13.0". `on_gpu`: tensors are computed on a GPU, which is named as such only.
std::string processor_text(bool on_gpu = false);

}  // namespace bittern
