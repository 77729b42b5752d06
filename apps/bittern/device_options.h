#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "apps/bittern/command_line.h"
#include "apps/bittern/option_kinds.h"
#include "host/run/measurer.h"

namespace bittern {

/// Options of commands that run layers on devices.
struct DeviceChoice {
  int workers = 0;
  std::vector<std::string> endpoints;

  void add_to(CLI::App& command) {
    whole_number(
        command.add_option("--workers", workers, "Simulations at once; 0: one for each processor"),
        0, 256)
        ->capture_default_str();
    text_of(command.add_option("--device", endpoints,
                               "Device that runs elsewhere: unix:/path or host:port (may be "
                               "repeated); otherwise simulations are started here"),
            "ADDRESS")
        ->allow_extra_args(false);
  }

  /// Options for a measurer, without those of the store.
  MeasurerOptions measurer(const CLI::App& command) const {
    MeasurerOptions options;
    options.workers = static_cast<std::size_t>(workers);
    for (const std::string& endpoint : endpoints) {
      options.endpoints.push_back(Endpoint::parse(endpoint));
    }
    options.runner.phases = make_phases(command);
    return options;
  }
};

}  // namespace bittern
