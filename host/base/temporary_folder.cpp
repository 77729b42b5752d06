#include "host/base/temporary_folder.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "host/base/error.h"

namespace bittern {

TemporaryFolder::TemporaryFolder(const std::string& prefix) {
  std::error_code code;
  std::filesystem::path base = std::filesystem::temp_directory_path(code);
  if (code) base = "/tmp";
  std::string pattern = (base / (prefix + ".XXXXXX")).string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    fail("{}: cannot create a temporary folder: {}", pattern, std::strerror(errno));
  }
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code code;
  std::filesystem::remove_all(path_, code);
}

}  // namespace bittern
