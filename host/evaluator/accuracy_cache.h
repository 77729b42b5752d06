#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "host/evaluator/evaluator.h"

namespace bittern {

/// Accuracies by content key, kept in a file of JSON lines ({"key", "top1", "loss", "policy",
/// "processor", "sha256"}) that any number of processes may append to: every line is written under
/// a lock, and a line that a killed process left unfinished is cut off. Every line carries a digest
/// of itself; lines of earlier versions, which have none, are passed over, so that those accuracies
/// are computed anew.
class AccuracyCache {
 public:
  /// Reads the file; an empty path keeps the cache in memory only. Throws Error with file and line
  /// when a line is malformed or does not fit its digest. `processor` goes with what is inserted.
  explicit AccuracyCache(std::filesystem::path path, std::string processor = "");

  /// The accuracy stored under `key`, if any. Sees what this process knows: the file is read once.
  std::optional<Accuracy> find(const std::string& key) const;

  /// Stores an accuracy and flushes it to the disk. `policy` is written along for people. Does
  /// nothing when the key is there. Throws Error when the file cannot be written.
  void insert(const std::string& key, const Accuracy& accuracy, const Policy& policy);

  std::size_t size() const { return entries_.size(); }
  /// What the accuracies in the file were computed on.
  const std::set<std::string>& processors() const { return processors_; }

 private:
  void load();

  std::filesystem::path path_;
  std::string processor_;
  std::map<std::string, Accuracy> entries_;
  std::set<std::string> processors_;
};

}  // namespace bittern
