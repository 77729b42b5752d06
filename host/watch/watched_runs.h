#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "host/result/episodes.h"

namespace bittern {

/// Searches that go on, or went on, in the directories of `bittern run`. Only reads, takes no lock
/// and keeps no file open, so that no run notices; damaged, vanished and half-written files are
/// said and survived.
class WatchedRuns {
 public:
  /// Searches that are followed at most; further ones are left out and said.
  static constexpr std::size_t kMostRuns = 500;

  /// Directories of one search, or with searches in their folders; they may be empty still. Throws
  /// Error (exit status 2) for one that is not there.
  explicit WatchedRuns(std::vector<std::filesystem::path> folders);

  /// Looks for new searches and lines. True when anything changed.
  bool poll();

  std::size_t count() const { return runs_.size(); }
  /// {"runs": [{"name", "episodes", "accuracy", "best_accuracy", "best_reward", "state", "note",
  /// "version"}], "note"}: what the page's table shows. Numbers that are not known are null;
  /// `version` grows whenever the run changes.
  nlohmann::json summary() const;
  /// The charts of a run as HTML; `run` is below count().
  std::string charts_html(std::size_t run) const;
  /// Best accuracy so far of all runs, as HTML.
  std::string overview_html() const;
  /// The lines of a run.
  const std::vector<nlohmann::json>& lines(std::size_t run) const;

 private:
  struct Run {
    std::string name;
    std::filesystem::path folder;
    EpisodeFollower follower;
    bool finished = false;  ///< result.json is there
    std::string note;       ///< what is wrong with its files
    int version = 0;
  };
  void discover();
  void add(const std::filesystem::path& folder);

  std::vector<std::filesystem::path> folders_;
  std::vector<Run> runs_;
  std::map<std::filesystem::path, std::size_t> known_;
  std::string note_;
};

}  // namespace bittern
