#include "agent/rl/ppo/ppo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "host/base/error.h"
#include "tests/agent/rl/ppo/reference.h"
#include "tests/host/base/message_of.h"

namespace bittern {
namespace {

using testing::differences;
using ::testing::HasSubstr;
using testing::Numbers;
using testing::ReferenceNetwork;

constexpr int kInputs = 3;

/// Four actions, of which some steps take only a part.
AllowedActions three_steps() {
  return {{true, true, true, true}, {true, false, true, true}, {false, true, true, false}};
}

PpoOptions small(bool lstm = true) {
  PpoOptions options;
  options.adam.rate = 1e-4;
  options.epochs = 3;
  options.normalise_advantages = false;
  options.max_gradient = 0.0;
  options.lstm = lstm;
  options.hidden = 5;
  options.policy = {6, 4};
  options.value = {4};
  options.clip = 0.2;
  options.gamma = 0.9;
  options.lambda = 0.8;
  options.temperature = 0.5;
  options.entropy_weight = 0.3;
  options.value_weight = 0.7;
  return options;
}

Ppo lively(const PpoOptions& options, std::uint64_t seed) {
  Rng rng(seed);
  Ppo agent(options, kInputs, three_steps(), rng);
  Checkpoint checkpoint;
  agent.save(checkpoint);
  for (float& p : checkpoint.arrays["ppo.parameters"]) p = static_cast<float>(0.5 * rng.normal());
  agent.load(checkpoint);
  return agent;
}

/// Episodes of another policy, so that ratios lie on both sides of the clip range.
std::vector<Rollout> random_episodes(int count, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<Rollout> result;
  const AllowedActions allowed = three_steps();
  for (int e = 0; e < count; ++e) {
    Rollout rollout;
    for (const std::vector<bool>& step : allowed) {
      for (int i = 0; i < kInputs; ++i) rollout.states.push_back(static_cast<float>(rng.normal()));
      int action = 0;
      do {
        action = static_cast<int>(rng.integer(0, 3));
      } while (!step[action]);
      rollout.actions.push_back(action);
      rollout.log_probabilities.push_back(static_cast<float>(std::log(0.1 + 0.8 * rng.uniform())));
      rollout.values.push_back(static_cast<float>(rng.normal()));
      rollout.rewards.push_back(static_cast<float>(rng.normal()));
    }
    result.push_back(rollout);
  }
  return result;
}

/// The loss of Schulman et al. 2017 (equations 7 and 9) written out in double precision over whole
/// episodes, with advantages summed up from their definition.
class ReferenceLoss {
 public:
  ReferenceLoss(PpoOptions options, PolicyShape shape) : options_(options), network_(shape) {}

  double operator()(const Numbers& p, const std::vector<Rollout>& episodes) const {
    double loss = 0.0;
    double count = 0.0;
    std::vector<Numbers> gains;
    Numbers flat;
    for (const Rollout& episode : episodes) {
      gains.push_back(gains_of(episode));
      flat.insert(flat.end(), gains.back().begin(), gains.back().end());
      count += episode.steps();
    }
    double mean = 0.0;
    double deviation = 0.0;
    for (const double g : flat) mean += g / count;
    for (const double g : flat) deviation += (g - mean) * (g - mean) / count;
    deviation = std::sqrt(deviation);
    for (std::size_t e = 0; e < episodes.size(); ++e) {
      const Rollout& episode = episodes[e];
      std::vector<Numbers> states;
      for (std::size_t t = 0; t < episode.steps(); ++t) {
        const float* from = episode.states.data() + t * kInputs;
        states.emplace_back(from, from + kInputs);
      }
      const auto steps = network_.run(p, states);
      for (std::size_t t = 0; t < episode.steps(); ++t) {
        const std::vector<bool> allowed = three_steps()[t];
        double sum = 0.0;
        for (int k = 0; k < 4; ++k) {
          if (allowed[k]) sum += std::exp(steps[t].logits[k] / options_.temperature);
        }
        double entropy = 0.0;
        for (int k = 0; k < 4; ++k) {
          const double q = std::exp(steps[t].logits[k] / options_.temperature) / sum;
          if (allowed[k]) entropy -= q * std::log(q);
        }
        const double ratio = std::exp(steps[t].logits[episode.actions[t]] / options_.temperature) /
                             sum / std::exp(static_cast<double>(episode.log_probabilities[t]));
        const double gain =
            options_.normalise_advantages ? (gains[e][t] - mean) / (deviation + 1e-8) : gains[e][t];
        const double clipped = std::min(std::max(ratio, 1 - options_.clip), 1 + options_.clip);
        const double error = steps[t].value - (gains[e][t] + episode.values[t]);
        loss += (-std::min(ratio * gain, clipped * gain) + options_.value_weight * error * error -
                 options_.entropy_weight * entropy) /
                count;
      }
    }
    return loss;
  }

