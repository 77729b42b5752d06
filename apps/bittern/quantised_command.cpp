#include "apps/bittern/quantised_command.h"

#include "agent/nn/checkpoint.h"
#include "agent/nn/training.h"
#include "host/base/error.h"
#include "host/network/io/network_weights.h"

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

void set_quantisers(const QuantiserArguments& arguments, FakeQuantOptions& options) {
  options.weights.kind = weight_kind_of(arguments.weights);
  options.weights.method = threshold_method_of(arguments.weight_range);
  options.weights.per_channel = arguments.per_channel;
  options.activations = threshold_method_of(arguments.activation_range);
  options.calibration_images = arguments.calibration_images;
  options.re_estimate = arguments.re_estimate;
  options.equalise = arguments.equalise;
}

}  // namespace bittern
