#include "agent/evaluator/final_checkpoint.h"

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agent/nn/input_scaling.h"
#include "agent/torch.h"

namespace bittern {
namespace {

void store_weights(TensorFile& file, const Model& model, NetworkQuantisers& quantisers,
                   std::size_t layer, const TunedNetwork& network, const Policy& policy) {
  const std::string& name = model.network().layers[layer].name;
  const torch::Tensor& weight = network.master[model.slot_of_layer(layer)].weight;
  if (quantisers.codebooks()) {
    const CodebookQuantiser& quantiser = quantisers.codebook(layer, policy[layer].weight);
    file.tensors[name + ".weight_codes"] = store_tensor(quantiser.codes());
    file.tensors[name + ".weight_codebook"] = store_tensor(quantiser.codebook(weight));
    return;
  }
  const LinearQuantiser quantiser = quantisers.weight(layer, policy, network.adjustments);
  file.tensors[name + ".weight_codes"] = store_tensor(quantiser.codes(quantisers.bent(weight)));
  file.tensors[name + ".weight_scale"] = StoredTensor::from_floats(
      {static_cast<std::int64_t>(quantiser.scales().size())}, quantiser.scales());
}

/// Batch norms that were folded, as what is left of them: so the file is a checkpoint of the
/// network as it was written, too.
void add_norms(TensorFile& file, const Graph& unfolded) {
  for (const Node& norm : unfolded.nodes) {
    if (norm.op != Op::kBatchNorm || norm.inputs[0] == kImage) continue;
    const Node& layer = unfolded.nodes[static_cast<std::size_t>(norm.inputs[0])];
    const auto bias = file.tensors.find(layer.name + ".bias");
    if (file.tensors.count(norm.name + ".weight") > 0 || bias == file.tensors.end()) continue;
    const auto channels = static_cast<std::size_t>(norm.shape.channels);
    const auto all = [channels](double value) {
      return StoredTensor::from_floats({static_cast<std::int64_t>(channels)},
                                       std::vector<float>(channels, static_cast<float>(value)));
    };
    file.tensors[norm.name + ".weight"] = all(1.0);
    file.tensors[norm.name + ".bias"] = layer.attributes.bias ? all(0.0) : bias->second;
    file.tensors[norm.name + ".running_mean"] = all(0.0);
    file.tensors[norm.name + ".running_var"] = all(1.0 - norm.attributes.epsilon);
  }
}

}  // namespace

TensorFile quantised_checkpoint(const Model& model, const Graph& unfolded,
                                NetworkQuantisers& quantisers, const TunedNetwork& network,
                                const Policy& policy, const FakeQuantOptions& options) {
  TensorFile file = model.write_weights(network.master);
  nlohmann::json bits = nlohmann::json::object();
  for (std::size_t i = 0; i < policy.size(); ++i) {
    const std::string& name = model.network().layers[i].name;
    const auto scales = [](const std::vector<float>& values) {
      return StoredTensor::from_floats({static_cast<std::int64_t>(values.size())}, values);
    };
    if (!options.float_weights) {
      store_weights(file, model, quantisers, i, network, policy);
      bits[name]["weight_bits"] = policy[i].weight;
    }
    if (!options.float_activations) {
      const LinearQuantiser activation = quantisers.activation(i, policy, network.adjustments);
      file.tensors[name + ".activation_scale"] = scales(activation.scales());
      bits[name]["activation_bits"] = policy[i].activation;
    }
  }
  if (!options.equalise) add_norms(file, unfolded);
  file.metadata = {{"format", "bittern-quantised-1"},
                   {"network", model.network().name},
                   {"policy", bits.dump()},
                   {"input", input_text(model.network().graph)}};
  // The bounds of a ReLU6 that were divided like its channels are not in the weights.
  if (options.equalise) file.metadata["equalised"] = "weights and bounds of ReLU6";
  return file;
}

}  // namespace bittern
