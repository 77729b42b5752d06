#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "host/base/phase.h"
#include "host/device/start.h"

namespace bittern {

/// How a campaign is run; nothing here changes its result.
struct RunOptions {
  std::filesystem::path out;  ///< result directory; made when it is not there
  bool resume = false;        ///< continue what is in `out`
  std::size_t workers =
      0;  ///< simulations at once and threads of LibTorch; 0: one for each processor
  std::filesystem::path store;      ///< measurement store; empty: the default
  std::vector<Endpoint> endpoints;  ///< devices that run elsewhere; empty: simulations of ours
  std::string data_folder;          ///< --data
  std::string device = "auto";      ///< where tensors are computed: "auto", "cpu" or "cuda"
  std::shared_ptr<Phases> phases;   ///< says what is being done; null: nobody wants to know
  std::string command_line;         ///< for the log and the report
  /// Folder of what the cells of one campaign share: trained weights, accuracies, final fine-tunes.
  /// Empty: all of it is kept in `out`.
  std::filesystem::path shared;
};

}  // namespace bittern
