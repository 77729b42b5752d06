#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "apps/bittern/table_options.h"

namespace bittern {

/// Options of `bittern evaluate`, without LibTorch like those of `bittern run`.
struct EvaluateArguments {
  std::string network = "lenet";
  std::string checkpoint;
  std::string policy;       ///< file; empty: the two widths
  int weight_bits = 0;      ///< 0: not given
  int activation_bits = 0;  ///< 0: not given
  std::string dataset = "synthetic";
  std::string data;
  int train_images = 0;
  int validation_images = 0;
  std::string evaluator = "fake-quant";  ///< or "integer"
  std::string weights = "linear";
  std::string activations = "linear";
  std::string weight_range = "mse";
  std::string activation_range = "mse";
  bool per_channel = false;
  int calibration_images = 256;
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
