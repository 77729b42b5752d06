#pragma once

#include <string>

#include "agent/data/dataset.h"
#include "agent/evaluator/fake_quant_evaluator.h"
#include "agent/nn/training.h"
#include "host/campaign/campaign.h"

namespace bittern {

/// The settings of a campaign in the words of the parts that take them. Whatever does not change a
/// result (threads, devices, files) is left at its default.

/// `folder` is that of --data.
DataOptions data_options(const Campaign& campaign, const std::string& folder);

/// Training of the full-precision network.
TrainOptions train_options(const Campaign& campaign);

/// Accuracy of a policy during the search.
FakeQuantOptions evaluator_options(const Campaign& campaign);

/// Fine-tune of the best policies after the search.
FineTuneOptions final_options(const Campaign& campaign);

}  // namespace bittern
