#include "apps/bittern/quantised_command.h"

#include <utility>

#include "agent/evaluator/stored_integers.h"
#include "agent/nn/checkpoint.h"
#include "agent/nn/training.h"
#include "host/base/error.h"
#include "host/network/io/network_weights.h"
#include "host/network/quantisation.h"

namespace bittern {

DataOptions data_options(const ImageArguments& arguments, const Network& network) {
  DataOptions data;
  data.name = arguments.dataset;
  data.folder = arguments.data;
  data.train_images = arguments.train_images;
  data.validation_images = arguments.validation_images;
  data.resize = arguments.resize;
  set_image_size(data, network);
  return data;
}

TensorFile weights_of(const std::string& file, const Network& network) {
  if (!file.empty()) return read_checkpoint(network, file);
  if (!has_weights(network)) {
    fail_usage("network {} came without weights: name a file with --checkpoint", network.name);
  }
  TensorFile weights = network_weights(network);
  check_checkpoint(network, weights, "weights of " + network.name);
  return weights;
}

Policy policy_of(const BitsArguments& arguments, const Network& network) {
  return arguments.policy.empty()
             ? uniform_policy(network, {arguments.weight_bits, arguments.activation_bits})
             : load_policy(arguments.policy, network);
}

void check_bits(const BitsArguments& bits, const QuantiserArguments& quantisers,
                const Network& network) {
  if (!has_quantisers(network.graph)) return bits.check();
  if (bits.any() || quantisers.equalise) {
    fail_usage(
        "network {} states its own quantisers: it is computed as it is, without --policy, --wbits, "
        "--abits and --equalise",
        network.name);
  }
}

void set_quantisers(const QuantiserArguments& arguments, FakeQuantOptions& options) {
  options.weights.kind = weight_kind_of(arguments.weights);
  options.weights.method = threshold_method_of(arguments.weight_range);
  options.weights.per_channel = arguments.per_channel;
  options.activations = threshold_method_of(arguments.activation_range);
  options.calibration_images = arguments.calibration_images;
  options.re_estimate = arguments.re_estimate;
  options.equalise = arguments.equalise;
}

QuantisedImages quantise(const Network& network, const TensorFile& checkpoint, const Policy& policy,
                         const QuantiserArguments& quantisers, const DataOptions& data, int images,
                         const std::shared_ptr<Phases>& phases) {
  QuantisedImages out;
  Dataset test;
  if (has_quantisers(network.graph)) {
    test = load_test_data(data);
    out.integers = stored_stated_network(network, checkpoint);
  } else {
    DataSplits splits = load_data(data);
    FakeQuantOptions options;
    set_quantisers(quantisers, options);
    const Phase phase(phases, "quantising " + network.name);
    FakeQuantEvaluator evaluator(network, checkpoint, splits, options);
    out.integers = evaluator.integers(policy);
    out.own_scales = evaluator.states(policy);
    test = std::move(splits.test);
  }
  const std::size_t bytes = test.image_bytes();
  out.pixels.resize(bytes * static_cast<std::size_t>(images));
  for (int i = 0; i < images; ++i) {
    const auto place = static_cast<std::size_t>(i);
    const MutableBytes image = MutableBytes(out.pixels).subspan(bytes * place, bytes);
    test.read_image(i, image);
    out.images.emplace_back(image);
    out.labels.push_back(static_cast<int>(test.labels[place]));
  }
  return out;
}

}  // namespace bittern
