#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "host/network/layer.h"
#include "host/network/wiring.h"

namespace bittern {

/// The layers of a network in execution order. Shapes only: weights live in agent/ and in
/// checkpoint files.
struct Network {
  std::string name;
  std::string description;
  std::vector<Layer> layers;
  /// One for each layer; empty when only shapes are known (networks that no file states).
  std::vector<Wiring> wiring;
  Source output;  ///< what the network answers with; means nothing without `wiring`

  /// Multiply-accumulates for one image. Throws Error when 64 bits cannot count them.
  std::int64_t macs() const;
  /// Number of weights.
  std::int64_t weights() const;
  /// Index of the layer called `name`; throws Error listing the names when there is none.
  std::size_t index_of(const std::string& name) const;
};

/// Reads a network from configs/networks/<name>.yaml, or from a file when `name_or_path` ends in
/// .yaml. Strict: an unknown key is an error with file, line and the nearest known key.
Network load_network(const std::string& name_or_path);

/// Names of the networks in the zoo (configs/networks), sorted.
std::vector<std::string> network_names();

/// Canonical text of what stands between the layers: two networks with equal layers and equal texts
/// compute the same. Goes into content keys.
std::string wiring_key(const Network& network);

/// The same bits for every layer.
Policy uniform_policy(const Network& network, BitPair bits);

/// Reads a policy file: JSON object {"network": name, "layers": [{"name":..., "weight_bits":...,
/// "activation_bits":...}]}. Throws Error with file and layer when layers are missing, unknown or
/// out of 1..8 bits.
Policy load_policy(const std::filesystem::path& path, const Network& network);

/// Writes such a file (atomically).
void save_policy(const std::filesystem::path& path, const Network& network, const Policy& policy);

/// Size of the weights in bytes under a policy: sum of weights * weight bits / 8 (HAQ's model
/// size).
double model_size_bytes(const Network& network, const Policy& policy);

}  // namespace bittern
