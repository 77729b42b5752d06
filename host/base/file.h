#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace bittern {

/// Whole content of a file. Throws Error naming the path when it cannot be read or is larger than
/// `max_bytes`.
std::string read_file(const std::filesystem::path& path,
                      std::size_t max_bytes = std::size_t{4} << 30);

/// Writes a file so that a reader sees the old content or the new, never a part: temporary file
/// beside it, fsync, rename, fsync of the folder. Throws Error (and removes the temporary file) on
/// any failure, a full disk included.
void write_file(const std::filesystem::path& path, std::string_view content);

/// Appends one line and flushes it to the disk. Throws Error on failure.
void append_line(const std::filesystem::path& path, std::string_view line);

/// Folder with the files that Bittern ships (configs/): $BITTERN_HOME when set, else found from the
/// executable's place (build tree or installation), else the source folder of the build. Throws
/// Error saying what was tried.
std::filesystem::path home_folder();

/// Folder of the running executable.
std::filesystem::path executable_folder();

}  // namespace bittern
