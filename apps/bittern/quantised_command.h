#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/data/dataset.h"
#include "agent/evaluator/fake_quant_evaluator.h"
#include "apps/bittern/quantiser_options.h"
#include "host/base/phase.h"
#include "host/base/span.h"
#include "host/integer/quantised_network.h"
#include "host/network/network.h"

namespace bittern {

// The options of quantiser_options.h in the words of the parts that take them.

/// Images in the size that the network takes.
DataOptions data_options(const ImageArguments& arguments, const Network& network);
/// Weights of the file, or those that the network came with where `file` is empty. Throws Error
/// (exit status 2) when there are none, or when they do not fit.
TensorFile weights_of(const std::string& file, const Network& network);
Policy policy_of(const BitsArguments& arguments, const Network& network);
/// Throws Error (exit status 2) unless bits are given, or the network states its quantisers and
/// nothing else is asked for.
void check_bits(const BitsArguments& bits, const QuantiserArguments& quantisers,
                const Network& network);
/// Sets what the options say, and leaves the rest.
void set_quantisers(const QuantiserArguments& arguments, FakeQuantOptions& options);

/// A network in integers, and the first test images that it is computed on.
struct QuantisedImages {
  QuantisedNetwork integers;
  /// Whether scales are those of a checkpoint that was made for these bits.
  bool own_scales = false;
  std::vector<int> labels;    ///< of each image
  std::vector<Bytes> images;  ///< in `pixels`
  std::vector<std::uint8_t> pixels;
};

/// The integers of a policy, calibrated on the data; where the network states its quantisers, those
/// (and the policy does not count).
QuantisedImages quantise(const Network& network, const TensorFile& checkpoint, const Policy& policy,
                         const QuantiserArguments& quantisers, const DataOptions& data, int images,
                         const std::shared_ptr<Phases>& phases);

}  // namespace bittern
