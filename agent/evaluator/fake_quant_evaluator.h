#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/data/dataset.h"
#include "agent/evaluator/fake_quant_options.h"
#include "agent/nn/training.h"
#include "host/evaluator/evaluator.h"
#include "host/integer/quantised_network.h"
#include "host/integer/threshold.h"
#include "host/network/io/safetensors.h"

namespace bittern {

/// Quantised network after its last fine-tune.
struct FinalNetwork {
  Accuracy validation;
  std::optional<Accuracy> choice;  ///< where images were set aside for it
  Accuracy test;
  /// Where an operand stayed in floating point: on the test set with both quantised.
  std::optional<Accuracy> test_quantised;
  /// Where the weights were equalised: in full precision with them.
  std::optional<Accuracy> equalised_validation;
  std::optional<Accuracy> equalised_test;
  /// Where the accuracies above are those of integers: by simulated quantisation.
  std::optional<Accuracy> fake_quant_validation;
  std::optional<Accuracy> fake_quant_test;
  /// And the share of images to which both answer with the same class, in percent.
  double validation_agreement = 100.0;
  double test_agreement = 100.0;
  /// Per layer: weight and bias (float, before quantisation), weight_codes (I8), weight_scale (with
  /// codebooks: codes U8, and weight_codebook), activation_scale; stored_scale of maps; metadata
  /// with network, policy and accuracies (quantised_checkpoint()). An evaluator that is given it
  /// computes this policy as it is here.
  TensorFile checkpoint;
};

/// Accuracy by simulated quantisation: weights and activations pass through linear quantisers
/// wherever the network in integers has codes (QuantisationScheme: the input of every layer, the
/// image too, and with 8 bits what is stored between), biases are whole units of the layers' sums,
/// everything between is float. Batch norms are folded into the layers before them first, as
/// hardware has them. Weights may be something else than linear codes
/// (WeightKind). Activation thresholds come from one calibration
/// batch through the float network, weight thresholds from the float weights; both stay fixed
/// during fine-tuning but for trained ranges. Every evaluation starts from the same float weights,
/// so results do not depend on what was evaluated before. Not thread-safe.
class FakeQuantEvaluator : public Evaluator {
 public:
  /// `checkpoint` holds float weights, as train_network() gives them. Throws Error when weights,
  /// data and network do not fit together, or an option is impossible.
  FakeQuantEvaluator(const Network& network, const TensorFile& checkpoint, const DataSplits& data,
                     const FakeQuantOptions& options);
  ~FakeQuantEvaluator() override;

  /// Throws Error when the policy does not have one pair a layer, or bits outside 1..8
  /// (weights, unsigned activations) or 2..8 (signed activations).
  Accuracy evaluate(const Policy& policy) override;
  Accuracy evaluate_whole(const Policy& policy) override;
  /// One on each thread; 1 on a GPU.
  int at_once() const override;
  std::vector<Accuracy> evaluate_all(const std::vector<Policy>& policies) override;
  Accuracy baseline() override;
  std::string fingerprint() const override;
  std::optional<Accuracy> choice(const Policy& policy) override;
  /// layer_scores() of the float network on the calibration images, computed when first asked for.
  /// None where weights are in codebooks.
  GradientScores* scores(ScoreKind kind) override;
  /// Of the weights after the fold of batch norms.
  std::vector<double> weight_deviations() override;

  /// Full-precision accuracy on the test set. For the end of a campaign only.
  Accuracy test_baseline();
  /// Accuracy of a policy on the test set, evaluated as evaluate() does. For the end of a campaign
  /// only.
  Accuracy test_accuracy(const Policy& policy);
  /// Trains the quantised network longer and scores it on validation and test set. `on_progress`
  /// may be empty; its checkpoint is. For the end of a campaign only. Throws Stopped when a stop is
  /// requested.
  FinalNetwork finish(const Policy& policy, const FineTuneOptions& fine_tune,
                      const std::function<void(const TrainProgress&)>& on_progress);

  /// The network of a policy in integers, after the short fine-tune when there is one. Throws Error
  /// as evaluate() and quantise_network() do, and for weights in codebooks.
  QuantisedNetwork integers(const Policy& policy);

  /// Whether the checkpoint was made for this policy and states its scales
  /// (quantised_checkpoint()). Then they are used as they are: nothing of it is calibrated or
  /// re-estimated.
  bool states(const Policy& policy) const;

  /// Evaluations that were computed and not found in the cache.
  int computed() const;

  /// What the accuracies in the cache were computed on (processor_text()), and what they are
  /// computed on now. Several: a run went on elsewhere, and accuracies may differ by some images.
  std::set<std::string> processors() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bittern
