#pragma once

#include "host/network/network.h"

namespace bittern {

/// Throws Error (exit status 2) naming file, line and layer, what is missing and what can be done,
/// unless a Model computes the network exactly as its file states it: every layer takes the output
/// of the one before it, through a ReLU or not and through any number of max poolings, the first
/// one the image itself, and the last one gives the answer without a ReLU.
void require_chain(const Network& network);

}  // namespace bittern
