#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "apps/bittern/quantiser_options.h"
#include "apps/bittern/table_options.h"

namespace bittern {

/// Options of `bittern evaluate`, without LibTorch like those of `bittern run`.
struct EvaluateArguments {
  std::string network = "lenet";
  std::string checkpoint;
  BitsArguments bits;
  ImageArguments images;
  std::string evaluator = "fake-quant";  ///< or "integer"
  QuantiserArguments quantisers;
  std::string activations = "linear";  ///< or "pact"
  int finetune_epochs = 0;
  double finetune_rate = 1e-3;
  bool test = false;  ///< the test set, too
  std::uint64_t seed = 1;
  int threads = 0;
  std::string device = "auto";
  TableOptions table;
};

/// Adds the command; `action` does the work.
void add_evaluate_command(CLI::App& app,
                          std::function<void(const EvaluateArguments&, const CLI::App&)> action);

}  // namespace bittern
