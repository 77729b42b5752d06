#pragma once

#include <cstddef>

#include "host/network/graph.h"
#include "host/network/weights.h"

namespace bittern {

/// Evens out the weights of neighbouring layers, channel by channel, without changing what the
/// network computes (cross-layer equalisation; Nagel et al., ICCV 2019, section 4.1). Where one
/// layer alone takes another one's output, through nothing but ReLU and operations that move or
/// average pixels of a channel, channel c of the first may be divided by a positive number s and
/// the inputs c of the second multiplied by it. s = sqrt(r1 / r2), with the greatest magnitudes r1
/// and r2 of the weights of the channel on both sides, makes both alike. Folded batch norms,
/// above all of depthwise layers, leave channels that differ so much that one scale for the tensor
/// rounds most of them to zero. Goes over all pairs `rounds` times, since pairs share layers.
///
/// Batch norms should be folded before. Clipping (ReLU6) does not commute with scaling: such pairs
/// are left alone (relu_for_clip() makes them ReLUs, which changes the network). Returns the number
/// of pairs. Throws Error naming the tensor when one is missing or has another size.
std::size_t equalise_layers(const Graph& graph, NamedTensors& weights, int rounds = 8);

/// Clipping from 0 to a finite number (ReLU6) as a ReLU, where it stands between two layers that
/// equalise_layers() takes then: values above are no longer cut off. Other clipping stays.
Graph relu_for_clip(const Graph& graph);

}  // namespace bittern
