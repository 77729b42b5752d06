#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/campaign/campaign.h"
#include "host/campaign/run_options.h"
#include "host/evaluator/evaluator.h"
#include "host/network/network.h"

namespace bittern {

class RunDirectory;

/// A line of `--check`, and a fact about where numbers come from: name and text.
using NamedText = std::pair<std::string, std::string>;

/// What accuracies are counted on.
struct ImageCounts {
  std::string dataset;         ///< name
  std::size_t validation = 0;  ///< images; 0: not known
  std::size_t test = 0;
};

/// A policy's accuracies after the final fine-tune.
struct FinalAccuracies {
  Accuracy validation;
  Accuracy test;
  std::optional<Accuracy> choice;  ///< where images were set aside
  /// Where an operand stayed in floating point: on the test set with both quantised, untrained for
  /// it.
  std::optional<Accuracy> test_quantised;
};

/// One policy's validation accuracy before and after the final fine-tune.
struct FinalStep {
  std::string label;
  double before = 0.0;
  double after = 0.0;
};

/// The final fine-tune of a campaign, and the test set.
class FinalRound {
 public:
  virtual ~FinalRound() = default;
  /// Full precision on the test set.
  virtual Accuracy test_baseline() = 0;
  /// Hash of all that a final fine-tune depends on but the policy.
  virtual std::string key() const = 0;
  virtual int epochs() const = 0;
  /// Images that the fine-tune of one policy sees.
  virtual std::uint64_t images_each() const = 0;
  /// Fine-tunes a policy, writes its weights to `weights` and scores it. `advance` is called with
  /// the images of every step.
  virtual FinalAccuracies finish(const Policy& policy, const std::filesystem::path& weights,
                                 const std::function<void(std::uint64_t)>& advance) = 0;
  /// Throws Error unless the file holds weights that finish() wrote.
  virtual void check(const std::filesystem::path& weights) const = 0;
  /// Throws Error where nothing useful came out; else what makes the results doubtful.
  virtual std::vector<std::string> doubts(const std::vector<FinalStep>& steps) = 0;
};

/// Where the accuracies of a campaign come from, from the check to the test set: an evaluator with
/// all that it needs. Made before anything else is done; the constructor of an implementation
/// checks what can be known beforehand and throws Error.
class AccuracySource {
 public:
  virtual ~AccuracySource() = default;
  /// What makes the results doubtful from the start.
  virtual std::vector<std::string> warnings() const { return {}; }
  /// What will be done, for `--check`.
  virtual std::vector<NamedText> outline() const = 0;
  /// Throws Error naming the layer when a policy of the space cannot be evaluated.
  virtual void check_space(const BitSpace& /*space*/) const {}

  // The rest is called in this order.

  /// Reads what the constructor only looked at. Returns doubts.
  virtual std::vector<std::string> load() { return {}; }
  /// Gets the evaluator ready: trains or loads the network. Files may be kept in `directory`.
  /// Returns doubts.
  virtual std::vector<std::string> prepare(RunDirectory& directory) = 0;
  virtual Evaluator& evaluator() = 0;
  virtual ImageCounts images() const = 0;
  /// Doubts about a search, from the lines of all episodes.
  virtual std::vector<std::string> search_doubts(const std::vector<nlohmann::json>& /*episodes*/) {
    return {};
  }
  /// Null where there is neither a fine-tune nor a test set.
  virtual FinalRound* final_round() { return nullptr; }
  /// Where the accuracies come from, for CampaignResult::provenance.
  virtual std::vector<NamedText> facts() const = 0;
};

/// The evaluators that need no LibTorch. A program adds its own to them.
std::vector<EvaluatorKind> host_evaluators();

}  // namespace bittern
