#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace bittern {

/// `folder`/`file`, or the same with .gz or .xz behind it, whichever is there; the plain one first.
/// Throws Error that names the folder and, in `what`, what the file belongs to.
std::filesystem::path plain_or_packed(const std::filesystem::path& folder, const std::string& file,
                                      const std::string& what);

/// Reads a file from its beginning, unpacked when it is a gzip or xz stream (told by its first
/// bytes). Takes no more memory than a few pieces and what unpacking needs, whatever the file says
/// of itself. The one reader of compressed files.
class PackedReader {
 public:
  /// Throws Error with the path when it cannot be opened.
  explicit PackedReader(const std::filesystem::path& path);
  ~PackedReader();
  PackedReader(PackedReader&&) noexcept;
  PackedReader& operator=(PackedReader&&) noexcept;

  /// Reads up to `size` bytes and returns how many there were; fewer only at the end. Throws Error
  /// with the path when the file cannot be read, is damaged, cut off, or goes on behind the end of
  /// its stream.
  std::size_t read(std::uint8_t* to, std::size_t size);
  /// Reads exactly `size` bytes. Throws Error that also says of `what` there were too few.
  void read_exactly(std::uint8_t* to, std::size_t size, const std::string& what);
  /// Whether the file is compressed.
  bool compressed() const;

  /// Where bytes come from.
  class Source;

 private:
  std::filesystem::path path_;
  std::unique_ptr<Source> source_;
};

/// Bytes that a file holds, unpacked, as its own end announces them: told without unpacking. Throws
/// Error with the path when that end is missing or damaged.
std::uint64_t unpacked_size(const std::filesystem::path& path);

/// Content of a file, unpacked. Throws Error as PackedReader does, and when it holds more than
/// `most` bytes, of which no more are kept.
std::vector<std::uint8_t> read_packed(const std::filesystem::path& path, std::size_t most);

}  // namespace bittern
