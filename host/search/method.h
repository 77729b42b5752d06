#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "host/base/yaml.h"
#include "host/evaluator/evaluator.h"
#include "host/network/network.h"
#include "host/search/bit_space.h"
#include "host/search/checkpoint.h"
#include "host/search/cost_table.h"
#include "host/search/reward.h"
#include "host/search/search.h"
#include "host/search/wall.h"

namespace bittern {

/// What a method may look at. References outlive the method; nothing in here changes while it
/// works.
struct MethodContext {
  const Network& network;
  const BitSpace& space;
  const CostTable& costs;
  const Wall& wall;             ///< for methods that want to know what a constraint leaves
  double full_precision = 0.0;  ///< accuracy in percent
  std::uint64_t seed = 0;       ///< of everything that the method draws
  /// Policies that it may have scored, all together: the search's limit of evaluations, or of
  /// episodes where it has none. A method that looks at it sets ConfiguredMethod::uses_budget.
  int budget = 0;
  /// Scores of a kind from the evaluator's gradients. Throws Error naming kind and evaluator where
  /// it has none.
  std::function<GradientScores&(ScoreKind)> scores;
  /// Evaluator::weight_deviations(): of each layer, or empty.
  std::vector<double> weight_deviations = {};
  /// What the search is after. With Goal::kCost the wall takes nothing away, and the constraints'
  /// resources are to be saved.
  RewardOptions reward = {};
};

/// A policy that a method wants to have scored.
struct Proposal {
  Policy policy;
  /// The constraint wall takes bits away until all constraints hold. Without it the policy is
  /// scored as it is (snapped to the space), and a limit that it exceeds is Outcome::meets_limits.
  bool wall = true;
};

/// What became of a proposal.
struct Outcome {
  int episode = 0;
  Policy asked;   ///< as it was proposed
  Policy policy;  ///< as it ran
  Accuracy accuracy;
  LayerCost cost;            ///< of `policy`, summed over layers
  double reward = 0.0;       ///< policy_reward(): what candidates are ranked by
  bool meets_floor = true;   ///< accuracy floor
  bool meets_limits = true;  ///< all constraints
  WallResult walled;         ///< steps and totals of the wall; no steps where it was not asked for
};

/// What another search of the same network, scored by the same evaluator, has learnt.
struct Experience {
  /// A policy that it scored on all images.
  struct Score {
    Policy policy;
    Accuracy accuracy;
  };
  std::string source;         ///< where it comes from, for messages
  std::string method;         ///< that it was searched by
  Checkpoint checkpoint;      ///< of that search
  std::vector<Score> scores;  ///< each policy once, in the order of their episodes
  std::string digest;         ///< of all of it
};

/// A search method: proposes policies and learns from what came back. The driver (driver.h) owns
/// everything else: budget, constraints, evaluation, files, stop and resume.
///
/// The results of a method may depend on its settings, its seed and what it was told, and on
/// nothing else: no clock, no number of workers, no global state.
class Method {
 public:
  virtual ~Method() = default;
  /// How many proposals the method wants to have scored before it learns from them, at least 1: a
  /// population, or 1. Asked before every ask().
  virtual int batch() const { return 1; }
  /// At most `n` proposals, n being what batch() said; fewer when there are no more, none when the
  /// method is done.
  virtual std::vector<Proposal> ask(int n) = 0;
  /// What became of all proposals of the last ask(), in their order. Returns for each of them the
  /// keys that the method adds to its episode's line (an object; may be empty).
  virtual std::vector<nlohmann::json> tell(const std::vector<Outcome>& outcomes) = 0;
  /// Whether tell() also takes the outcomes of the first proposals alone, where budget or stop cut
  /// the batch. The next ask() begins with the others then. Without it a batch that was cut is not
  /// told, and proposed anew.
  virtual bool takes_part() const { return false; }
  /// What policies are ranked by, the greater the better: a function of the outcome's policy,
  /// accuracy and floor, and of no state that changes.
  virtual double objective(const Outcome& outcome) const { return outcome.reward; }
  /// What the method has spent beside its proposals, in evaluations of one policy on all validation
  /// images (gradients: GradientScores::spent()). It comes out of the budget. Asked after every
  /// ask(); never falls; part of what save() keeps.
  virtual double spent() const { return 0.0; }
  /// Learns from another search, before the first ask(). `outcomes` are its scores of the policies
  /// that this space has, with costs, rewards and limits of this search; they have no episode
  /// (-1). Returns how many evaluations of its own the method leaves out for that. Only called
  /// where ConfiguredMethod::starts_from says so.
  virtual int learn_from(const Experience& other, const std::vector<Outcome>& outcomes);
  /// Puts everything that ask() and tell() change into `checkpoint`: keys of its state and arrays,
  /// by names of the method's own. Called between tell() and ask().
  virtual void save(Checkpoint& checkpoint) const = 0;
  /// Restores it. Throws Error when something is missing or of another form.
  virtual void load(const Checkpoint& checkpoint) = 0;
};

/// What a method learns from another search.
enum class StartsFrom {
  kNothing,
  kScores,  ///< scores of policies, whichever method asked for them
  kAgent,   ///< the state of an agent of the same method
};

/// A method with its settings, ready to be made.
struct ConfiguredMethod {
  std::string name;
  /// To be raised whenever equal settings would give other proposals: part of fingerprints.
  int version = 1;
  /// It goes through everything: when it is done, its best policy is the true optimum.
  bool exhaustive = false;
  /// What it ranks by holds cost, too, so that it can be run without constraints.
  bool weighs_cost = false;
  /// It learns a policy by reinforcement: what `bittern analyze` calls RL.
  bool reinforcement = false;
  /// Its proposals depend on the number of episodes (a schedule over all of them), so that a run
  /// cannot be resumed with another one.
  bool uses_budget = false;
  /// What it can learn from another search (Method::learn_from()).
  StartsFrom starts_from = StartsFrom::kNothing;
  /// Settings as a campaign writes them: what a resumed run must share with the run it continues.
  nlohmann::json key = nlohmann::json::object();
  /// The same, and all that no campaign sets: part of the fingerprint of a checkpoint.
  nlohmann::json fingerprint = nlohmann::json::object();
  std::function<std::unique_ptr<Method>(const MethodContext&)> make;
  /// What makes the results of so many episodes doubtful, a sentence each; may be empty.
  std::function<std::vector<std::string>(int episodes)> doubts;
  /// The same for so many episodes in a space; may be empty.
  std::function<std::vector<std::string>(const BitSpace& space, int episodes)> space_doubts;
};

/// Throws Error (exit status 2) where the method cannot learn from this search.
void check_start(const ConfiguredMethod& method, const Experience& other);

/// An entry of the list of methods: one line for each method.
struct MethodKind {
  std::string name;  ///< as `method:` of a campaign has it
  std::string description;
  std::vector<std::string> keys;  ///< that configure() reads
  /// Reads the method's own keys from a mapping that may hold others, too. Throws Error naming the
  /// key.
  std::function<ConfiguredMethod(const YamlMap&)> configure;
};

}  // namespace bittern
