#pragma once

#include <filesystem>

#include "host/network/io/safetensors.h"
#include "host/network/network.h"

namespace bittern {

/// Whether a network came with weights.
bool has_weights(const Network& network);

/// Its weights, in the form of a checkpoint. Those of a file are read now and must have the hash
/// that the network's file states. Throws Error when there are none.
TensorFile network_weights(const Network& network);

/// Writes a network with weights as two files: `path` (.yaml) and beside it <stem>.safetensors.
/// Throws Error as network_yaml() and write_file() do. Returns the network that was written, named
/// after the file.
Network save_network(const std::filesystem::path& path, const Network& network);

}  // namespace bittern
