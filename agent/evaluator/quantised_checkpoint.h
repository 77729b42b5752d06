#pragma once

#include <memory>
#include <string>

#include "agent/evaluator/fine_tune.h"
#include "agent/evaluator/network_quantisers.h"
#include "agent/nn/model.h"
#include "host/network/graph.h"
#include "host/network/io/safetensors.h"

namespace bittern {

/// A policy's network as FinalNetwork::checkpoint has it: float weights, the codes and scales that
/// they have, scales of all maps, and the bits in the metadata. It is a checkpoint of the network
/// as it was written, too, whose graph is `unfolded`: batch norms that were folded become what is
/// left of them. `quantisers` quantise both operands (NetworkQuantisers::complete()).
TensorFile quantised_checkpoint(const Model& model, const Graph& unfolded,
                                NetworkQuantisers& quantisers, const TunedNetwork& network,
                                const Policy& policy, const FakeQuantOptions& options);

/// The scales that such a file states for its policy; null for files without. `model` is that of
/// the network with its batch norms folded, `where` starts the messages. Null, too, with a warning,
/// where weights are to be of another kind than the file's. Throws Error (exit status 2) where they
/// are damaged.
std::shared_ptr<const PolicyScales> stated_scales(const Model& model, const TensorFile& checkpoint,
                                                  WeightKind kind, const std::string& where);

/// What decides a network with these scales, for keys; empty for null.
std::string scales_key(const PolicyScales* scales);

}  // namespace bittern
