#pragma once

#include <filesystem>
#include <string>

namespace bittern {

/// Temporary folder that is removed, with what is in it, at the end.
class TemporaryFolder {
 public:
  /// Made in $TMPDIR or /tmp, with a name that no other process has. Throws Error.
  explicit TemporaryFolder(const std::string& prefix = "bittern-test");
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// A path in it.
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace bittern
