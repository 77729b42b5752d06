#include "host/network/io/network_weights.h"

#include <utility>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/network/io/network_yaml.h"

namespace bittern {

bool has_weights(const Network& network) {
  return network.tensors != nullptr || !network.weights_file.empty();
}

TensorFile network_weights(const Network& network) {
  if (network.tensors == nullptr && network.weights_file.empty()) {
    fail_usage("network {} has no weights of its own: give --checkpoint", network.name);
  }
  if (network.tensors == nullptr) {
    TensorFile file = read_safetensors(network.weights_file);
    const std::string hash = content_hash(file);
    if (hash != network.weights_hash) {
      fail_usage(
          "{}: its tensors have the hash {}, but network {} was written with {}: restore the "
          "file, or import the model again",
          network.weights_file.string(), hash, network.name, network.weights_hash);
    }
    return file;
  }
  return *network.tensors;
}

Network save_network(const std::filesystem::path& path, const Network& network) {
  if (path.extension() != ".yaml") {
    fail_usage("{}: expected a name ending in .yaml", path.string());
  }
  Network written = network;
  written.name = path.stem().string();
  std::filesystem::path weights = path;
  weights.replace_extension(".safetensors");
  check_output_file(path);
  check_output_file(weights);
  TensorFile file = network_weights(network);
  file.metadata["network"] = written.name;
  written.tensors.reset();
  written.weights_file = weights;
  written.weights_hash = content_hash(file);
  const std::string text = network_yaml(written);
  write_safetensors(weights, file);
  write_file(path, text);
  return written;
}

}  // namespace bittern
