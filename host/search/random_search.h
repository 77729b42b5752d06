#pragma once

#include "host/search/method.h"

namespace bittern {

/// `random`: bits drawn uniformly, every decision by itself, brought within the limits by the wall.
/// What every other method has to beat.
MethodKind random_method();

}  // namespace bittern
