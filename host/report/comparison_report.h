#pragma once

#include <string>

#include "host/analysis/comparison.h"

namespace bittern {

/// Report of a comparison: one self-contained HTML page (no scripts, nothing fetched) with the sums
/// of all policies on all variants, the transfer matrix as a heat map, and for every policy bars a
/// layer (latency, energy, utilisation), where the cycles of each variant went, its roofline with
/// the layers in it, and all figures as tables. Costs are for one image.
std::string comparison_report_html(const Comparison& comparison);

}  // namespace bittern
