#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "apps/bittern/device_options.h"
#include "apps/bittern/quantiser_options.h"
#include "apps/bittern/table_options.h"

namespace bittern {

/// Options of `bittern infer`, without LibTorch.
struct InferArguments {
  std::string network = "lenet";
  std::string checkpoint;  ///< empty: random weights
  BitsArguments bits;
  std::string variant;
  int batch = 0;  ///< 0: the variant's
  int images = 4;
  ImageArguments data;
  QuantiserArguments quantisers;
  DeviceChoice device;
  std::string store;
  bool no_store = false;
  std::string trace_folder = ".";
  std::uint64_t seed = 1;  ///< of random weights
  TableOptions table;
};

/// Adds the command; `action` does the work.
void add_infer_command(CLI::App& app,
                       std::function<void(const InferArguments&, const CLI::App&)> action);

}  // namespace bittern
