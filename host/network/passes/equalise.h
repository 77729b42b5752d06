#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "host/network/graph.h"
#include "host/network/weights.h"

namespace bittern {

/// Of layers, by their names, the greatest magnitude in each channel of their input.
using ChannelMagnitudes = std::map<std::string, std::vector<float>>;

/// Evens out the weights of neighbouring layers, channel by channel, without changing what the
/// network computes (cross-layer equalisation; Nagel et al., ICCV 2019, section 4.1). Where one
/// layer alone takes another one's output, through nothing but ReLU and operations that move or
/// average pixels of a channel, channel c of the first may be divided by a positive number s and
/// the inputs c of the second multiplied by it. s = sqrt(r1 / r2), with the greatest magnitudes r1
/// and r2 of the weights of the channel on both sides, makes both alike. Folded batch norms,
/// above all of depthwise layers, leave channels that differ so much that one scale for the tensor
/// rounds most of them to zero. Goes over all pairs `rounds` times, since pairs share layers.
///
/// A channel that has no weights on one side (it is constant, or not used) does not bound those on
/// the other: where they are greater than is usual in their layer they become usual.
///
/// Where there is a clip from 0 between the two (ReLU6) its bound is divided like the channel
/// (clip_high()), so that the network stays the same there, too.
///
/// A channel whose weights are almost nothing beside its bias would become the greatest of its map
/// by far, and its scale that of all others. `greatest` prevents that: for the name of a second
/// layer the greatest magnitudes that the channels of its input have (one each, on some images); no
/// channel then becomes greater than the greatest one was. Maps that it does not name have no such
/// limit.
///
/// Batch norms should be folded before. Returns the number of pairs. Throws Error naming the tensor
/// when one is missing or has another size.
std::size_t equalise_layers(Graph& graph, NamedTensors& weights, ChannelMagnitudes greatest = {},
                            int rounds = 8);

}  // namespace bittern
