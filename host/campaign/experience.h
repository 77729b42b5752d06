#pragma once

#include <filesystem>

#include "host/search/method.h"

namespace bittern {

/// What the search of a result directory has learnt: its checkpoint, and the policies of its
/// episodes that were scored on all images. Reads only, also while that search goes on. Throws
/// Error (exit status 2) where the folder holds no search, Error where its files are damaged or do
/// not fit each other.
Experience read_experience(const std::filesystem::path& folder);

}  // namespace bittern
