// What a search costs beside the evaluation of its policies: the agent's updates and actions, the
// constraint wall on MobileNet-V2, and a checkpoint of a LeNet search.
#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include <filesystem>
#include <vector>

#include "agent/rl/adam.h"
#include "agent/rl/ddpg/ddpg.h"
#include "agent/rl/ddpg/haq.h"
#include "agent/rl/ddpg/replay.h"
#include "agent/rl/ppo/ppo.h"
#include "host/search/checkpoint.h"
#include "host/search/cost_table.h"
#include "host/search/wall.h"
#include "tests/host/search/fakes.h"

namespace bittern {
namespace {

Transition random_transition(Rng& rng) {
  Transition transition;
  for (float& value : transition.state) value = static_cast<float>(rng.uniform());
  for (float& value : transition.next) value = static_cast<float>(rng.uniform());
  transition.action = static_cast<float>(rng.uniform());
  transition.reward = static_cast<float>(rng.normal());
  return transition;
}

/// One update at batch 64, sampling included. Arguments: sizes of the hidden layers.
void agent_update(benchmark::State& state) {
  const SingleThread single;
  Rng rng(1);
  DdpgOptions options;
  options.hidden1 = static_cast<int>(state.range(0));
  options.hidden2 = static_cast<int>(state.range(1));
  Ddpg agent(options, rng);
  Replay replay(128 * 106);
  for (int i = 0; i < 128 * 106; ++i) replay.push(random_transition(rng));
  Batch batch;
  for (auto _ : state) {
    replay.sample(rng, 64, batch);
    benchmark::DoNotOptimize(agent.update(batch));
  }
}
BENCHMARK(agent_update)
    ->Args({400, 300})
    ->Args({300, 300})
    ->Args({64, 48})
    ->Unit(benchmark::kMicrosecond);

/// What an update cannot do without: its ten products of the large layer (five passes forward, two
/// of them through the targets, five backward) by the fastest that LibTorch has for them, Adam over
/// both networks and the move of their targets. What agent_update takes beyond it is the tool's.
void update_arithmetic(benchmark::State& state) {
  const SingleThread single;
  const torch::NoGradGuard no_gradient;
  const std::int64_t hidden1 = state.range(0);
  const std::int64_t hidden2 = state.range(1);
  constexpr std::int64_t kBatch = 64;
  const auto product = [](std::int64_t m, std::int64_t k, std::int64_t n) {
    const auto left = torch::rand({m, k, 1, 1});
    const auto right = torch::rand({1, k, 1, n});
    return [left, right] {
      benchmark::DoNotOptimize(
          at::mkldnn_convolution(right, left, {}, {0, 0}, {1, 1}, {1, 1}, 1).data_ptr());
    };
  };
  const auto forward = product(hidden2, hidden1, kBatch);
  const auto weights = product(hidden2, kBatch, hidden1);
  const auto inputs = product(kBatch, hidden2, hidden1);
  const auto count = static_cast<std::size_t>((hidden1 + 1) * hidden2 + hidden1 * 11 + hidden2 + 1);
  std::vector<float> gradient(count, 0.1F);
  std::vector<float> mean(count);
  std::vector<float> square(count);
  std::vector<float> values(count);
  std::vector<float> target(count);
  std::int64_t step = 0;
  for (auto _ : state) {
    for (int i = 0; i < 5; ++i) forward();
    for (int i = 0; i < 2; ++i) weights();
    for (int i = 0; i < 3; ++i) inputs();
    ++step;
    for (int i = 0; i < 2; ++i) {
      adam_step({}, step, count, gradient.data(), mean.data(), square.data(), values.data());
      move_towards(0.01F, count, values.data(), target.data());
    }
  }
}
BENCHMARK(update_arithmetic)->Args({400, 300})->Args({300, 300})->Unit(benchmark::kMicrosecond);

void agent_action(benchmark::State& state) {
  const SingleThread single;
  Rng rng(1);
  const Ddpg agent({}, rng);
  const State input = random_transition(rng).state;
  for (auto _ : state) benchmark::DoNotOptimize(agent.act(input));
}
BENCHMARK(agent_action)->Unit(benchmark::kMicrosecond);

/// An agent of ReLeQ's size for so many layers, and episodes of it.
Ppo ppo_agent(int layers, Rng& rng) {
  return {PpoOptions(), 10, AllowedActions(layers, std::vector<bool>(7, true)), rng};
}

Rollout ppo_episode(const Ppo& agent, Rng& rng) {
  Rollout rollout;
  PolicyNetwork::Memory memory = agent.blank();
  for (int step = 0; step < agent.steps(); ++step) {
    std::vector<float> state;
    for (int i = 0; i < 10; ++i) state.push_back(static_cast<float>(rng.uniform()));
    const Ppo::Decision decision = agent.decide(step, state, memory, rng);
    rollout.states.insert(rollout.states.end(), state.begin(), state.end());
    rollout.actions.push_back(decision.action);
    rollout.log_probabilities.push_back(static_cast<float>(decision.log_probability));
    rollout.values.push_back(static_cast<float>(decision.value));
    rollout.rewards.push_back(static_cast<float>(rng.normal()));
  }
  return rollout;
}

/// One update of ReLeQ's agent, three passes. Arguments: layers, episodes.
void ppo_update(benchmark::State& state) {
  Rng rng(1);
  Ppo agent = ppo_agent(static_cast<int>(state.range(0)), rng);
  std::vector<Rollout> episodes;
  for (int i = 0; i < state.range(1); ++i) episodes.push_back(ppo_episode(agent, rng));
  for (auto _ : state) benchmark::DoNotOptimize(agent.update(episodes));
  // Three passes forward and backward, and one forward for the statistics.
  state.counters["GFLOP/s"] = benchmark::Counter(
      2e-9 * 10 * static_cast<double>(agent.network().size() * state.range(0) * state.range(1)),
      benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(ppo_update)
    ->Args({4, 1})
    ->Args({4, 4})
    ->Args({22, 1})
    ->Args({22, 4})
    ->Args({54, 4})
    ->Unit(benchmark::kMicrosecond);

void ppo_action(benchmark::State& state) {
  Rng rng(1);
  const Ppo agent = ppo_agent(4, rng);
  PolicyNetwork::Memory memory = agent.blank();
  const std::vector<float> input(10, 0.5f);
  for (auto _ : state) benchmark::DoNotOptimize(agent.decide(1, input, memory, rng));
}
BENCHMARK(ppo_action)->Unit(benchmark::kMicrosecond);

/// MobileNet-V2 from all 8 bits to 0.4 of the latency: 443 steps in mode haq.
void wall(benchmark::State& state) {
  const Network network = testing::mobilenet_v2();
  testing::FunctionCost cost(network, [&network](std::size_t layer, BitPair bits) {
    return testing::roofline_cycles(network.layers[layer], bits);
  });
  const BitSpace space({}, network);
  const CostTable table(cost, space);
  const Wall wall(table, space, {{Resource::kLatency, true, 0.4}},
                  {static_cast<WallMode>(state.range(0))});
  state.SetLabel(wall_mode_name(static_cast<WallMode>(state.range(0))));
  int steps = 0;
  for (auto _ : state) steps = wall.apply(space.highest()).steps;
  state.counters["steps"] = steps;
}
BENCHMARK(wall)->Arg(0)->Arg(1)->Arg(2)->Unit(benchmark::kMicrosecond);

/// Everything that a LeNet search keeps: agent at 400/300 and 128 episodes of 8 steps.
void checkpoint(benchmark::State& state) {
  Rng rng(1);
  const Ddpg agent(unbootstrapped_agent(), rng);
  Replay replay(128 * 8);
  for (int i = 0; i < 128 * 8; ++i) replay.push(random_transition(rng));
  const auto path = std::filesystem::temp_directory_path() / "bittern_search_bench.checkpoint";
  for (auto _ : state) {
    Checkpoint checkpoint;
    agent.save(checkpoint);
    checkpoint.arrays["replay"] = replay.save();
    write_checkpoint(path, checkpoint);
  }
  state.counters["bytes"] = static_cast<double>(std::filesystem::file_size(path));
  std::filesystem::remove(path);
}
BENCHMARK(checkpoint)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace bittern

BENCHMARK_MAIN();
