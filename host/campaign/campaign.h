#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "host/search/bit_space.h"
#include "host/search/method.h"

namespace bittern {

/// `data:` of a campaign.
struct DataSettings {
  std::string dataset = "synthetic";  ///< "synthetic", "mnist" or "cifar10"
  std::uint64_t seed = 1;             ///< of the synthetic images and of the train/validation split
  int train_images = 0;       ///< beside the validation images; mnist: 0 for all that are left
  int validation_images = 0;  ///< cut from the training set
  /// Of the validation images, kept from the search: the choice among its best is made on them.
  int choice_images = 0;
  int test_images = 0;  ///< synthetic only; mnist is always tested on all of its 10 000
};

/// `model:` of a campaign: the full-precision network that is quantised.
struct ModelSettings {
  std::string
      checkpoint;  ///< safetensors file; empty: trained as below, and kept in the result directory
  int epochs = 3;
  double learning_rate = 0.05;
  int batch = 64;
};

/// `evaluator:` of a campaign: how the accuracy of a policy is found.
struct EvaluatorSettings {
  std::string kind = "fake-quant";  ///< or "table"
  /// The next three are of `table`.
  std::string table;            ///< file, see TableEvaluator
  double full_precision = 0.0;  ///< accuracy in percent
  bool missing_is_bad = false;  ///< a policy that is not in the table: an accuracy of 0, no error
  /// All others are of `fake-quant`.
  /// How clipping thresholds are found: "max", "kl", "mse", "percentile" or "haq" (max from 5 bits
  /// on, KL below).
  std::string weight_range = "mse";
  std::string activation_range = "mse";
  bool per_channel = false;
  int calibration_images = 256;
  int finetune_images =
      0;  ///< training images seen in the short fine-tune of every evaluation; 0: none
  double finetune_rate = 1e-3;
  int batch = 128;
};

/// `search:` of a campaign: what every method shares. A method's own keys are in Campaign::method.
struct SearchSettings {
  int episodes = 200;
  int min_bits = 2;
  int max_bits = 8;
  std::string mode = "w+a";       ///< "w+a", "w", "a" or "w=a"
  std::string wall = "must_pay";  ///< "haq", "must_pay" or "best_ratio"
  double must_pay_share = 0.01;   ///< of the layer's own cost that a decrement must save
  bool pin_first_last = true;     ///< first and last layer stay at 8/8 bits
  std::vector<LayerBits> bits;    ///< of single layers
  std::vector<std::vector<std::string>> ties;  ///< layers that share their bits
  std::optional<double> accuracy_floor;        ///< percent; policies below it rank last
};

/// `final:` of a campaign: what happens to the best policy (and, the same way, to the uniform ones
/// it is compared with).
struct FinalSettings {
  int candidates =
      3;  ///< best policies of the search that get it; validation accuracy decides among them
  int epochs = 3;
  double learning_rate = 0.01;
  int batch = 64;
};

/// One entry of `constraints:`.
struct ConstraintSettings {
  std::string resource;  ///< "latency", "energy" or "model_size"
  bool is_ratio = true;  ///< of the 8/8 policy; else absolute, in s, J or bytes
  double limit = 0.0;
};

/// A campaign file. Paths are ready for use: those that the file gives relatively count from its
/// folder.
struct Campaign {
  std::string name;
  std::string description;
  std::string network;
  /// With `cost: table` the name that the table's rows must have, empty for any.
  std::string variant;
  std::string cost = "rtl";  ///< "rtl", "model" or "table"
  std::string table;         ///< LUT file when cost is "table"
  std::uint64_t seed = 234;
  DataSettings data;
  ModelSettings model;
  EvaluatorSettings evaluator;
  std::vector<ConstraintSettings> constraints;
  SearchSettings search;
  ConfiguredMethod method;
  FinalSettings final;
  std::filesystem::path file;
  std::string text;  ///< of that file
  /// `network`, `variant`, `table` and `checkpoint` as the file writes them: a path depends on
  /// where the command was started, these do not.
  std::map<std::string, std::string> written;

  /// Of a file that lists several networks, variants, methods, limits or seeds: what tells this
  /// cell from the others, fit for the name of a folder; empty where there is but one.
  std::string cell;

  /// What `written` has for `key`, else `value`.
  const std::string& as_written(const std::string& key, const std::string& value) const;
};

/// Reads a campaign file, or configs/campaigns/<name>.yaml when the argument has no folder and no
/// extension: its cells, the product of the networks, variants, methods, limits and seeds that it
/// lists, in that order, the last one fastest. `methods` are those that may be named; without a
/// list nothing is known of a method but its name (enough to describe a campaign, not to run it).
/// `settings` ("search.episodes=20", "constraints[0].ratio=0.3") override its keys, in
/// order; relative paths in them count from the current folder. Strict: an unknown key, a wrong
/// type, a value out of range, a contradiction or a file that is not there is an Error
/// "file:line: ..." or "--set key: ..." with exit status 2.
std::vector<Campaign> load_cells(const std::string& path_or_name,
                                 const std::vector<std::string>& settings = {},
                                 const std::vector<MethodKind>* methods = nullptr);

/// The same of a file with one cell; Error where there are several.
Campaign load_campaign(const std::string& path_or_name,
                       const std::vector<std::string>& settings = {},
                       const std::vector<MethodKind>* methods = nullptr);

/// Names of the campaigns shipped in configs/campaigns, sorted.
std::vector<std::string> campaign_names();

/// Canonical JSON text of every setting that changes results, in a fixed order: what a resumed run
/// must share with the run that it continues.
std::string campaign_key(const Campaign& campaign);

}  // namespace bittern