 private:
  Numbers gains_of(const Rollout& episode) const {
    Numbers result;
    const std::size_t n = episode.steps();
    for (std::size_t t = 0; t < n; ++t) {
      double sum = 0.0;
      for (std::size_t k = t; k < n; ++k) {
        const double next = k + 1 < n ? episode.values[k + 1] : 0.0;
        sum += std::pow(options_.gamma * options_.lambda, static_cast<double>(k - t)) *
               (episode.rewards[k] + options_.gamma * next - episode.values[k]);
      }
      result.push_back(sum);
    }
    return result;
  }

  PpoOptions options_;
  ReferenceNetwork network_;
};

Numbers parameters_of(const Ppo& agent) {
  return {agent.network().parameters().begin(), agent.network().parameters().end()};
}

TEST(Ppo, HasTheLossAndTheGradientOfItsDefinition) {
  for (const bool lstm : {true, false}) {
    for (const bool normalised : {true, false}) {
      PpoOptions options = small(lstm);
      options.normalise_advantages = normalised;
      const Ppo agent = lively(options, 1);
      const std::vector<Rollout> episodes = random_episodes(6, 2);
      const ReferenceLoss reference(options, agent.network().shape());
      const Numbers p = parameters_of(agent);
      std::vector<float> gradient;
      EXPECT_NEAR(agent.loss(episodes, gradient), reference(p, episodes), 1e-4);
      const Numbers wanted =
          differences([&](const Numbers& q) { return reference(q, episodes); }, p);
      ASSERT_EQ(gradient.size(), wanted.size());
      double largest = 0.0;
      for (std::size_t i = 0; i < wanted.size(); ++i) {
        EXPECT_NEAR(gradient[i], wanted[i], 1e-4 * (1.0 + std::abs(wanted[i]))) << i;
        largest = std::max(largest, std::abs(wanted[i]));
      }
      EXPECT_GT(largest, 0.05) << "the gradient is not tested";
    }
  }
}

/// The objective alone, one step at a time, at ratios on both sides: beyond the clip range nothing
/// is left to gain, but what went the wrong way still comes back.
TEST(Ppo, ClipsOnlyWhatIsAlreadyGained) {
  PpoOptions options = small();
  options.entropy_weight = options.value_weight = 0.0;
  options.gamma = 0.0;  // the advantage is reward - value
  const Ppo agent = lively(options, 3);
  for (const double advantage : {1.0, -1.0}) {
    for (const double ratio : {0.5, 0.95, 1.05, 2.0}) {
      Rollout episode = random_episodes(1, 4).front();
      PolicyNetwork::Memory memory = agent.blank();
      Rng rng(1);
      for (int t = 0; t < 3; ++t) {
        const float* from = episode.states.data() + t * kInputs;
        const Ppo::Decision decision = agent.decide(t, {from, from + kInputs}, memory, rng);
        episode.log_probabilities[t] = static_cast<float>(
            std::log(decision.probabilities[episode.actions[t]] / (t == 1 ? ratio : 1.0)));
        episode.values[t] = 0.0f;
        episode.rewards[t] = t == 1 ? static_cast<float>(advantage) : 0.0f;
      }
      std::vector<float> gradient;
      const double clipped = std::clamp(ratio, 0.8, 1.2);
      EXPECT_NEAR(agent.loss({episode}, gradient),
                  -std::min(ratio * advantage, clipped * advantage) / 3, 1e-5);
      const bool flat = advantage > 0 ? ratio > 1.2 : ratio < 0.8;
      const bool moves =
          std::any_of(gradient.begin(), gradient.end(), [](float g) { return g != 0.0f; });
      EXPECT_EQ(moves, !flat) << advantage << " " << ratio;
    }
  }
}

TEST(Ppo, StepsWithAdamAndShortensGradients) {
  PpoOptions options = small();
  options.epochs = 2;
  options.adam.rate = 1e-3;
  for (const double most : {0.0, 0.25}) {
    options.max_gradient = most;
    Ppo agent = lively(options, 5);
    const std::vector<Rollout> episodes = random_episodes(4, 6);
    const ReferenceLoss reference(options, agent.network().shape());
    const auto loss = [&](const Numbers& q) { return reference(q, episodes); };
    Numbers p = parameters_of(agent);
    Numbers m(p.size(), 0.0);
    Numbers v(p.size(), 0.0);
    double norms = 0.0;
    for (int step = 1; step <= 2; ++step) {
      Numbers g = differences(loss, p);
      double norm = 0.0;
      for (const double x : g) norm += x * x;
      norm = std::sqrt(norm);
      norms += norm / 2;
      if (most > 0.0) {
        ASSERT_GT(norm, most) << "nothing is shortened";
        for (double& x : g) x *= most / norm;
      }
      for (std::size_t i = 0; i < p.size(); ++i) {
        m[i] = 0.9 * m[i] + 0.1 * g[i];
        v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
        p[i] -= 1e-3 * m[i] / (1 - std::pow(0.9, step)) /
                (std::sqrt(v[i] / (1 - std::pow(0.999, step))) + options.adam.epsilon);
      }
    }
    const Ppo::Statistics statistics = agent.update(episodes);
    EXPECT_NEAR(statistics.gradient, norms, 1e-3 * norms);
    const Numbers after = parameters_of(agent);
    double off = 0.0;
    for (std::size_t i = 0; i < p.size(); ++i) off = std::max(off, std::abs(after[i] - p[i]));
    // A step of Adam is about 1e-3, whatever the gradient: where that is tiny, float decides.
    EXPECT_LT(off, 2e-4);
  }
}

/// One update from its own episodes: the statistics after it, from the probabilities before and
/// after.
TEST(Ppo, MeasuresItsUpdates) {
  PpoOptions options = small();
  options.clip = 0.05;
  options.epochs = 5;
  options.adam.rate = 0.02;
  Ppo agent = lively(options, 7);
  std::vector<Rollout> episodes = random_episodes(5, 8);
  const auto probabilities = [&](const Rollout& episode) {
    std::vector<std::vector<double>> result;
    PolicyNetwork::Memory memory = agent.blank();
    Rng rng(1);
    for (int t = 0; t < 3; ++t) {
      const float* from = episode.states.data() + t * kInputs;
      result.push_back(agent.decide(t, {from, from + kInputs}, memory, rng).probabilities);
    }
    return result;
  };
  std::vector<std::vector<std::vector<double>>> before;
  for (Rollout& episode : episodes) {
    before.push_back(probabilities(episode));
    for (int t = 0; t < 3; ++t) {
      episode.log_probabilities[t] =
          static_cast<float>(std::log(before.back()[t][episode.actions[t]]));
    }
  }
  const Ppo::Statistics statistics = agent.update(episodes);
  double kl = 0.0;
  double entropy = 0.0;
  double outside = 0.0;
  for (std::size_t e = 0; e < episodes.size(); ++e) {
    const auto after = probabilities(episodes[e]);
    for (int t = 0; t < 3; ++t) {
      for (int k = 0; k < 4; ++k) {
        if (before[e][t][k] == 0.0) continue;
        kl += before[e][t][k] * std::log(before[e][t][k] / after[t][k]) / 15;
        entropy -= after[t][k] * std::log(after[t][k]) / 15;
      }
      const int action = episodes[e].actions[t];
      outside += std::abs(after[t][action] / before[e][t][action] - 1.0) > 0.05 ? 1.0 / 15 : 0.0;
    }
  }
  EXPECT_GT(kl, 1e-4);
  EXPECT_GT(outside, 0.0);
  EXPECT_NEAR(statistics.kl, kl, 1e-4 * (1 + kl));
  EXPECT_NEAR(statistics.entropy, entropy, 1e-5);
  EXPECT_NEAR(statistics.clip_share, outside, 1e-9);
}

TEST(Ppo, TakesAllowedActionsAsOftenAsTheirProbabilities) {
  const Ppo agent = lively(small(), 9);
  Rng rng(10);
  const std::vector<float> state = {0.3f, -0.2f, 0.9f};
  for (int step = 0; step < 3; ++step) {
    std::vector<int> counts(4, 0);
    std::vector<double> p;
    constexpr int kDraws = 4000;
    for (int i = 0; i < kDraws; ++i) {
      PolicyNetwork::Memory memory = agent.blank();
      const Ppo::Decision decision = agent.decide(step, state, memory, rng);
      p = decision.probabilities;
      EXPECT_NEAR(decision.log_probability, std::log(p[decision.action]), 1e-12);
      ++counts[decision.action];
    }
    double sum = 0.0;
    for (int k = 0; k < 4; ++k) {
      sum += p[k];
      if (!three_steps()[step][k]) {
        EXPECT_EQ(p[k], 0.0);
        EXPECT_EQ(counts[k], 0);
      }
      EXPECT_NEAR(counts[k] / double{kDraws}, p[k], 0.035);
    }
    EXPECT_NEAR(sum, 1.0, 1e-12);
  }
}

/// Flatter draws, and a decision that still says what the agent thinks.
TEST(Ppo, DrawsFlatterWhenAskedTo) {
  const Ppo agent = lively(small(), 9);
  Rng rng(10);
  const std::vector<float> state = {0.3f, -0.2f, 0.9f};
  PolicyNetwork::Memory blank = agent.blank();
  const std::vector<double> p = agent.decide(0, state, blank, rng).probabilities;
  for (const double flatness : {2.0, 1e9}) {
    double sum = 0.0;
    for (const double x : p) sum += std::pow(x, 1.0 / flatness);
    std::vector<int> counts(4, 0);
    constexpr int kDraws = 4000;
    for (int i = 0; i < kDraws; ++i) {
      PolicyNetwork::Memory memory = agent.blank();
      const Ppo::Decision decision = agent.decide(0, state, memory, rng, flatness);
      EXPECT_EQ(decision.probabilities, p);
      EXPECT_NEAR(decision.log_probability, std::log(p[decision.action]), 1e-12);
      ++counts[decision.action];
    }
    for (int k = 0; k < 4; ++k) {
      EXPECT_NEAR(counts[k] / double{kDraws}, std::pow(p[k], 1.0 / flatness) / sum, 0.035);
    }
  }
}

/// The first state says which action pays in the last step, whose own state does not: only a memory
/// can know. Share of right answers in the last update's episodes.
double learn_to_repeat(bool lstm) {
  PpoOptions options;
  options.lstm = lstm;
  options.hidden = 16;
  options.policy = {16};
  options.value = {16};
  options.adam.rate = 0.01;
  options.clip = 0.2;
  options.epochs = 4;
  options.normalise_advantages = true;
  options.entropy_weight = 0.0;
  Rng rng(1);
  Ppo agent(options, 3, {{true, true}, {true, true}, {true, true}}, rng);
  double last = 0.0;
  for (int update = 0; update < 120; ++update) {
    std::vector<Rollout> episodes;
    last = 0.0;
    for (int e = 0; e < 16; ++e) {
      const int wanted = static_cast<int>(rng.integer(0, 1));
      PolicyNetwork::Memory memory = agent.blank();
      Rollout rollout;
      for (int t = 0; t < 3; ++t) {
        const std::vector<float> state = {t == 0 ? 2.0f * wanted - 1.0f : 0.0f,
                                          t == 1 ? 1.0f : 0.0f, t == 2 ? 1.0f : 0.0f};
        const Ppo::Decision decision = agent.decide(t, state, memory, rng);
        rollout.states.insert(rollout.states.end(), state.begin(), state.end());
        rollout.actions.push_back(decision.action);
        rollout.log_probabilities.push_back(static_cast<float>(decision.log_probability));
        rollout.values.push_back(static_cast<float>(decision.value));
        rollout.rewards.push_back(t == 2 && decision.action == wanted ? 1.0f : 0.0f);
      }
      last += rollout.rewards[2] / 16;
      episodes.push_back(rollout);
    }
    agent.update(episodes);
  }
  return last;
}

TEST(Ppo, LearnsWhatOnlyAMemoryCanKnow) {
  EXPECT_GT(learn_to_repeat(true), 0.9);
  EXPECT_LT(learn_to_repeat(false), 0.85);
}

TEST(Ppo, ContinuesFromACheckpointAsIfNothingHadHappened) {
  Ppo agent = lively(small(), 11);
  for (int i = 0; i < 3; ++i) agent.update(random_episodes(4, 20 + i));
  Checkpoint checkpoint;
  agent.save(checkpoint);
  Ppo loaded = lively(small(), 12);
  loaded.load(checkpoint);
  for (int i = 0; i < 3; ++i) {
    const Ppo::Statistics a = agent.update(random_episodes(4, 30 + i));
    const Ppo::Statistics b = loaded.update(random_episodes(4, 30 + i));
    EXPECT_EQ(a.kl, b.kl);
    EXPECT_EQ(a.policy_loss, b.policy_loss);
  }
  EXPECT_EQ(agent.network().parameters(), loaded.network().parameters());
}

TEST(Ppo, RefusesACheckpointOfAnotherShape) {
  Ppo agent = lively(small(), 13);
  Checkpoint checkpoint;
  agent.save(checkpoint);
  PpoOptions options = small();
  options.hidden = 6;
  Ppo other = lively(options, 13);
  EXPECT_THROW(other.load(checkpoint), Error);
  checkpoint.state["ppo"].erase("adam_steps");
  EXPECT_THAT(message_of([&] { agent.load(checkpoint); }), HasSubstr("not what was expected"));
}

TEST(Ppo, SaysWhenItHasDiverged) {
  Ppo agent = lively(small(), 14);
  Checkpoint checkpoint;
  agent.save(checkpoint);
  for (float& p : checkpoint.arrays["ppo.parameters"]) p = std::nanf("");
  agent.load(checkpoint);
  PolicyNetwork::Memory memory = agent.blank();
  Rng rng(1);
  EXPECT_THAT(message_of([&] {
                agent.decide(0, {0, 0, 0}, memory, rng);
              }),
              HasSubstr("diverged; lower its rate"));
  EXPECT_THAT(message_of([&] { agent.update(random_episodes(2, 1)); }), HasSubstr("diverged"));
  Ppo sound = lively(small(), 14);
  std::vector<Rollout> episodes = random_episodes(2, 1);
  episodes[0].rewards[1] = std::nanf("");
  EXPECT_THAT(message_of([&] { sound.update(episodes); }), HasSubstr("diverged"));
}

TEST(Ppo, RefusesEpisodesThatDoNotFit) {
  Ppo agent = lively(small(), 15);
  EXPECT_THAT(message_of([&] { agent.update({}); }), HasSubstr("without episodes"));
  std::vector<Rollout> episodes = random_episodes(2, 1);
  episodes[1].rewards.pop_back();
  EXPECT_THAT(message_of([&] { agent.update(episodes); }), HasSubstr("expected 3 and 9"));
  Rng rng(1);
  EXPECT_THAT(message_of([&] {
                Ppo(small(), 3, {{true, true}, {false, false}}, rng);
              }),
              HasSubstr("step 1 allows no action"));
  EXPECT_THAT(message_of([&] {
                Ppo(small(), 3, {{true, true}, {true}}, rng);
              }),
              HasSubstr("steps of 2 and of 1 actions"));
}

TEST(PpoOptions, AreChecked) {
  const auto message = [](const std::function<void(PpoOptions&)>& change) {
    PpoOptions options;
    change(options);
    return message_of([&] { validate(options); });
  };
  EXPECT_NO_THROW(validate(PpoOptions{}));
  EXPECT_THAT(message([](PpoOptions& o) { o.hidden = 0; }), HasSubstr("hidden is 0"));
  EXPECT_THAT(message([](PpoOptions& o) { o.policy = {0}; }), HasSubstr("policy_layers is 0"));
  EXPECT_THAT(message([](PpoOptions& o) { o.value.assign(9, 4); }), HasSubstr("value_layers is 9"));
  EXPECT_THAT(message([](PpoOptions& o) { o.adam.rate = 0; }), HasSubstr("rate is 0"));
  EXPECT_THAT(message([](PpoOptions& o) { o.adam.beta1 = 1; }), HasSubstr("beta1 is 1"));
  EXPECT_THAT(message([](PpoOptions& o) { o.adam.beta2 = -1; }), HasSubstr("beta2 is -1"));
  EXPECT_THAT(message([](PpoOptions& o) { o.adam.epsilon = 0; }), HasSubstr("adam_epsilon is 0"));
  EXPECT_THAT(message([](PpoOptions& o) { o.gamma = std::nan(""); }), HasSubstr("gamma is nan"));
  EXPECT_THAT(message([](PpoOptions& o) { o.lambda = 2; }), HasSubstr("gae is 2"));
  EXPECT_THAT(message([](PpoOptions& o) { o.clip = 1; }), HasSubstr("clip is 1"));
  EXPECT_THAT(message([](PpoOptions& o) { o.epochs = 0; }), HasSubstr("epochs is 0"));
  EXPECT_THAT(message([](PpoOptions& o) { o.entropy_weight = -1; }), HasSubstr("entropy is -1"));
  EXPECT_THAT(message([](PpoOptions& o) { o.value_weight = -1; }), HasSubstr("value_weight is -1"));
  EXPECT_THAT(message([](PpoOptions& o) { o.temperature = 0; }), HasSubstr("temperature is 0"));
  EXPECT_THAT(message([](PpoOptions& o) { o.max_gradient = -1; }), HasSubstr("max_gradient is -1"));
}

}  // namespace
}  // namespace bittern
