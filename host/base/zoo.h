#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace bittern {

/// Names (file names without .yaml) of the files in configs/<kind>, sorted. `kind` is "networks",
/// "variants", "energy" or "campaigns".
std::vector<std::string> zoo_names(const std::string& kind);

/// File that `name_or_path` means: itself when it ends in .yaml, else configs/<kind>/<name>.yaml.
/// Throws Error (exit status 2) when there is no such file, with the nearest name.
std::filesystem::path zoo_file(const std::string& kind, const std::string& name_or_path);

}  // namespace bittern
