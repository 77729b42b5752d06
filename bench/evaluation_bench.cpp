// Policies of ResNet-20 a minute, as searches ask for them: with and without the values that
// policies share, and the early rejection by a part of the images. All in one run.
//
//   evaluation_bench CHECKPOINT CIFAR10_FOLDER [validation images, default 2000]
#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "agent/data/dataset.h"
#include "agent/evaluator/fake_quant_evaluator.h"
#include "agent/nn/checkpoint.h"
#include "host/base/error.h"
#include "host/base/random.h"
#include "host/base/stopwatch.h"
#include "host/network/network.h"

namespace bittern {
namespace {

constexpr int kLeastBits = 2;
constexpr int kMostLayerBits = 8;

int drawn_bits(Rng& rng) { return static_cast<int>(rng.integer(kLeastBits, kMostLayerBits)); }

/// Every layer drawn anew: what an agent that explores asks for.
std::vector<Policy> random_policies(const Network& network, int count, Rng& rng) {
  std::vector<Policy> policies;
  for (int i = 0; i < count; ++i) {
    Policy policy(network.layers.size());
    for (BitPair& bits : policy) bits = {drawn_bits(rng), drawn_bits(rng)};
    policies.push_back(policy);
  }
  return policies;
}

/// One layer of the same policy changed: sensitivities, and the steps of greedy methods.
std::vector<Policy> single_changes(const Network& network, int count, Rng& rng) {
  std::vector<Policy> policies;
  for (int i = 0; i < count; ++i) {
    Policy policy = uniform_policy(network, {6, 6});
    const auto layer = static_cast<std::size_t>(i) % policy.size();
    policy[layer] = {drawn_bits(rng), drawn_bits(rng)};
    policies.push_back(policy);
  }
  return policies;
}

/// One random layer changed after the other: annealing, local search.
std::vector<Policy> walk(const Network& network, int count, Rng& rng) {
  std::vector<Policy> policies;
  Policy policy = uniform_policy(network, {6, 6});
  for (int i = 0; i < count; ++i) {
    const auto layer =
        static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(policy.size()) - 1));
    policy[layer] = {drawn_bits(rng), drawn_bits(rng)};
    policies.push_back(policy);
  }
  return policies;
}

int measure(const std::string& checkpoint, const std::string& folder, int images) {
  const Network network = load_network("resnet20");
  const TensorFile weights = read_checkpoint(network, checkpoint);
  DataOptions data;
  data.name = "cifar10";
  data.folder = folder;
  data.validation_images = images;
  set_image_size(data, network);
  const DataSplits splits = load_data(data);
  constexpr int kPolicies = 24;
  Rng rng(1);
  const std::vector<std::pair<const char*, std::vector<Policy>>> searches = {
      {"random policies", random_policies(network, kPolicies, rng)},
      {"one layer of 6/6 changed", single_changes(network, kPolicies, rng)},
      {"one change after the other", walk(network, kPolicies, rng)}};
  std::cout << fmt::format("resnet20, {} validation images, {} policies of each kind\n", images,
                           kPolicies);
  for (const auto& [name, policies] : searches) {
    double plain = 0.0;
    for (const bool shares : {false, true}) {
      for (const bool screens : {false, true}) {
        FakeQuantOptions options;
        if (!shares) options.prefix_bytes = 0;
        if (screens) options.screen = {images / 5, 20.0};
        FakeQuantEvaluator evaluator(network, weights, splits, options);
        evaluator.baseline();
        int rejected = 0;
        const Stopwatch watch;
        for (const Policy& policy : policies) {
          rejected += evaluator.evaluate(policy).screened_images > 0 ? 1 : 0;
        }
        const double rate = 60.0 * static_cast<double>(policies.size()) / watch.seconds();
        if (plain == 0.0) plain = rate;
        std::cout << fmt::format("{:28} {:16} {:13} {:7.1f} policies/min  x{:.2f}{}\n", name,
                                 shares ? "shared values" : "", screens ? "screened" : "", rate,
                                 rate / plain,
                                 screens ? fmt::format("  {} rejected", rejected) : "")
                  << std::flush;
      }
    }
  }
  return 0;
}

}  // namespace
}  // namespace bittern

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    std::cerr << "usage: evaluation_bench CHECKPOINT CIFAR10_FOLDER [validation images]\n";
    return 2;
  }
  try {
    return bittern::measure(argv[1], argv[2], argc == 4 ? std::stoi(argv[3]) : 2000);
  } catch (const std::exception& error) {
    std::cerr << "evaluation_bench: " << error.what() << "\n";
    return 1;
  }
}
