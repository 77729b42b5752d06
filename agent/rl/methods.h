#pragma once

#include <vector>

#include "host/search/method.h"

namespace bittern {

/// Every method: those of the host, and those that need LibTorch.
std::vector<MethodKind> all_methods();

}  // namespace bittern
