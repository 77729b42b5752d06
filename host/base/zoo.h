#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "host/base/yaml.h"

namespace bittern {

/// Names (file names without .yaml) of the files in configs/<kind>, sorted. `kind` is "networks",
/// "variants", "energy" or "campaigns".
std::vector<std::string> zoo_names(const std::string& kind);

/// File that `name_or_path` means: itself when it ends in .yaml (networks: or .onnx), else
/// configs/<kind>/<name>.yaml. Throws Error (exit status 2) when there is no such file, with the
/// nearest name.
std::filesystem::path zoo_file(const std::string& kind, const std::string& name_or_path);

/// The path that a key of a file holds. A relative one counts from the folder of the file that has
/// the key, wherever the command was started.
std::filesystem::path file_of(const YamlNode& node);

/// The same where a regular file must be there; throws Error with file and line when it is not.
std::filesystem::path existing_file(const YamlNode& node);

/// The same for a key that names a checkpoint. A bare name that is not beside the file that has the
/// key is looked for in $BITTERN_MODELS, ./models and ../shared/models, from the current folder and
/// from the program's. Throws Error with file and line, and what was tried.
std::filesystem::path checkpoint_file(const YamlNode& node);

/// The same for a key that holds what zoo_file() takes for this kind: a name of configs/<kind>
/// stays as it is. Throws Error with file and line when a path is given and no file is there.
std::string zoo_reference(const std::string& kind, const YamlNode& node);

/// The same for a key that names a policy file: a name of configs/policies, or a path to a .json
/// file. Throws Error with file and line where there is none.
std::filesystem::path policy_reference(const YamlNode& node);

/// Text that is to become the name of a file or folder. Throws Error with file and line where it
/// cannot: `.`, `..`, a slash, a control character, a dash or blank in front, a blank behind, more
/// than 100 bytes.
std::string file_name_of(const YamlNode& node);

}  // namespace bittern
