#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/bittern/device_options.h"
#include "host/analysis/measured_layers.h"
#include "host/energy/energy.h"
#include "host/network/network.h"

namespace bittern {

// What commands that measure the layers of a network have in common.

/// Options that say which layers.
struct LayerArguments {
  std::vector<std::string> words;

  void add_to(CLI::App& command);
  /// Indices of the layers, in the order given; all when none was. Throws Error (exit status 2) for
  /// a word that is neither a layer's name nor an index.
  std::vector<std::size_t> indices(const Network& network) const;
};

/// Options for the same bits in every layer.
struct UniformBits {
  int weight = 0;
  int activation = 0;

  void add_to(CLI::App& command);
  bool given() const { return weight != 0 || activation != 0; }
  /// Throws Error (exit status 2) when one of the two is missing.
  BitPair bits() const;
};

/// Option for another batch than the variant's.
struct BatchArgument {
  int batch = 0;

  void add_to(CLI::App& command);
  /// The variant, with the batch that was asked for.
  Variant applied(Variant variant) const;
};

/// Options that say where cycles come from.
struct SourceArguments {
  std::optional<std::string> model;
  std::string store;
  bool no_store = false;
  DeviceChoice device;

  void add_to(CLI::App& command);
  /// Throws Error (exit status 2) for a model that there is not.
  LayerModel what() const;
  LayerSource source(const CLI::App& command) const;
};

/// "Energy: table ..., device memory at ...": which of the two columns uses which number.
std::string energy_note(const EnergyTable& energy);

/// The two numbers for device memory with their sources.
nlohmann::json dram_anchors_json(const EnergyTable& energy);

}  // namespace bittern
