#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>

#include "apps/bittern/layer_options.h"
#include "apps/bittern/quantiser_options.h"

namespace bittern {

/// Options of `bittern export`, without LibTorch.
struct ExportArguments {
  std::string network;
  std::string checkpoint;  ///< empty: the weights that the network came with
  BitsArguments bits;
  std::string format;
  std::string out;      ///< empty: called after network and format, in the current folder
  std::string variant;  ///< empty: no costs
  BatchArgument batch;
  int images = 4;
  ImageArguments data;
  QuantiserArguments quantisers;
  SourceArguments source;
};

/// Adds the command; `action` does the work.
void add_export_command(CLI::App& app,
                        std::function<void(const ExportArguments&, const CLI::App&)> action);

}  // namespace bittern
