#include "host/base/zoo.h"

#include <algorithm>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/yaml.h"

namespace bittern {

namespace fs = std::filesystem;

std::vector<std::string> zoo_names(const std::string& kind) {
  const fs::path folder = home_folder() / "configs" / kind;
  std::vector<std::string> names;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(folder, code)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  if (code) fail("{}: {}", folder.string(), code.message());
  std::sort(names.begin(), names.end());
  return names;
}

fs::path zoo_file(const std::string& kind, const std::string& name_or_path) {
  std::error_code code;
  if (fs::path(name_or_path).extension() == ".yaml") {
    if (!fs::exists(name_or_path, code)) fail_usage("{}: no such file", name_or_path);
    return name_or_path;
  }
  const std::vector<std::string> names = zoo_names(kind);
  if (std::find(names.begin(), names.end(), name_or_path) == names.end()) {
    fail_usage("configs/{} has no '{}'{} (files of your own are given by a path ending in .yaml)",
               kind, name_or_path, suggestion(name_or_path, names));
  }
  return home_folder() / "configs" / kind / (name_or_path + ".yaml");
}

}  // namespace bittern
