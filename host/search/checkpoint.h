#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace bittern {

/// State of a search as it is kept in a file: a JSON header and named arrays of float32. The file
/// is written atomically and carries a hash of its content, so that a file that was cut off or
/// changed is recognised.
///
/// Format, little endian: 8 bytes "BITTERNC", u32 format version, u32 length of the header, header
/// (JSON {"state": ..., "arrays": [[name, length], ...]}), the arrays one after the other, u64 hash
/// of everything before it.
struct Checkpoint {
  nlohmann::json state;
  std::map<std::string, std::vector<float>> arrays;

  /// The array called `name`; throws Error when it is missing or not of `size` numbers.
  const std::vector<float>& array(const std::string& name, std::size_t size) const;
};

/// The hash at the end of a checkpoint that begins with `bytes`. Against accidents, not against
/// people.
std::uint64_t checkpoint_hash(std::string_view bytes);

/// Throws Error when the file cannot be written; an older one is intact then.
void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);

/// Throws Error "path: what is wrong" when the file is no checkpoint, is of another version, or is
/// damaged.
Checkpoint read_checkpoint(const std::filesystem::path& path);

/// Throws Error unless two fingerprints (JSON objects, nested) are equal, naming the first field
/// that differs with both values. `path` is the file that `found` was read from.
void require_same_fingerprint(const nlohmann::json& found, const nlohmann::json& expected,
                              const std::filesystem::path& path);

}  // namespace bittern
