#include "host/base/version.h"

namespace bittern {

// The values come from host/CMakeLists.txt, for this file only. source_revision() is written by
// cmake/WriteRevision.cmake.
std::string version() { return BITTERN_VERSION; }
std::string build_description() { return BITTERN_BUILD; }

}  // namespace bittern
