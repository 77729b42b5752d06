#pragma once

#include <string>

#include "host/integer/quantised_network.h"
#include "host/network/weights.h"

namespace bittern {

/// The integers of a network that states its own quantisers (has_quantisers()): its bits, scales,
/// zero points and rounding, nothing of ours. What stands between a layer's sums and the next
/// quantiser (biases, batch norms, ReLU, clipping) is a factor and an offset of each channel and
/// two bounds, in double precision; the quantiser compares the sums with the places where its code
/// changes. So there is no rounding but that of the quantisers themselves.
///
/// `tensors` has all tensors of the graph, weights as values of their codes. Throws Error (exit
/// status 2) naming the node for what has no integers: a layer without a quantiser of its weights
/// or straight before it, scales of its input that differ within one sum, more than 8 bits of an
/// operand, a map of more than 12, a border that is no code, sums beyond 32 bits.
QuantisedNetwork stated_network(const std::string& name, const Graph& graph,
                                const NamedTensors& tensors);

}  // namespace bittern
