#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "host/base/yaml.h"
#include "host/network/network.h"
#include "host/search/bit_space.h"
#include "host/search/method.h"

namespace bittern {

class AccuracySource;
struct Campaign;
struct RunOptions;

/// `data:` of a campaign.
struct DataSettings {
  std::string dataset = "synthetic";  ///< one of dataset_names()
  std::uint64_t seed = 1;             ///< of the synthetic images and of the train/validation split
  int train_images =
      0;  ///< beside the validation images; synthetic: at least 1; 0: all that are left
  int validation_images = 0;  ///< cut from the training set
  /// Of the validation images, kept from the search: the choice among its best is made on them.
  int choice_images = 0;
  int test_images = 0;  ///< of sets without test images of their own; 0: as they have it
  std::string folder;   ///< that has the files; empty: looked for, see find_data_folder()
  int resize = 0;  ///< of images of any size: pixels of their shorter side; 0: as the crop fits
};

/// `model:` of a campaign: the full-precision network that is quantised.
struct ModelSettings {
  std::string
      checkpoint;  ///< safetensors file; empty: trained as below, and kept in the result directory
  int epochs = 3;
  double learning_rate = 0.05;
  int batch = 64;
};

/// `evaluator:` of a campaign: how the accuracy of a policy is found, ready to be made.
struct ConfiguredEvaluator {
  std::string name = "fake-quant";
  /// It evaluates on images: the campaign's `data`, `model` and `final` are used.
  bool uses_images = true;
  /// Its weights are indices into a codebook of each layer: the model size counts the codebooks,
  /// and no core can say how long it takes.
  bool codebooks = false;
  /// Its settings in a fixed order: part of campaign_key().
  nlohmann::ordered_json key = nlohmann::ordered_json::object();
  /// References outlive the source. Throws Error when the campaign cannot be evaluated.
  std::function<std::unique_ptr<AccuracySource>(const Campaign&, const Network&, const RunOptions&)>
      make;
};

/// An entry of the list of evaluators: one line for each.
struct EvaluatorKind {
  std::string name;  ///< as `evaluator: {kind: ...}` has it
  std::string description;
  std::vector<std::string> keys;  ///< that configure() reads
  /// Reads the evaluator's keys. Throws Error naming the key.
  std::function<ConfiguredEvaluator(const YamlMap&)> configure;
};

/// What a program can run: the lists that campaigns choose from.
struct CampaignKinds {
  std::vector<MethodKind> methods;
  std::vector<EvaluatorKind> evaluators;
};

/// `search:` of a campaign: what every method shares. A method's own keys are in Campaign::method.
struct SearchSettings {
  int episodes = 200;
  /// Different policies that may be scored, gradients counted in; 0: as many as there are episodes.
  int evaluations = 0;
  /// Policies that a method may have scored, whichever way the campaign limits them.
  int budget() const { return evaluations > 0 ? evaluations : episodes; }
  int min_bits = 2;
  int max_bits = 8;
  std::string mode = "w+a";  ///< "w+a", "w", "a" or "w=a"
  /// What the operand that modes w and a leave alone has in every layer: a width; nothing: it stays
  /// in floating point, and costs what 8 bits cost.
  std::optional<int> fixed = 8;
  std::string wall = "must_pay";  ///< "haq", "must_pay" or "best_ratio"
  double must_pay_share = 0.01;   ///< of the layer's own cost that a decrement must save
  bool pin_first_last = true;     ///< first and last layer stay at 8/8 bits
  std::vector<LayerBits> bits;    ///< of single layers
  std::vector<std::vector<std::string>> ties;  ///< layers that share their bits
  /// The same, read off the graph: "add" or "concat", whose inputs come from them.
  std::vector<std::string> tied_inputs_of;
  std::optional<double> accuracy_floor;  ///< percent; policies below it rank last
  std::string goal = "accuracy";         ///< "accuracy" or "cost" (RewardOptions::goal)
  double accuracy_weight = 20.0;         ///< of goal "cost" (RewardOptions)
  double lambda = 0.1;                   ///< reward of a percent point (RewardOptions::scale)
  /// Result directory of a search that this one starts from, as the file writes it, with {method}
  /// and {seed} filled in; empty: from nothing.
  std::string start;
  std::filesystem::path start_folder;  ///< that it counts from
  std::filesystem::path start_path() const { return start_folder / start; }
};

/// `final:` of a campaign: what happens to the best policy (and, the same way, to the uniform ones
/// it is compared with).
struct FinalSettings {
  int candidates =
      3;  ///< best policies of the search that get it; validation accuracy decides among them
  int epochs = 3;
  double learning_rate = 0.01;
  int batch = 64;
  bool flip = false;  ///< every other image is mirrored each time it is seen
  int crop = 0;       ///< pixels of black around an image before a piece of its size is cut out
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
  ConfiguredEvaluator evaluator;
  std::vector<ConstraintSettings> constraints;
  SearchSettings search;
  ConfiguredMethod method;
  std::vector<std::string> policies;  ///< files: what the found policy is compared with besides
  FinalSettings final;
  std::filesystem::path file;
  std::string text;  ///< of that file
  /// `network`, `variant`, `table`, `checkpoint` and `policies` (one text) as the file writes them:
  /// a path depends on where the command was started, these do not.
  std::map<std::string, std::string> written;

  /// Of a file that lists several networks, variants, methods, limits or seeds: what tells this
  /// cell from the others, fit for the name of a folder; empty where there is but one.
  std::string cell;

  /// What `written` has for `key`, else `value`.
  const std::string& as_written(const std::string& key, const std::string& value) const;
};

/// Reads a campaign file, or configs/campaigns/<name>.yaml when the argument has no folder and no
/// extension: its cells, the product of the networks, variants, methods, limits and seeds that it
/// lists, in that order, the last one fastest, of which `only` picks. `kinds` are the methods and
/// evaluators that may be named; without them nothing is known of either but the name (enough to
/// describe a campaign, not to run it). `settings` ("search.episodes=20",
/// "constraints[0].ratio=0.3") override its keys, in order; relative paths in them count from the
/// current folder. Strict: an unknown key, a wrong type, a value out of range, a contradiction or a
/// file that is not there is an Error "file:line: ..." or "--set key: ..." with exit status 2.
std::vector<Campaign> load_cells(const std::string& path_or_name,
                                 const std::vector<std::string>& settings = {},
                                 const CampaignKinds* kinds = nullptr);

/// The same of a file with one cell; Error where there are several.
Campaign load_campaign(const std::string& path_or_name,
                       const std::vector<std::string>& settings = {},
                       const CampaignKinds* kinds = nullptr);

/// The cells whose names match one of `only` (patterns with * and ?); all where there are none.
/// Throws Error (exit status 2) naming `origin`, where the patterns come from, and the cells where
/// one matches none.
std::vector<Campaign> picked_cells(const std::vector<Campaign>& cells,
                                   const std::vector<std::string>& only, const std::string& origin);

/// Names of the campaigns shipped in configs/campaigns, sorted.
std::vector<std::string> campaign_names();

/// Canonical JSON text of every setting that changes results, in a fixed order: what a resumed run
/// must share with the run that it continues.
std::string campaign_key(const Campaign& campaign);

}  // namespace bittern
