#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "host/network/network.h"

namespace bittern {

/// One evaluation of a search, as a line of episodes.jsonl has it.
struct Episode {
  int number = 0;
  /// Different policies that were scored up to this one, and what gradients cost besides; of lines
  /// of earlier versions the number of episodes.
  double evaluations = 0.0;
  Policy policy;          ///< that ran, behind the constraint wall
  double accuracy = 0.0;  ///< percent, as the search saw it
  double reward = 0.0;
  double latency_s = 0.0;  ///< of the variant's batch
  double energy_j = 0.0;
  double weight_bytes = 0.0;
  bool meets_limits = true;
  /// Images that it was rejected on, which its accuracy is of; 0: all were looked at.
  std::int64_t screened_images = 0;

  /// Whether it may be a result of the search.
  bool eligible() const { return meets_limits && screened_images == 0; }

  /// The part of the cost that a constraint's resource means: seconds, joules or bytes.
  double value_of(const std::string& resource) const;
};

/// Reads a line. Throws Error naming the key that is missing or of another form; `where` is said
/// before it.
Episode read_episode(const nlohmann::json& line, const std::string& where);

/// The lines of an episodes.jsonl, read anew each time as far as they have grown: of a run that
/// goes on, too. Only reads; holds no lock and no descriptor between two reads.
class EpisodeFollower {
 public:
  /// Bytes of a line, and of all of them, that are read at most: beyond them the file is none of a
  /// search.
  static constexpr std::size_t kLongestLine = std::size_t{4} << 20;
  static constexpr std::uintmax_t kLargestFile = std::uintmax_t{256} << 20;

  explicit EpisodeFollower(std::filesystem::path path) : path_(std::move(path)) {}

  /// Reads what came since the last call; true when there is something new. A last line without its
  /// newline is left for the next call. A file that became shorter, was replaced, or whose first
  /// line changed (a search that began anew or dropped lines) is read from its beginning. No file:
  /// no lines. Throws Error naming file and line when a whole line is no episode; then nothing was
  /// taken of what came with it.
  bool update();

  const std::vector<nlohmann::json>& lines() const { return lines_; }
  const std::vector<Episode>& episodes() const { return episodes_; }
  /// How often it began at the beginning: a change means that earlier lines may have changed.
  int generation() const { return generation_; }

 private:
  void restart();

  std::filesystem::path path_;
  std::uintmax_t offset_ = 0;  ///< bytes that were taken
  std::uint64_t inode_ = 0;
  std::string head_;  ///< first bytes of the file
  std::vector<nlohmann::json> lines_;
  std::vector<Episode> episodes_;
  int generation_ = 0;
};

}  // namespace bittern
