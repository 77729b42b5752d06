#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "apps/bittern/table_options.h"

namespace bittern {

/// Options of `bittern train`, without LibTorch like those of `bittern run`.
struct TrainArguments {
  std::string network = "lenet";
  std::string dataset = "synthetic";
  std::string out;
  std::string data;
  int epochs = 6;
  int batch = 64;
  double learning_rate = 0.1;
  std::string optimiser = "sgd";
  std::uint64_t seed = 1;
  int train_images = 0;
  int validation_images = 0;
  int threads = 0;
  std::string device = "auto";
  TableOptions table;
};

/// Adds the command; `action` does the work.
void add_train_command(CLI::App& app,
                       std::function<void(const TrainArguments&, const CLI::App&)> action);

}  // namespace bittern
