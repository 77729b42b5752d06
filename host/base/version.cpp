#include "host/base/version.h"

namespace bittern {

// The values come from host/CMakeLists.txt, for this file only, so that a new commit recompiles
// nothing else.
std::string version() { return BITTERN_VERSION; }
std::string source_revision() { return BITTERN_REVISION; }
std::string build_description() { return BITTERN_BUILD; }

}  // namespace bittern
