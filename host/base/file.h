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
/// beside it, fsync, rename, fsync of the folder. Missing folders are made. The permission bits of
/// a file that is replaced are kept, and it must be writable itself. A symbolic link stays: what it
/// leads to is written, whether it is there already or not. Whatever is no regular file (device
/// nodes, pipes, /dev/stdout) is written to, never replaced; `-` is standard output. Throws Error
/// (and removes the temporary file) on any failure, a full disk included; with exit status 2 when
/// the path is that of a folder.
void write_file(const std::filesystem::path& path, std::string_view content);

/// Throws Error when write_file() could not write `path` now: a folder, no permission. For outputs
/// that take long to make. Changes nothing.
void check_output_file(const std::filesystem::path& path);

/// Whether write_file() would write to what is at `path` instead of replacing it, so that content
/// which is written twice is there twice.
bool is_stream(const std::filesystem::path& path);

/// Whether write_file() would write `path` to standard output: `-`, /dev/stdout and the like. What
/// else a command has to say belongs to stderr then.
bool is_standard_output(const std::filesystem::path& path);

/// Appends one line and flushes it to the disk. Throws Error on failure.
void append_line(const std::filesystem::path& path, std::string_view line);

/// Folder with the files that Bittern ships (configs/): $BITTERN_HOME when set, else found from the
/// executable's place (build tree or installation), else the source folder of the build. Throws
/// Error saying what was tried.
std::filesystem::path home_folder();

/// Folder of the running executable.
std::filesystem::path executable_folder();

}  // namespace bittern
