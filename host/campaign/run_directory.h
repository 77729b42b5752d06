#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "host/base/file_descriptor.h"
#include "host/campaign/episode_log.h"
#include "host/evaluator/evaluator.h"
#include "host/result/result.h"

namespace bittern {

/// The directory of a campaign while one process works in it: what is kept for resuming, and the
/// result files.
///
/// A directory belongs to the settings of its run from the first episode on. What is there before
/// (trained weights, accuracies) is found by its content and can serve any settings, so a start
/// that failed keeps nobody from starting with other ones.
class RunDirectory {
 public:
  /// What the constructor would refuse, without making or changing anything that stays; also Error
  /// when the directory could not be made or written.
  static void check(const std::filesystem::path& folder, const std::string& key, bool resume);

  /// result.json of a run with these settings; empty when there is none. Throws Error when the
  /// folder holds a run with other settings, or when the file is damaged.
  static std::optional<CampaignResult> result(const std::filesystem::path& folder,
                                              const std::string& key);

  /// Locks `folder` (made when missing). `key` is campaign_key(): kept on the first run, compared
  /// on a resumed one. Throws Error (exit status 2) when the folder holds a run and `resume` is not
  /// set, or a run with other settings (the first that differs is named; the budget of a search
  /// that does not depend on it may change), Error when another process has the lock.
  RunDirectory(std::filesystem::path folder, const std::string& key, bool resume);
  /// Removes what the constructor made when nothing was kept in it.
  ~RunDirectory();
  RunDirectory(const RunDirectory&) = delete;
  RunDirectory& operator=(const RunDirectory&) = delete;

  std::filesystem::path file(const std::string& name) const { return folder_ / name; }
  std::filesystem::path state(const std::string& name) const { return folder_ / "state" / name; }

  /// Outcomes and weights of final fine-tunes are kept in `folder` (made when missing) from now on.
  void share_finished(const std::filesystem::path& folder);

  /// episodes.jsonl.
  EpisodeLog& episodes() { return episodes_; }

  /// Outcome of a policy's final fine-tune, when an earlier process got as far.
  std::optional<PolicyOutcome> finished(const Policy& policy) const;
  void keep_finished(const PolicyOutcome& outcome);
  /// The full-precision network on the test images, when that was kept (top1 and answers).
  std::optional<Accuracy> full_precision() const;
  void keep_full_precision(const Accuracy& test);
  /// Where the weights of that policy's final fine-tune are kept.
  std::filesystem::path finished_weights(const Policy& policy) const;

 private:
  std::string finished_name(const Policy& policy) const;
  /// Calls `take` with what is kept by that name, when something is.
  void read_finished(const std::string& name,
                     const std::function<void(const nlohmann::json&)>& take) const;
  void lock();
  void make_folders();
  void remove_what_was_made();

  std::filesystem::path folder_;
  std::filesystem::path finished_folder_;    ///< of finished policies
  std::vector<std::filesystem::path> made_;  ///< folders that were not there, outermost first
  FileDescriptor lock_;
  EpisodeLog episodes_;
};

/// Path of the first place where two JSON documents differ, with both values: "search.episodes:
/// 200, before 100"; empty when they are equal.
std::string first_difference(const nlohmann::json& now, const nlohmann::json& before);

}  // namespace bittern
