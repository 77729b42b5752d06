#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "host/search/baselines/choice_space.h"
#include "host/search/method.h"

namespace bittern {

/// What is known of a choice after its evaluation.
struct Measured {
  Choice choice;
  double accuracy = 0.0;  ///< percent
  double loss = 0.0;      ///< mean cross entropy, nats; 0 where the evaluator has none
  double reward = 0.0;
  double cost = 0.0;  ///< in the first constraint, its unit; 0 without constraints
  bool meets_floor = true;
  bool meets_limits = true;
};

/// Whether `a` is the better result: above the accuracy floor before the others, then by reward,
/// then by lower cost. Limits are not looked at.
bool better(const Measured& a, const Measured& b);

/// Everything that a method had evaluated, in the order of the first times.
class Record {
 public:
  /// `space` must outlive the record.
  explicit Record(const ChoiceSpace& space) : space_(space) {}

  /// A choice that is in already is passed over: an evaluator gives the same answer again.
  void add(const Outcome& outcome);
  /// nullptr where it was not measured. Valid until the next add() or load().
  const Measured* find(const Choice& choice) const;
  bool has(const Choice& choice) const { return find(choice) != nullptr; }
  const std::vector<Measured>& all() const { return all_; }
  /// The best that meets all limits; nullptr where none does.
  const Measured* best() const;
  /// Indices into all() of those that meet all limits, best first; the earlier of two equal ones
  /// first.
  std::vector<std::size_t> ranked() const;
  /// Whether the evaluator has a loss.
  bool has_losses() const { return has_losses_; }
  /// What single layers are compared by, more being better: minus the loss in nats, the accuracy in
  /// percent where there is none. As long as few answers change, and none of the images that the
  /// network was trained on, the accuracy says nothing about a layer and the loss still does.
  double merit(const Measured& measured) const {
    return has_losses_ ? -measured.loss : measured.accuracy;
  }

  nlohmann::json save() const;
  /// Restores what save() returned. Throws Error when the form is another.
  void load(const nlohmann::json& value);

 private:
  void insert(Measured measured);

  const ChoiceSpace& space_;
  std::vector<Measured> all_;
  std::map<Choice, std::size_t> index_;
  bool has_losses_ = false;
};

/// What all baselines share: the space as choices, and the record of what was measured.
class Baseline : public Method {
 public:
  explicit Baseline(const MethodContext& context)
      : context_(context), space_(context.space, context.wall), record_(space_) {}
  Baseline(const Baseline&) = delete;
  Baseline& operator=(const Baseline&) = delete;

  std::vector<nlohmann::json> tell(const std::vector<Outcome>& outcomes) override;
  /// Into the record, as if it had been measured here. For methods that say StartsFrom::kScores.
  int learn_from(const Experience& other, const std::vector<Outcome>& outcomes) override;
  void save(Checkpoint& checkpoint) const override;
  void load(const Checkpoint& checkpoint) override;

 protected:
  /// The choice as a proposal that no wall changes.
  Proposal exactly(const Choice& choice) const { return {space_.policy(choice), /*wall=*/false}; }

  MethodContext context_;
  ChoiceSpace space_;
  Record record_;
};

}  // namespace bittern
