#pragma once

#include <string>
#include <vector>

#include "host/integer/quantised_network.h"
#include "host/network/io/safetensors.h"
#include "host/network/network.h"

namespace bittern {

/// quantise_network() with the tensors of a checkpoint. Needs no LibTorch.
QuantisedNetwork stored_integers(const std::string& name, const Graph& graph,
                                 const TensorFile& checkpoint, const Policy& policy,
                                 const std::vector<WeightFormat>& weights,
                                 const std::vector<CodeFormat>& activations);

/// stated_network() with the tensors of a checkpoint. Needs no LibTorch.
QuantisedNetwork stored_stated_network(const Network& network, const TensorFile& checkpoint);

}  // namespace bittern
