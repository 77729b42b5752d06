#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace bittern {

/// episodes.jsonl of a run: a line an episode, of which the search's checkpoint knows the number
/// and a digest, so that lines that were lost or changed are noticed.
///
/// Every line is flushed to the disk before the checkpoint that covers it is written. A kill
/// between the two leaves more lines than the checkpoint knows: those episodes come again, so the
/// lines are dropped.
class EpisodeLog {
 public:
  /// Reads nothing yet: a search that starts at its beginning empties the file with its first line.
  explicit EpisodeLog(std::filesystem::path path) : path_(std::move(path)) {}

  /// Appends the line of the next episode.
  void append(const nlohmann::json& line);

  /// What a checkpoint keeps of the lines so far: {"lines": number, "digest": text}.
  nlohmann::json state() const;

  /// Goes back to the first `episodes` lines, dropping what follows. `state` is what state() gave
  /// then; null from checkpoints that have none, and then only the numbers of the episodes are
  /// compared. Throws Error naming what is missing or was changed, and what to do.
  void restore(int episodes, const nlohmann::json& state);

  /// The first lines of a file, those that a checkpoint knows, without changing it: its "episode"
  /// and "lines". Throws Error naming what is missing or was changed.
  static std::vector<nlohmann::json> read(const std::filesystem::path& path, int episodes,
                                          const nlohmann::json& state);

  /// The lines that were appended or restored. Throws Error where one cannot be read any more.
  std::vector<nlohmann::json> lines() const;

 private:
  std::filesystem::path path_;
  int lines_ = 0;
  std::string digest_;       ///< over all lines
  bool positioned_ = false;  ///< the file holds exactly lines_ lines
};

}  // namespace bittern
