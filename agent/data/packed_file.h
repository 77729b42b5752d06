#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bittern {

/// `folder`/`file`, or the same with .gz or .xz behind it, whichever is there; the plain one first.
/// Throws Error that names the folder and, in `what`, what the file belongs to.
std::filesystem::path plain_or_packed(const std::filesystem::path& folder, const std::string& file,
                                      const std::string& what);

/// Content of a file, unpacked when it is a gzip or xz stream (told by its first bytes). Throws
/// Error with the path when it cannot be read, is damaged or cut off, or holds more than `most`
/// bytes, of which no more are kept.
std::vector<std::uint8_t> read_packed(const std::filesystem::path& path, std::size_t most);

}  // namespace bittern
