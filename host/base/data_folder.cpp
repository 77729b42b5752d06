#include "host/base/data_folder.h"

#include <cstdlib>
#include <vector>

#include "host/base/error.h"
#include "host/base/file.h"

namespace bittern {

namespace fs = std::filesystem;

std::vector<std::string> dataset_names() { return {"synthetic", "mnist", "cifar10"}; }

fs::path find_data_folder(const std::string& name, const std::string& file,
                          const std::string& folder) {
  std::vector<fs::path> places;
  if (!folder.empty()) {
    places.emplace_back(folder);
  } else {
    if (const char* place = std::getenv("BITTERN_DATA")) places.emplace_back(place);
    for (const fs::path& base : {fs::path("."), home_folder()}) {
      places.push_back(base / "data");
      places.push_back(base / "../shared/data");
    }
  }
  std::string tried;
  for (const fs::path& place : places) {
    for (const fs::path& candidate : {place / name, place}) {
      std::error_code ignored;  // an unreadable place is a place without the file
      for (const char* packed : {"", ".gz", ".xz"}) {
        if (fs::exists(candidate / (file + packed), ignored)) return candidate;
      }
      tried += "\n  " + (candidate / file).lexically_normal().string() + "[.gz]";
    }
  }
  fail_usage(
      "data set {} was not found; put its files into ./data/{} or name their folder with --data or "
      "$BITTERN_DATA. Tried:{}",
      name, name, tried);
}

}  // namespace bittern
