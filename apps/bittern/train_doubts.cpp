#include "apps/bittern/train_doubts.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <string>

#include "agent/data/quality.h"
#include "host/base/error.h"

namespace bittern {

void warn_of_data(const DataSplits& splits) {
  for (const std::string& doubt : data_warnings(splits)) spdlog::warn("{}", doubt);
}

void check_learnt(const std::filesystem::path& out, const TrainOptions& options,
                  const TrainResult& result, const Dataset& validation) {
  const double accuracy = result.validation.accuracy();
  if (!is_guessing(accuracy, validation)) return;
  const std::string what = fmt::format(
      "{}: {:.2f} % of the {} validation images, no better than guessing (up to {:.2f} %)",
      out.string(), accuracy, validation.size(), chance_limit(validation));
  const OptimiserOptions& optimiser = options.optimiser;
  if (has_diverged(accuracy, result.validation.loss(), validation)) {
    fail("{}, with a loss of {:.4g}: the training diverged; lower {} ({:g})", what,
         result.validation.loss(), optimiser.rate_name, optimiser.learning_rate);
  }
  spdlog::warn("{}: nothing was learnt; raise --epochs ({}) or --train-images, or change {} ({:g})",
               what, options.epochs, optimiser.rate_name, optimiser.learning_rate);
}

}  // namespace bittern
