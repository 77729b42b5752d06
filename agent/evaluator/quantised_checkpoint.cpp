#include "agent/evaluator/quantised_checkpoint.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "agent/nn/checkpoint.h"
#include "agent/nn/input_scaling.h"
#include "agent/torch.h"
#include "host/base/error.h"
#include "host/base/hash.h"
#include "host/base/json.h"

namespace bittern {
namespace {

constexpr const char* kFormat = "bittern-quantised-2";
constexpr const char* kWeightScale = ".weight_scale";
constexpr const char* kInputScale = ".activation_scale";
constexpr int kMostCodeBits = 8;  ///< of weights and activations that are codes

BitPair bits_of(const nlohmann::json& policy, const std::string& layer, const std::string& where) {
  const auto entry = policy.find(layer);
  const auto bits = [&](const char* key) {
    const bool there = entry != policy.end() && entry->is_object() && entry->contains(key) &&
                       entry->at(key).is_number_integer();
    const auto value = there ? entry->at(key).get<std::int64_t>() : 0;
    if (value < 1 || value > kMostCodeBits) {
      fail_usage("{}: metadata 'policy': layer {} has no {} of 1..{}", where, layer, key,
                 kMostCodeBits);
    }
    return static_cast<int>(value);
  };
  return {bits("weight_bits"), bits("activation_bits")};
}

WeightKind stated_kind(const std::string& name, const std::string& where) {
  try {
    return weight_kind_of(name);
  } catch (const Error& error) {
    fail_usage("{}: metadata: {}", where, error.what());
  }
}

std::vector<float> scales_of(const TensorFile& file, const std::string& name,
                             const std::string& where) {
  std::vector<float> scales = file.floats(name, where);
  if (scales.empty() || std::any_of(scales.begin(), scales.end(), [](float scale) {
        return !(scale > 0) || !std::isfinite(scale);
      })) {
    fail_usage("{}: tensor '{}': expected positive scales", where, name);
  }
  return scales;
}

float scale_of(const TensorFile& file, const std::string& name, const std::string& where) {
  const std::vector<float> scales = scales_of(file, name, where);
  if (scales.size() != 1) {
    fail_usage("{}: tensor '{}' has {} scales, expected one", where, name, scales.size());
  }
  return scales.front();
}

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
  file.tensors[name + kWeightScale] = StoredTensor::from_floats(
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
    store_weights(file, model, quantisers, i, network, policy);
    const LinearQuantiser input = quantisers.activation(i, policy, network.adjustments);
    file.tensors[name + kInputScale] = StoredTensor::from_floats({1}, input.scales());
    bits[name] = {{"weight_bits", policy[i].weight}, {"activation_bits", policy[i].activation}};
  }
  for (const std::size_t node : model.scheme().stored()) {
    file.tensors[model.graph().nodes[node].name + kStoredScale] =
        StoredTensor::from_floats({1}, quantisers.stored(node, network.adjustments).scales());
  }
  for (const Node& node : model.graph().nodes) {
    const std::vector<double>& divisors = node.attributes.deviation;
    if (node.op != Op::kClip || divisors.empty()) continue;
    file.tensors[node.name + kBoundDivisors] =
        StoredTensor::from_floats({static_cast<std::int64_t>(divisors.size())},
                                  std::vector<float>(divisors.begin(), divisors.end()));
  }
  add_norms(file, unfolded);
  file.metadata = {{"format", kFormat},
                   {"network", model.network().name},
                   {"policy", bits.dump()},
                   {"weights", weight_kind_name(options.weights.kind)},
                   {"input", input_text(model.network().graph)}};
  const char* in_float = options.float_weights       ? "weights"
                         : options.float_activations ? "activations"
                                                     : "none";
  file.metadata["trained_in_float"] = in_float;
  if (options.equalise) file.metadata["equalised"] = "yes";
  return file;
}

std::shared_ptr<const PolicyScales> stated_scales(const Model& model, const TensorFile& checkpoint,
                                                  WeightKind kind, const std::string& where) {
  const auto format = checkpoint.metadata.find("format");
  if (format == checkpoint.metadata.end() || format->second != kFormat) return nullptr;
  const auto kind_name = checkpoint.metadata.find("weights");
  if (kind_name == checkpoint.metadata.end())
    fail_usage("{}: metadata 'weights' is missing", where);
  const WeightKind stated = stated_kind(kind_name->second, where);
  if (stated == WeightKind::kKmeans) return nullptr;
  if (stated != kind) {
    spdlog::warn("{}: its codes are those of {} weights; {} ones are made of its float weights",
                 where, kind_name->second, weight_kind_name(kind));
    return nullptr;
  }
  auto scales = std::make_shared<PolicyScales>();
  const auto policy = checkpoint.metadata.find("policy");
  if (policy == checkpoint.metadata.end()) fail_usage("{}: metadata 'policy' is missing", where);
  const nlohmann::json bits = parse_json(policy->second, where + ": metadata 'policy'");
  for (const Layer& layer : model.network().layers) {
    scales->policy.push_back(bits_of(bits, layer.name, where));
    scales->weights.push_back(scales_of(checkpoint, layer.name + kWeightScale, where));
    const std::size_t count = scales->weights.back().size();
    if (count != 1 && count != static_cast<std::size_t>(layer.out_channels)) {
      fail_usage("{}: tensor '{}{}' has {} scales for {} channels", where, layer.name, kWeightScale,
                 count, layer.out_channels);
    }
    scales->activations.push_back(scale_of(checkpoint, layer.name + kInputScale, where));
  }
  for (const std::size_t node : model.scheme().stored()) {
    const std::string name = model.graph().nodes[node].name + kStoredScale;
    scales->stored[node] = scale_of(checkpoint, name, where);
  }
  return scales;
}

std::string scales_key(const PolicyScales* scales) {
  if (scales == nullptr) return "";
  Sha256 hash;
  hash.update_field(policy_text(scales->policy));
  const auto add = [&hash](float scale) { hash.update_field(fmt::format("{:a}", scale)); };
  for (const std::vector<float>& layer : scales->weights) {
    hash.update_field(std::to_string(layer.size()));
    std::for_each(layer.begin(), layer.end(), add);
  }
  std::for_each(scales->activations.begin(), scales->activations.end(), add);
  for (const auto& [node, scale] : scales->stored) add(scale);
  return hash.hex();
}

}  // namespace bittern
