// What the fuzz targets have in common. A target gets bytes and must end: with a value or with
// bittern::Error, the only exception that may leave a reader. Anything else (another exception, a
// sanitizer's report, a hang) is a fault that libFuzzer shows.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "host/base/error.h"

namespace bittern::fuzz {

inline std::string_view as_text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Runs a reader; its Error is a good end.
template <typename Body>
void expect_value_or_error(Body body) {
  try {
    body();
  } catch (const Error&) {
  }
}

/// The input as a file, for readers that take a path. In memory where there is /dev/shm.
class InputFile {
 public:
  InputFile(std::string_view content, const std::string& extension) {
    const std::filesystem::path shm = "/dev/shm";
    const auto folder = std::filesystem::exists(shm) ? shm : std::filesystem::temp_directory_path();
    path_ = folder / ("bittern-fuzz-" + std::to_string(::getpid()) + extension);
    std::ofstream(path_, std::ios::binary) << content;
  }
  ~InputFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace bittern::fuzz
