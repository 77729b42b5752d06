#pragma once

#include <memory>
#include <vector>

#include "agent/campaign/loaded_data.h"
#include "agent/campaign/settings.h"
#include "host/campaign/accuracy_source.h"

namespace bittern {

/// `fake-quant`, or `integer`, with its settings. Campaigns with one keeper share the data that
/// they read.
ConfiguredEvaluator configure_fake_quant(
    const FakeQuantSettings& settings,
    std::shared_ptr<DataKeeper> keeper = std::make_shared<DataKeeper>());

/// `fake-quant` as a campaign configures it: reads the data, trains the network or loads it, and
/// scores policies with a FakeQuantEvaluator; the best are fine-tuned longer at the end, and the
/// test set is touched.
EvaluatorKind fake_quant_kind();

/// `integer`: the same, but accuracies are counted by integers, as hardware computes.
EvaluatorKind integer_kind();

/// Every evaluator: those of the host, and those that need LibTorch.
std::vector<EvaluatorKind> all_evaluators();

}  // namespace bittern
