#pragma once

#include "agent/data/dataset.h"
#include "agent/evaluator/fake_quant_evaluator.h"
#include "apps/bittern/quantiser_options.h"
#include "host/network/network.h"

namespace bittern {

// The options of quantiser_options.h in the words of the parts that take them.

DataOptions data_options(const ImageArguments& arguments);
Policy policy_of(const BitsArguments& arguments, const Network& network);
/// Sets what the options say, and leaves the rest.
void set_quantisers(const QuantiserArguments& arguments, FakeQuantOptions& options);

}  // namespace bittern
