#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "agent/nn/training.h"
#include "host/integer/threshold.h"
#include "host/network/network.h"

namespace bittern {

/// Training with quantised weights and activations. The defaults are HAQ's: SGD, learning rate
/// 0.001, momentum 0.9, weight decay 4e-5.
struct FineTuneOptions {
  int epochs = 0;       ///< 0: no fine-tune
  int max_batches = 0;  ///< ends after that many batches; 0: no limit
  int batch = 64;
  OptimiserOptions optimiser{OptimiserKind::kSgd, 0.001, 0.9, 4e-5, false};
  AugmentOptions augment;
};

/// Policies that lose much on the first images are not looked at on the others.
struct ScreenOptions {
  int images = 0;       ///< so many, 0: every policy is looked at on all
  double points = 0.0;  ///< below the full-precision network's accuracy on these
};

/// Settings of a FakeQuantEvaluator.
struct FakeQuantOptions {
  WeightQuantisation weights;
  ThresholdMethod activations = ThresholdMethod::kMse;
  /// Fine-tunes train the thresholds of activations, too, from those on (PACT).
  bool trained_ranges = false;
  /// An operand that stays in floating point, whatever bits the policy has for it. At most one.
  bool float_weights = false;
  bool float_activations = false;
  /// Folded batch norms are estimated anew on calibration images (the first 128 at most) behind the
  /// quantisers of a policy, before its fine-tune: means and, with a scale for each channel,
  /// deviations (NetworkQuantisers::re_estimate()). Fine-tunes that put batch norms back begin so
  /// in any case.
  bool re_estimate = false;
  /// The weights of neighbouring layers are evened out first (equalised()), before anything is
  /// quantised or fine-tuned. Accuracies in full precision are those of the network as it was.
  bool equalise = false;
  /// Accuracies are those of the network in integers, as hardware computes it (QuantisedNetwork);
  /// fine-tunes are fake-quantised all the same.
  bool integers = false;
  int calibration_images = 256;  ///< the first images of the training set
  FineTuneOptions fine_tune;     ///< of every evaluation
  ScreenOptions screen;
  /// Bytes in which values in front of layers are kept, for policies that begin alike, and at most
  /// as many again while a policy is scored; results do not depend on it. Not where weights change
  /// from policy to policy (fine-tunes, re_estimate).
  std::size_t prefix_bytes = std::size_t{1} << 30;
  std::uint64_t seed = 1;  ///< of the fine-tune's image order, together with the policy
  int threads = 0;         ///< 0: one for each core; results do not depend on it
  TensorDevice device = TensorDevice::kAuto;
  std::filesystem::path cache;  ///< file of accuracies; empty: in memory only
};

/// What evaluations are made of besides the policy: a hash of network, weights, data and of all
/// options that change a result.
std::string evaluation_fingerprint(const Network& network, const std::string& weights_hash,
                                   const std::string& data_hash, const FakeQuantOptions& options,
                                   bool on_gpu);

/// Bits of a policy as text, "4/8 4/8 ", for keys.
std::string policy_text(const Policy& policy);

}  // namespace bittern
