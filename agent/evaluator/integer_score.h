#pragma once

#include <functional>

#include "agent/data/dataset.h"
#include "agent/nn/engine.h"
#include "host/integer/quantised_network.h"
#include "host/network/io/safetensors.h"
#include "host/network/network.h"

namespace bittern {

/// What a quantised network scores when integers compute it (IntegerExecutor), on the threads of an
/// engine; Score::answers has every image. The result does not depend on the number of threads.
Score integer_score(const QuantisedNetwork& network, const TensorData& data, Engine& engine);

/// The same of a data set, for a network with quantisers of its own (stated_network()); `threads`
/// and `device` as score_checkpoint() has them. `on_images` (may be empty) is called by any thread
/// when so many more are done.
Score stated_integer_score(const Network& network, const TensorFile& checkpoint,
                           const Dataset& data, int threads, TensorDevice device,
                           const std::function<void(int images)>& on_images = {});

}  // namespace bittern
