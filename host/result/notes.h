#pragma once

#include <string>

#include "host/result/result.h"

namespace bittern {

// Entries of CampaignResult::provenance that a summary says too.

/// What no cycle count of the campaign holds.
constexpr const char* kNotTimed = "not timed";
/// Layers whose sums can leave 32 bits; there only when there are any.
constexpr const char* kWideSums = "sums beyond 32 bits";

/// Those entries that the result has, one a line: "not timed: ...".
std::string notes_text(const CampaignResult& result);

}  // namespace bittern
