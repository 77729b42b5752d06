#pragma once

#include <filesystem>

#include "agent/data/dataset.h"
#include "agent/nn/training.h"

namespace bittern {

/// Logs what makes results on this data doubtful. Throws Error when nothing can be learnt from it.
void warn_of_data(const DataSplits& splits);

/// A network that guesses is no success: logs a warning when it has learnt nothing, throws Error
/// naming the learning rate when it has diverged. `out` is where its weights are.
void check_learnt(const std::filesystem::path& out, const TrainOptions& options,
                  const TrainResult& result, const Dataset& validation);

}  // namespace bittern
