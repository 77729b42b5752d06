#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "host/evaluator/answers.h"
#include "host/network/network.h"

namespace bittern {

/// Cost of one layer under a policy, for the variant's batch.
struct LayerOutcome {
  std::string name;
  BitPair bits;
  std::uint64_t cycles = 0;
  double latency_s = 0.0;
  double energy_j = 0.0;
  std::string origin;  ///< "rtl", "board", "model" or "table"
  /// Bits that the hardware ran, where it rounds those that were asked for.
  std::optional<BitPair> ran = std::nullopt;
  // Of files that earlier versions wrote the next ones are not known: empty or 0.
  std::string shape = {};       ///< Layer::key(): by which lut.csv has it
  double operations = 0.0;      ///< multiplications and additions of the batch: 2 per MAC
  double bytes = 0.0;           ///< moved between device memory and chip, read and written
  double peak_ops_per_s = 0.0;  ///< of the array at the bits that ran; 0 with a cost table

  /// Operations a byte of device memory, as HAQ draws them (CVPR 2019, Figures 3 to 5); 0 where
  /// that is not known.
  double intensity() const { return bytes > 0.0 ? operations / bytes : 0.0; }
};

/// A policy with everything that was found out about it.
struct PolicyOutcome {
  std::string label;  ///< "found", "uniform 4", "w6/a4, ends 8/8", ...
  std::vector<LayerOutcome> layers;
  double latency_s = 0.0;
  double energy_j = 0.0;                                 ///< first DRAM anchor of the energy table
  double energy_high_j = 0.0;                            ///< second
  double size_bytes = 0.0;                               ///< weights * bits / 8
  std::optional<double> search_accuracy = std::nullopt;  ///< percent, as the search saw it
  double validation_accuracy = 0.0;     ///< percent, after the short fine-tune of the search
  std::optional<double> test_accuracy;  ///< percent, after the final fine-tune
  /// Percent, after the final fine-tune, on images that the search did not see; where there are
  /// any.
  std::optional<double> choice_accuracy = std::nullopt;
  /// Percent, after the final fine-tune, with the operand quantised that
  /// CampaignResult::float_operand names; where there is one.
  std::optional<double> quantised_test_accuracy = std::nullopt;
  /// Image by image, after the final fine-tune; empty before.
  Answers validation_answers = {};
  Answers test_answers = {};

  std::uint64_t cycles() const;
  Policy policy() const;
  /// The part of the cost that a constraint's resource means: seconds, joules or bytes.
  double value_of(const std::string& resource) const;
  double mean_weight_bits() const;
  double mean_activation_bits() const;
};

/// One constraint and how it came out.
struct ConstraintOutcome {
  std::string resource;    ///< "latency", "energy" or "model_size"
  std::string unit;        ///< "s", "J" or "bytes"
  double reference = 0.0;  ///< value of CampaignResult::reference
  double limit = 0.0;      ///< absolute
  double achieved = 0.0;
  bool met() const { return allows(achieved); }
  bool allows(double value) const { return value <= limit * (1.0 + 1e-12); }
};

/// The policy that ratios refer to.
struct ReferenceOutcome {
  std::string bits = "8/8";  ///< another one only where a cost table lacks 8/8
  double latency_s = 0.0;
};

/// Bytes a second between device memory and chip; 0 where they are not known (a cost table).
struct BandwidthOutcome {
  double port_bytes_per_s = 0.0;  ///< of one data port
  double all_bytes_per_s = 0.0;   ///< of all of them together
};

/// Everything that a campaign found: the content of result.json.
struct CampaignResult {
  std::string campaign;
  std::string campaign_file = {};  ///< text of the file; empty: not known (an earlier version)
  std::string network;
  std::string dataset;
  std::string variant;
  std::string search;
  /// The method is reinforcement learning, and one that goes through everything
  /// (ConfiguredMethod).
  bool reinforcement = false;
  bool exhaustive = false;
  std::string cost_kind;  ///< "rtl", "model" or "table"
  /// "weights" or "activations" where these stay in floating point, and have the cost of 8 bits;
  /// else empty.
  std::string float_operand = {};
  std::uint64_t seed = 0;
  int episodes = 0;
  int budget = 0;
  /// Different policies that were scored, and what gradients cost, in evaluations; 0: not known.
  double evaluations = 0.0;
  int evaluation_budget = 0;  ///< so many of them there might have been; 0: as many as episodes
  std::optional<double> search_accuracy;  ///< of the found policy, percent, as the search saw it
  std::string start = {};  ///< what the search started from, a sentence; empty: from nothing
  bool exhausted = false;  ///< the method had no more to propose
  bool stopped = false;    ///< ended early by Ctrl-C; what is here is the best so far
  double baseline_validation = 0.0;     ///< full precision, percent
  std::optional<double> baseline_test;  ///< full precision, percent
  Answers baseline_validation_answers = {};
  Answers baseline_test_answers = {};
  std::size_t validation_images = 0;  ///< 0: not known (written by an earlier version)
  std::size_t test_images = 0;
  int policies_tried = 0;  ///< different ones among which validation accuracy chose; 0: not known
  int finalists = 0;       ///< of them, those that had the final fine-tune
  ReferenceOutcome reference = {};
  BandwidthOutcome bandwidth = {};
  std::vector<ConstraintOutcome> constraints;
  PolicyOutcome best;
  /// What the found policy is compared with: uniform bits and a mixed row, pinned as the search is.
  std::vector<PolicyOutcome> uniform;
  std::vector<PolicyOutcome> given = {};  ///< and policies that the campaign names
  std::string uniform_note;           ///< why a width has no row among them; empty: all have one
  std::vector<std::string> warnings;  ///< what makes results doubtful
  /// Named strings that say where the numbers come from: versions, hashes, energy table and its
  /// DRAM anchors, ...
  std::vector<std::pair<std::string, std::string>> provenance;
  nlohmann::json
      timing;  ///< seconds spent, the only part that differs between two runs with one seed

  /// The evaluations that were made and those that might have been, whichever way the search was
  /// limited; results of earlier versions know only their episodes.
  double evaluations_made() const { return evaluations > 0.0 ? evaluations : episodes; }
  int evaluations_allowed() const { return evaluation_budget > 0 ? evaluation_budget : budget; }
  /// Of the uniform policies that meet every limit, the one with the highest validation accuracy
  /// (of two equal ones the faster): chosen as the found one is, without the test set. nullptr when
  /// no uniform policy meets the limits.
  const PolicyOutcome* best_uniform() const;
  /// Whether a policy costs at most `factor` times every limit.
  bool within_limits(const PolicyOutcome& outcome, double factor = 1.0) const;
};

/// result.json. Keys are stable; numbers carry their unit in the name.
nlohmann::json to_json(const CampaignResult& result);

/// The inverse; throws Error naming the missing or malformed key.
CampaignResult campaign_result_from_json(const nlohmann::json& json);

}  // namespace bittern
