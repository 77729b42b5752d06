#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "host/base/yaml.h"
#include "host/network/graph.h"
#include "host/network/layer.h"

namespace bittern {

struct TensorFile;  // host/network/io/safetensors.h

/// A network: what it computes, and the layers of it that are measured and have bits. Weights live
/// in checkpoint files.
struct Network {
  std::string name;
  std::string description;
  /// layers(graph), where there is a graph. Networks of shapes alone can be measured only.
  std::vector<Layer> layers;
  Graph graph;
  /// Names that checkpoints from elsewhere have for nodes of ours: node -> name of its tensors
  /// there, where they differ (fc: linear for linear.weight and linear.bias).
  std::map<std::string, std::string> tensor_names = {};
  /// What its file leaves open, a sentence each: load_network() warns of it.
  std::vector<std::string> notes = {};
  /// Weights that came with it (a model file), by their names in checkpoints; none otherwise.
  std::shared_ptr<const TensorFile> tensors = {};
  /// The file that has its weights (key `weights` of a network file), and the content_hash() that
  /// it must have; empty: none. host/network/io/network_weights.h reads it.
  std::filesystem::path weights_file = {};
  std::string weights_hash = {};

  /// Multiply-accumulates for one image. Throws Error when 64 bits cannot count them.
  std::int64_t macs() const;
  /// Number of weights.
  std::int64_t weights() const;
  /// Index of the layer called `name`; throws Error listing the names when there is none.
  std::size_t index_of(const std::string& name) const;
};

/// Reads a network from configs/networks/<name>.yaml, or from a file when `name_or_path` ends in
/// .yaml or .onnx (host/network/io/onnx/import.h). Strict: an unknown key is an error with file,
/// line and the nearest known key. Warns of Network::notes.
Network load_network(const std::string& name_or_path);

/// The network that a document says; its name is not compared with the file's.
Network parse_network(const YamlNode& document);

/// Throws Error (exit status 2) naming file, line and layer, what is wrong and what can be done,
/// unless the network can be trained as a classifier: every layer decides its answer, which is one
/// number for each class without a ReLU behind it.
void require_trainable(const Network& network);

/// Names of the networks in the zoo (configs/networks), sorted.
std::vector<std::string> network_names();

/// The same bits for every layer.
Policy uniform_policy(const Network& network, BitPair bits);

/// Reads a policy file: JSON object {"version": 1, "network": name, "layers": [{"name":...,
/// "weight_bits":..., "activation_bits":...}]} (no version means 1). Throws Error with file and
/// layer when layers are missing, unknown or out of 1..8 bits.
Policy load_policy(const std::filesystem::path& path, const Network& network);

/// Writes such a file (atomically).
void save_policy(const std::filesystem::path& path, const Network& network, const Policy& policy);

/// Size of the weights in bytes under a policy: sum of weights * weight bits / 8 (HAQ's model
/// size).
double model_size_bytes(const Network& network, const Policy& policy);

}  // namespace bittern
