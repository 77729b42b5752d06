#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "host/campaign/result.h"

namespace bittern {

/// The directory of a campaign while one process works in it: what is kept for resuming, and the
/// result files.
class RunDirectory {
 public:
  /// Locks `folder` (made when missing). `key` is campaign_key(): kept on the first run, compared
  /// on a resumed one. Throws Error (exit status 2) when the folder holds a run and `resume` is not
  /// set, or a run with other settings (the first that differs is named), Error when another
  /// process has the lock.
  RunDirectory(std::filesystem::path folder, const std::string& key, bool resume);
  ~RunDirectory();
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;

  std::filesystem::path file(const std::string& name) const { return folder_ / name; }
  std::filesystem::path state(const std::string& name) const { return folder_ / "state" / name; }

  /// Appends a line to episodes.jsonl.
  void add_episode(const nlohmann::json& line);
  /// Drops the lines of episodes from `first` on, and a last line that a kill cut off.
  void keep_episodes_before(int first);
  /// Lines of episodes.jsonl.
  std::vector<nlohmann::json> episodes() const;

  /// Outcome of a policy's final fine-tune, when an earlier process got as far.
  std::optional<PolicyOutcome> finished(const Policy& policy) const;
  void keep_finished(const PolicyOutcome& outcome);
  /// Where the weights of that policy's final fine-tune are kept.
  std::filesystem::path finished_weights(const Policy& policy) const;

 private:
  std::string finished_name(const Policy& policy) const;

  std::filesystem::path folder_;
  int lock_ = -1;
};

/// Path of the first place where two JSON documents differ, with both values: "search.episodes:
/// 200, before 100"; empty when they are equal.
std::string first_difference(const nlohmann::json& now, const nlohmann::json& before);

}  // namespace bittern
