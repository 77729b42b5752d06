#pragma once

#include <string>

#include "agent/data/dataset.h"
#include "agent/evaluator/fake_quant_evaluator.h"
#include "apps/bittern/quantiser_options.h"
#include "host/network/network.h"

namespace bittern {

// The options of quantiser_options.h in the words of the parts that take them.

/// Images in the size that the network takes.
DataOptions data_options(const ImageArguments& arguments, const Network& network);
/// Weights of the file, or those that the network came with where `file` is empty. Throws Error
/// (exit status 2) when there are none, or when they do not fit.
TensorFile weights_of(const std::string& file, const Network& network);
Policy policy_of(const BitsArguments& arguments, const Network& network);
/// Sets what the options say, and leaves the rest.
void set_quantisers(const QuantiserArguments& arguments, FakeQuantOptions& options);

}  // namespace bittern
