#pragma once

#include <string>

namespace bittern {

/// Digest over the sources that plans are made by (scripts/planner_digest.py says which), as they
/// were when this was built: what one planner remembers, another may use if it has the same. In a
/// library of its own (CMake target bittern_planner_hash), which the build writes.
std::string planner_hash();

}  // namespace bittern
