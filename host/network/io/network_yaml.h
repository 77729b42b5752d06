#pragma once

#include <string>

#include "host/network/network.h"

namespace bittern {

/// A network file that parse_network() reads back to the same graph (graph_key(), names of layers
/// and batch norms, input). Weights are named (`weights`) where the network has a file of them.
/// Canonical: one graph, one text. Throws Error for a graph that no file can state: one with an
/// answer other than its last node, nodes without use behind it, or a kGiven node.
std::string network_yaml(const Network& network);

}  // namespace bittern
