#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "apps/bittern/table_options.h"

namespace bittern {

constexpr int kMostEpochs = 100000;
constexpr int kMostBatch = 65536;
constexpr int kMostCrop = 64;
constexpr double kMostLearningRate = 100.0;

/// Options of `bittern train`, without LibTorch like those of `bittern run`.
struct TrainArguments {
  std::string network = "lenet";
  std::string dataset = "synthetic";
  std::string out;
  std::string data;
  std::string recipe;  ///< whose settings hold where no option says otherwise
  bool resume = false;
  int resize = 0;
  int epochs = 6;
  int batch = 64;
  double learning_rate = 0.1;
  std::string optimiser = "sgd";
  double momentum = 0.9;
  double weight_decay = 5e-4;
  std::string schedule = "cosine";  ///< or constant
  bool flip = false;
  int crop = 0;
  std::string init = "default";  ///< or he: first weights
  std::string keep = "last";     ///< or best: which epoch's weights
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
