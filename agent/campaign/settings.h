#pragma once

#include <string>

#include "agent/data/dataset.h"
#include "agent/evaluator/fake_quant_evaluator.h"
#include "agent/nn/training.h"
#include "host/campaign/campaign.h"

namespace bittern {

/// `evaluator:` of a campaign when its kind is `fake-quant` or `integer`.
struct FakeQuantSettings {
  /// `integer`: accuracies are those of the network in integers.
  bool integers = false;
  /// How clipping thresholds are found: "max", "kl", "mse", "percentile" or "haq" (max from 5 bits
  /// on, KL below).
  std::string weights = "linear";  ///< "linear", "wrpn", "dorefa" or "kmeans" (WeightKind)
  std::string weight_range = "mse";
  std::string activation_range = "mse";
  std::string activations = "linear";  ///< "linear", or "pact": fine-tunes train the thresholds
  bool per_channel = false;
  int calibration_images = 256;
  bool re_estimate = false;
  bool equalise = false;
  /// Training images seen in the short fine-tune of every evaluation; 0: none.
  int finetune_images = 0;
  /// Policies that are `screen_points` below full precision on the first `screen_images` validation
  /// images are rejected by these; 0: none.
  int screen_images = 0;
  double screen_points = 20.0;
  double finetune_rate = 1e-3;
  int batch = 128;
};

/// The settings of a campaign in the words of the parts that take them. Whatever does not change a
/// result (threads, devices, files) is left at its default.

/// `folder` is that of --data, which comes before the campaign's own.
DataOptions data_options(const Campaign& campaign, const Network& network,
                         const std::string& folder);

/// Training of the full-precision network.
TrainOptions train_options(const Campaign& campaign);

/// Accuracy of a policy during the search.
FakeQuantOptions evaluator_options(const FakeQuantSettings& settings, const Campaign& campaign);

/// Fine-tune of the best policies after the search.
FineTuneOptions final_options(const Campaign& campaign);

}  // namespace bittern
