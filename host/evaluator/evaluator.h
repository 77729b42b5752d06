#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/evaluator/answers.h"
#include "host/network/network.h"

namespace bittern {

/// Accuracy of a network under a policy, in percent (0..100).
struct Accuracy {
  double top1 = 0.0;
  double loss = 0.0;  ///< mean cross entropy (nats); 0 when the evaluator has none
  /// Image by image; only of the full-precision network and of finished ones.
  Answers answers = {};
  double top5 = 0.0;  ///< the label is among the five best answers; only where there are `answers`
  /// Images that the policy was rejected on: the numbers above are theirs alone. 0: all were looked
  /// at.
  std::int64_t screened_images = 0;
};

/// What a score of a layer is made from.
enum class ScoreKind {
  /// Mean over the images of the squared product of gradient and quantisation error: Fisher
  /// information (Theis et al., 2018; FIT, Zandonati et al., 2022).
  kFisher,
  /// Trace of the Hessian, by random probes (Hutchinson), times the squared quantisation error: the
  /// second term of the loss's series (HAWQ-V2, Dong et al., NeurIPS 2020).
  kHessian,
};

/// "fisher" or "hessian".
inline const char* score_kind_name(ScoreKind kind) {
  return kind == ScoreKind::kFisher ? "fisher" : "hessian";
}

/// What an evaluator may know of single layers without evaluating policies: how much the loss is
/// expected to rise when one operand of a layer gets so many bits and all others stay as they are
/// (from gradients; nats, comparable within one network and one kind). Optional: see
/// Evaluator::scores().
class GradientScores {
 public:
  virtual ~GradientScores() = default;
  virtual double weight_score(std::size_t layer, int bits) = 0;
  virtual double activation_score(std::size_t layer, int bits) = 0;
  /// What all scores have cost so far, in evaluations of one policy on all validation images; a
  /// backward pass counts as three forward passes over its images. A score that is asked for again
  /// costs nothing.
  virtual double spent() const = 0;
};

/// Policy -> accuracy (design interface 3). Same policy, same answer: evaluators cache on content
/// keys and draw their random numbers from seeds derived from the policy, never from a shared
/// stream.
class Evaluator {
 public:
  virtual ~Evaluator() = default;
  /// Accuracy on the validation split (cut from the training set), after the short fine-tune when
  /// one is configured.
  virtual Accuracy evaluate(const Policy& policy) = 0;
  /// The same on all images, also where evaluate() rejects a policy by a part of them.
  virtual Accuracy evaluate_whole(const Policy& policy) { return evaluate(policy); }
  /// How many policies evaluate_all() scores side by side, at least 1.
  virtual int at_once() const { return 1; }
  /// evaluate() of each, in their order: the same accuracies, sooner where there are cores for it.
  virtual std::vector<Accuracy> evaluate_all(const std::vector<Policy>& policies) {
    std::vector<Accuracy> accuracies;
    for (const Policy& policy : policies) accuracies.push_back(evaluate(policy));
    return accuracies;
  }
  /// Full-precision accuracy on the same validation split.
  virtual Accuracy baseline() = 0;
  /// Content key of model, data and settings: part of campaign fingerprints.
  virtual std::string fingerprint() const = 0;
  /// Accuracy on images of the training set that evaluate() does not use, for the choice among the
  /// best policies of a search; nothing where none were set aside.
  virtual std::optional<Accuracy> choice(const Policy& /*policy*/) { return std::nullopt; }
  /// Whether evaluate() can answer for this policy. All but tables can for every policy.
  virtual bool knows(const Policy& /*policy*/) const { return true; }
  /// Scores from gradients; nullptr where the evaluator has none of this kind. The same object for
  /// every call with one kind; it lives as long as the evaluator.
  virtual GradientScores* scores(ScoreKind /*kind*/) { return nullptr; }
  /// Standard deviation of the float weights of each layer, as they are before they are quantised,
  /// in the network's layer order; empty where the evaluator has no weights.
  virtual std::vector<double> weight_deviations() { return {}; }
};

}  // namespace bittern
