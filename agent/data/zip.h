#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bittern {

/// A file in a zip archive that is in memory.
struct ZipMember {
  std::string name;
  bool deflated = false;
  std::uint32_t checksum = 0;  ///< CRC-32 of the content
  std::uint64_t size = 0;      ///< of the content
  std::string_view packed;     ///< as it lies in the archive
};

/// The members of a zip archive (stored or deflated, no encryption, at most 4 GiB: what NumPy
/// writes). The members point into `content`. Throws Error that starts with `name`.
std::vector<ZipMember> parse_zip(std::string_view content, const std::string& name);

/// The content of a member. Throws Error that starts with `name` when it is damaged, or larger than
/// `most` bytes.
std::vector<std::uint8_t> unzip(const ZipMember& member, std::uint64_t most,
                                const std::string& name);

}  // namespace bittern
