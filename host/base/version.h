#pragma once

#include <string>

namespace bittern {

/// Version of Bittern, for example "0.1.0".
std::string version();

/// `git describe --always --dirty` of the source tree when it was configured, or "unknown".
std::string source_revision();

/// Compiler and build type, for example "GNU 12.2.0, Release".
std::string build_description();

}  // namespace bittern
