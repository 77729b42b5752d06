#pragma once

#include "agent/evaluator/fine_tune.h"
#include "agent/evaluator/network_quantisers.h"
#include "agent/nn/model.h"
#include "host/network/graph.h"
#include "host/network/io/safetensors.h"

namespace bittern {

/// A policy's network as FinalNetwork::checkpoint has it: float weights, codes and scales, and the
/// bits in the metadata. It is a checkpoint of the network as it was written, too, whose graph is
/// `unfolded`: batch norms that were folded become what is left of them, unless weights are
/// equalised.
TensorFile quantised_checkpoint(const Model& model, const Graph& unfolded,
                                NetworkQuantisers& quantisers, const TunedNetwork& network,
                                const Policy& policy, const FakeQuantOptions& options);

}  // namespace bittern
