#pragma once

#include <string>

namespace bittern {

/// Version of Bittern, for example "0.1.0".
std::string version();

/// `git describe --always --dirty` of the source tree when it was built, or "unknown" when it is no
/// working tree of git. In a library of its own (CMake target bittern_revision), so that a commit
/// links only those programs again that show it.
std::string source_revision();

/// Compiler and build type, for example "GNU 12.2.0, Release".
std::string build_description();

}  // namespace bittern
