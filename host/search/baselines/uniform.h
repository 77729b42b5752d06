#pragma once

#include "host/search/method.h"

namespace bittern {

/// "uniform": one width everywhere, for every width that the space has, and 6-bit weights with
/// 4-bit activations; only those within the limits by themselves, most bits first. Making the
/// method throws Error when none of them is.
MethodKind uniform_method();

}  // namespace bittern
