#include "host/search/checkpoint.h"

#include <array>
#include <cstring>
#include <string_view>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/json.h"
#include "host/base/json_text.h"

namespace bittern {
namespace {

constexpr std::string_view kMagic = "BITTERNC";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kFixed = 8 + 4 + 4;
constexpr std::size_t kMaxBytes = std::size_t{1} << 30;

template <typename T>
void append(std::string& out, const T& value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <typename T>
T read_at(std::string_view bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(value));
  return value;
}

/// Field by field; empty when equal.
std::string first_difference(const nlohmann::json& found, const nlohmann::json& expected,
                             const std::string& name) {
  if (found == expected) return {};
  if (found.is_object() && expected.is_object()) {
    for (const auto& [key, value] : expected.items()) {
      const std::string path = name.empty() ? key : name + "." + key;
      const auto other = found.find(key);
      if (other == found.end()) return fmt::format("{} is missing there", path);
      std::string difference = first_difference(*other, value, path);
      if (!difference.empty()) return difference;
    }
    for (const auto& [key, value] : found.items()) {
      if (!expected.contains(key)) {
        return fmt::format("{} is {} there and unknown here", name.empty() ? key : name + "." + key,
                           value.dump());
      }
    }
  }
  return fmt::format("{} is {} there and {} here", name, found.dump(), expected.dump());
}

}  // namespace

// Four lanes of multiply and rotate over 64-bit words, several GB/s, so
// that a checkpoint after every episode costs nothing. (SHA-256 would take longer than the write.)
std::uint64_t checkpoint_hash(std::string_view bytes) {
  constexpr std::uint64_t kPrime = 0x9e3779b97f4a7c15ull;
  std::array<std::uint64_t, 4> lanes = {1, 2, 3, 4};
  const auto mix = [](std::uint64_t lane, std::uint64_t word) {
    lane = (lane ^ word) * kPrime;
    return (lane << 29) | (lane >> 35);
  };
  std::size_t at = 0;
  for (; at + 32 <= bytes.size(); at += 32) {
    std::array<std::uint64_t, 4> words;
    std::memcpy(words.data(), bytes.data() + at, 32);
    for (std::size_t i = 0; i < 4; ++i) lanes[i] = mix(lanes[i], words[i]);
  }
  for (; at < bytes.size(); ++at) {
    lanes[at % 4] = mix(lanes[at % 4], static_cast<unsigned char>(bytes[at]));
  }
  std::uint64_t hash = bytes.size();
  for (const std::uint64_t lane : lanes) hash = mix(hash, lane);
  return hash ^ (hash >> 32);
}

const std::vector<float>& Checkpoint::array(const std::string& name, std::size_t size) const {
  const auto found = arrays.find(name);
  if (found == arrays.end()) fail("checkpoint: array {} is missing", name);
  if (found->second.size() != size) {
    fail("checkpoint: array {} has {} numbers, expected {}", name, found->second.size(), size);
  }
  return found->second;
}

void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  nlohmann::json list = nlohmann::json::array();
  std::size_t numbers = 0;
  for (const auto& [name, values] : checkpoint.arrays) {
    list.push_back({name, values.size()});
    numbers += values.size();
  }
  const std::string header = json_text({{"state", checkpoint.state}, {"arrays", std::move(list)}});
  std::string content;
  content.reserve(kFixed + header.size() + numbers * sizeof(float) + sizeof(std::uint64_t));
  content += kMagic;
  append(content, kVersion);
  append(content, static_cast<std::uint32_t>(header.size()));
  content += header;
  for (const auto& [name, values] : checkpoint.arrays) {
    content.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  }
  append(content, checkpoint_hash(content));
  write_file(path, content);
}

Checkpoint read_checkpoint(const std::filesystem::path& path) {
  const std::string content = read_file(path, kMaxBytes);
  const std::string_view bytes = content;
  const auto damaged = [&path](const std::string& what) {
    fail("{}: damaged checkpoint: {}. Restore a copy, or delete it and start the search again",
         path.string(), what);
  };
  if (bytes.substr(0, kMagic.size()) != kMagic) {
    fail("{}: not a checkpoint of a search (it does not begin with {})", path.string(), kMagic);
  }
  if (bytes.size() < kFixed + sizeof(std::uint64_t)) {
    damaged(fmt::format("only {} bytes", bytes.size()));
  }
  const auto version = read_at<std::uint32_t>(bytes, 8);
  if (version != kVersion) {
    fail(
        "{}: checkpoint format {}, this program reads {}: use the program that wrote it, or start "
        "the search again",
        path.string(), version, kVersion);
  }
  const std::size_t end = bytes.size() - sizeof(std::uint64_t);
  if (read_at<std::uint64_t>(bytes, end) != checkpoint_hash(bytes.substr(0, end))) {
    damaged("its content does not fit its hash (cut off or changed)");
  }
  // From here on the content is what was written; the checks below keep a forged file from harm.
  const std::size_t header_size = read_at<std::uint32_t>(bytes, 12);
  if (header_size > end - kFixed) damaged("the header is longer than the file");
  JsonOptions options =
      JsonOptions::own_file("restore a copy, or delete it and start the search again");
  options.max_bytes = kMaxBytes;
  const nlohmann::json header = parse_json(bytes.substr(kFixed, header_size),
                                           path.string() + ": damaged checkpoint: header", options);
  if (!header.is_object() || !header.contains("state") || !header.contains("arrays") ||
      !header["arrays"].is_array()) {
    damaged("the header is not what was expected");
  }
  Checkpoint checkpoint;
  checkpoint.state = header["state"];
  std::size_t at = kFixed + header_size;
  for (const auto& entry : header["arrays"]) {
    if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() ||
        !entry[1].is_number_unsigned()) {
      damaged("the list of arrays is not what was expected");
    }
    const auto size = entry[1].get<std::uint64_t>();
    if (size > (end - at) / sizeof(float)) damaged("an array is longer than the file");
    std::vector<float>& values = checkpoint.arrays[entry[0].get<std::string>()];
    values.resize(size);
    if (size > 0) std::memcpy(values.data(), bytes.data() + at, size * sizeof(float));
    at += size * sizeof(float);
  }
  if (at != end) damaged("there is more in it than its header says");
  return checkpoint;
}

void require_same_fingerprint(const nlohmann::json& found, const nlohmann::json& expected,
                              const std::filesystem::path& path) {
  const std::string difference = first_difference(found, expected, "");
  if (difference.empty()) return;
  fail(
      "{}: belongs to another search: {}. Resume with the settings it was made with{}, or start "
      "without resuming",
      path.string(), difference,
      difference.find("cost_model") == std::string::npos
          ? ""
          : " and the Bittern, RTL, variant and energy table that gave its costs");
}

}  // namespace bittern
