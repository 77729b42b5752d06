#pragma once

#include <string>
#include <vector>

#include "host/analysis/layer_report.h"
#include "host/network/network.h"
#include "host/variant/variant.h"

namespace bittern {

/// The parts of a network's work that no cycle count of a variant holds, since they are not done
/// there: what comes on top of totals.
std::vector<std::string> untimed_parts(const Network& network, const Variant& variant);

/// "Not timed: pooling; ...": the parts in a sentence, with a newline.
std::string untimed_note(const std::vector<std::string>& parts);

/// A sentence with a newline that names the layers whose sums can leave 32 bits at the bits that
/// ran; empty when there are none.
std::string overflow_note(const std::vector<LayerReport>& layers);

}  // namespace bittern
