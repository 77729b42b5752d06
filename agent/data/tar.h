#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "host/base/file_descriptor.h"
#include "host/base/span.h"

namespace bittern {

/// A regular file in a tar archive.
struct TarMember {
  std::string name;
  std::uint64_t offset = 0;  ///< of its content in the archive
  std::uint64_t size = 0;
};

/// An uncompressed tar archive (ustar, with the long names and sizes of GNU tar and pax) whose
/// members are read in place. Thread-safe.
class TarFile {
 public:
  /// Reads the headers. Throws Error with the path when it cannot be read, is compressed, is no
  /// tar, is cut off, or has a damaged header.
  explicit TarFile(const std::filesystem::path& path);

  /// Its regular files, in the archive's order.
  const std::vector<TarMember>& members() const { return members_; }
  /// Reads the content of a member. Throws Error when the archive has become shorter.
  std::vector<std::uint8_t> read(const TarMember& member) const;
  const std::filesystem::path& path() const { return path_; }

 private:
  void read_at(std::uint64_t offset, MutableBytes to) const;
  void index();

  std::filesystem::path path_;
  FileDescriptor file_;
  std::uint64_t size_ = 0;
  std::vector<TarMember> members_;
};

}  // namespace bittern
