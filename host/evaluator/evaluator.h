#pragma once

#include <string>

#include "host/evaluator/answers.h"
#include "host/network/network.h"

namespace bittern {

/// Accuracy of a network under a policy, in percent (0..100).
struct Accuracy {
  double top1 = 0.0;
  double loss = 0.0;  ///< mean cross entropy (nats); 0 when the evaluator has none
  /// Image by image; only of the full-precision network and of finished ones.
  Answers answers = {};
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
  /// Full-precision accuracy on the same validation split.
  virtual Accuracy baseline() = 0;
  /// Content key of model, data and settings: part of campaign fingerprints.
  virtual std::string fingerprint() const = 0;
};

}  // namespace bittern
