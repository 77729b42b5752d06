#pragma once

#include "host/network/graph.h"

namespace bittern {

/// Makes each ReLU that alone takes the output of a node a part of that node
/// (Attributes::relu). Those behind the image or a shared output stay.
Graph fuse_relu(const Graph& graph);

}  // namespace bittern
