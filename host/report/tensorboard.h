#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace bittern {

/// The content of a TensorBoard event file with every number of the lines of episodes.jsonl as a
/// scalar: a tag for each key ("accuracy", "cost/latency_s", "update/kl"), lists and texts left
/// out, the episode as step. Wall times count seconds from the begin of the search, by what the
/// lines say that their parts took, so that equal lines give equal files.
///
/// A file is a row of TFRecords (length, masked CRC-32C of the length, data, masked CRC-32C of the
/// data, little-endian), each an Event of TensorFlow's event.proto: wall_time (1, double), step (2,
/// int64), file_version (3, string) in the first one, summary (5) with values of tag (1) and
/// simple_value (2, float).
std::string tensorboard_events(const std::vector<nlohmann::json>& lines);

/// CRC-32C (Castagnoli, polynomial 0x1EDC6F41, reflected), as iSCSI has it (RFC 3720).
std::uint32_t crc32c(std::string_view bytes);

}  // namespace bittern
