#include "agent/evaluator/fake_quant_options.h"

#include <fmt/core.h>

#include "host/base/hash.h"
#include "host/network/graph.h"

namespace bittern {
namespace {

std::string optimiser_text(const OptimiserOptions& optimiser) {
  return fmt::format("{} {} {} {} {}", static_cast<int>(optimiser.kind), optimiser.learning_rate,
                     optimiser.momentum, optimiser.weight_decay, optimiser.cosine);
}

std::string fine_tune_text(const FineTuneOptions& options) {
  if (options.epochs == 0) return "none";
  return fmt::format("{} epochs {} batches of {} {}", options.epochs, options.max_batches,
                     options.batch, optimiser_text(options.optimiser));
}

}  // namespace

std::string policy_text(const Policy& policy) {
  std::string text;
  for (const BitPair& bits : policy) text += fmt::format("{}/{} ", bits.weight, bits.activation);
  return text;
}

std::string evaluation_fingerprint(const Network& network, const std::string& weights_hash,
                                   const std::string& data_hash, const FakeQuantOptions& options,
                                   bool on_gpu) {
  Sha256 hash;
  hash.update_field("fake-quant-3");
  for (const Layer& layer : network.layers) {
    hash.update_field(layer.name).update_field(layer.key());
    hash.update_field(layer.signed_input ? "signed" : "unsigned");
  }
  hash.update_field(graph_key(network.graph));
  hash.update_field(weights_hash).update_field(data_hash);
  hash.update_field(threshold_method_name(options.weights.method));
  hash.update_field(options.weights.per_channel ? "per channel" : "per tensor");
  hash.update_field(threshold_method_name(options.activations));
  hash.update_field(std::to_string(options.calibration_images));
  if (options.weights.kind != WeightKind::kLinear) {
    hash.update_field(std::string("weights ") + weight_kind_name(options.weights.kind));
  }
  if (options.float_weights) hash.update_field("float weights");
  if (options.float_activations) hash.update_field("float activations");
  if (options.trained_ranges) hash.update_field("trained ranges");
  if (options.re_estimate) hash.update_field("re-estimated, with deviations");
  if (options.integers) hash.update_field("integers");
  if (options.screen.images > 0) {
    hash.update_field(fmt::format("screened {} {}", options.screen.images, options.screen.points));
  }
  if (options.equalise) hash.update_field("equalised");
  hash.update_field(fine_tune_text(options.fine_tune));
  if (options.fine_tune.epochs > 0 && (options.weights.per_channel || options.float_weights)) {
    hash.update_field("batch norms put back");
  }
  // Without a fine-tune no random number is drawn.
  hash.update_field(options.fine_tune.epochs == 0 ? "" : std::to_string(options.seed));
  hash.update_field(on_gpu ? "gpu" : "cpu");
  return hash.hex();
}

}  // namespace bittern
