#pragma once

#include <string>

#include "host/analysis/comparison.h"

namespace bittern {

/// Roofline of a policy on a variant, both axes logarithmic: the roofs of memory (with
/// traffic spread over all data ports, and through one alone) and of the array at each bit pair
/// that runs, every layer as a point, and above it what the layer could attain.
std::string roofline_chart(const ComparedPolicy& policy, const Variant& variant);

}  // namespace bittern
