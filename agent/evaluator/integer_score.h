#pragma once

#include "agent/nn/engine.h"
#include "host/integer/quantised_network.h"

namespace bittern {

/// What a quantised network scores when integers compute it (IntegerExecutor), on the threads of an
/// engine; Score::answers has every image. The result does not depend on the number of threads.
Score integer_score(const QuantisedNetwork& network, const TensorData& data, Engine& engine);

}  // namespace bittern
