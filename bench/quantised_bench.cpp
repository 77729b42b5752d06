// ResNet-20 quantised: images a second of integers beside float and simulated quantisation, and
// steps of fine-tuning beside steps in float, all in one run. Weights and images are random: no
// download.
#include <fmt/format.h>
#include <torch/torch.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <functional>
#include <iostream>
#include <string>
#include <vector>

#include "agent/evaluator/integer_score.h"
#include "agent/evaluator/network_quantisers.h"
#include "agent/nn/folding.h"
#include "agent/nn/training.h"
#include "host/base/processors.h"
#include "host/base/random.h"
#include "host/base/stopwatch.h"

namespace bittern {
namespace {

TensorData random_images(std::int64_t count, const Shape& shape) {
  torch::manual_seed(1);
  return {torch::randint(0, 256, {count, shape.channels, shape.height, shape.width}, torch::kUInt8),
          torch::randint(0, 10, {count}, torch::kInt64)};
}

/// What a body took, in seconds: by the clock, and of all processors together.
struct Took {
  double wall = 1e300;
  double processor = 1e300;
};

/// The least of some runs of each body. They take turns: what else the machine does hits all of
/// them.
std::vector<Took> least(const std::vector<std::function<void()>>& bodies, int rounds) {
  std::vector<Took> best(bodies.size());
  for (int round = 0; round <= rounds; ++round) {
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      const Stopwatch watch;
      const std::clock_t begin = std::clock();
      bodies[i]();
      if (round == 0) continue;  // warms up
      best[i].wall = std::min(best[i].wall, watch.seconds());
      best[i].processor =
          std::min(best[i].processor, static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
    }
  }
  return best;
}

int measure(int threads) {
  const Network network = load_network("resnet20");
  const FoldedNetwork folded = bittern::folded(network, random_checkpoint(network, 1), "resnet20");
  Engine engine(folded.network, threads, TensorDevice::kCpu);
  const Weights weights = engine.model().read_weights(folded.weights, "resnet20");
  const TensorData images = random_images(512, network.graph.input);
  const TensorData batch = random_images(128, network.graph.input);
  NetworkQuantisers quantisers(engine, weights, {});
  quantisers.calibrate(random_images(64, network.graph.input));
  const Policy policy = uniform_policy(network, {8, 8});
  const Adjustments calibrated;
  const WeightView view = quantisers.weight_view(policy, calibrated);
  const Hooks hooks = quantisers.hooks(policy, calibrated);
  const QuantisedNetwork integers = quantisers.integers(weights, policy, calibrated);
  Weights gradients(weights.size());

  const std::vector<Took> forward = least({[&] { engine.score(weights, {}, images); },
                                           [&] { engine.score(view(weights), hooks, images); },
                                           [&] { integer_score(integers, images, engine); }},
                                          4);
  const std::vector<Took> step =
      least({[&] { engine.gradients(weights, {}, batch, gradients); },
             [&] { engine.gradients(view(weights), hooks, batch, gradients); }},
            4);
  const auto print = [](const char* what, const TensorData& data, const Took& took,
                        const Took& base) {
    std::cout << fmt::format("  {:<20}{:8.0f} images/s, {:.2f} of the processor time in float\n",
                             what, static_cast<double>(data.size()) / took.wall,
                             took.processor / base.processor);
  };
  std::cout << fmt::format("resnet20 at 8/8 bits, {} threads\n", threads);
  print("float forward", images, forward[0], forward[0]);
  print("fake-quant forward", images, forward[1], forward[0]);
  print("integers", images, forward[2], forward[0]);
  print("float step", batch, step[0], step[0]);
  print("fake-quant step", batch, step[1], step[0]);
  return 0;
}

}  // namespace
}  // namespace bittern

int main() { return bittern::measure(bittern::processors()); }
