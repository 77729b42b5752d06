#pragma once

#include <vector>

#include "host/network/network.h"
#include "host/search/bit_space.h"

namespace bittern {

/// One width everywhere, for every width that a layer of the space may choose, most bits first:
/// the nearest policy of the space (BitSpace::snap()), each once.
std::vector<Policy> uniform_policies(const BitSpace& space);

}  // namespace bittern
