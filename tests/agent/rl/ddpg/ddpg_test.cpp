#include "agent/rl/ddpg/ddpg.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "agent/torch.h"
#include "host/base/error.h"
#include "tests/agent/rl/differences.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;
using testing::Numbers;

DdpgOptions small() {
  DdpgOptions options;
  options.hidden1 = 6;
  options.hidden2 = 5;
  options.init_w = 0.0;
  return options;
}

Batch random_batch(Rng& rng, std::size_t rows) {
  Batch batch;
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t k = 0; k < kStateSize; ++k) {
      batch.states.push_back(static_cast<float>(rng.uniform()));
      batch.nexts.push_back(static_cast<float>(rng.uniform()));
    }
    batch.actions.push_back(static_cast<float>(rng.uniform()));
    batch.rewards.push_back(static_cast<float>(rng.normal()));
    batch.alive.push_back(i % 3 == 0 ? 0.0f : 1.0f);
  }
  return batch;
}

Numbers array(const Ddpg& agent, const std::string& name) {
  Checkpoint checkpoint;
  agent.save(checkpoint);
  const auto& values = checkpoint.arrays.at("ddpg." + name);
  return {values.begin(), values.end()};
}

/// Forward passes written out in double precision over the flat parameters: weights (outputs x
/// inputs) then biases, layer after layer.
class Reference {
 public:
  explicit Reference(const DdpgOptions& options) : options_(options) {}

  double actor(const Numbers& p, const float* state) const {
    std::size_t at = 0;
    Numbers x(state, state + kStateSize);
    x = relu(dense(p, at, x, options_.hidden1));
    x = relu(dense(p, at, x, options_.hidden2));
    return 1.0 / (1.0 + std::exp(-dense(p, at, x, 1)[0]));
  }
  double critic(const Numbers& p, const float* state, double action) const {
    std::size_t at = 0;
    Numbers x = dense(p, at, Numbers(state, state + kStateSize), options_.hidden1);
    const Numbers y = dense(p, at, {action}, options_.hidden1);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] += y[i];
    x = relu(dense(p, at, relu(x), options_.hidden2));
    return dense(p, at, x, 1)[0];
  }

 private:
  static Numbers dense(const Numbers& p, std::size_t& at, const Numbers& x, int outputs) {
    Numbers y(outputs, 0.0);
    for (int o = 0; o < outputs; ++o) {
      for (const double value : x) y[o] += p[at++] * value;
    }
    for (int o = 0; o < outputs; ++o) y[o] += p[at++];
    return y;
  }
  static Numbers relu(Numbers x) {
    for (double& value : x) value = std::max(value, 0.0);
    return x;
  }
  DdpgOptions options_;
};

TEST(Ddpg, LooksAtNothingLaterWithoutADiscount) {
  DdpgOptions options = small();
  options.gamma = 0.0;
  options.baseline_alpha = 0.0;
  Rng first(5);
  Rng second(5);
  Ddpg agent(options, first);
  Ddpg other(options, second);
  Rng rng(6);
  const Batch batch = random_batch(rng, 9);
  Batch later = batch;
  for (float& value : later.nexts) value = 1.0f - value;
  for (float& value : later.alive) value = 1.0f - value;
  const Batch before = batch;
  for (int round = 0; round < 3; ++round) {
    const Ddpg::Losses losses = agent.update(batch);
    EXPECT_EQ(losses.critic, other.update(later).critic);
    if (round > 0) continue;
    // Of a critic that has not learnt yet the loss can be told from its values.
    double squares = 0.0;
    Rng same(5);
    const Ddpg fresh(options, same);
    for (std::size_t i = 0; i < batch.rows(); ++i) {
      State state;
      std::copy_n(batch.states.begin() + static_cast<std::ptrdiff_t>(i * kStateSize), kStateSize,
                  state.begin());
      const double error = fresh.value({state}, {batch.actions[i]}) - batch.rewards[i];
      squares += error * error / static_cast<double>(batch.rows());
    }
    EXPECT_NEAR(losses.critic, squares, 1e-5);
  }
  EXPECT_EQ(array(agent, "actor"), array(other, "actor"));
  EXPECT_EQ(array(agent, "critic"), array(other, "critic"));
  EXPECT_EQ(agent.baseline(), 0.0);
  Checkpoint checkpoint;
  agent.save(checkpoint);
  EXPECT_EQ(checkpoint.arrays.count("ddpg.actor_target"), 0U) << "targets that nobody asks";
  EXPECT_EQ(checkpoint.arrays.count("ddpg.critic_target"), 0U);
  Ddpg loaded(options, rng);
  loaded.load(checkpoint);
  EXPECT_EQ(loaded.update(batch).critic, agent.update(batch).critic);
  EXPECT_EQ(batch.rewards, before.rewards) << "an update must leave its batch alone";
}

/// Two updates against the definition: Bellman target with baseline and target networks, gradients
/// by finite differences, Adam, soft target updates.
TEST(Ddpg, UpdatesAsDefined) {
  const DdpgOptions options = small();
  const Reference reference(options);
  Rng rng(5);
  Ddpg agent(options, rng);
  double baseline = 0.0;
  Numbers moments[2][2];
  for (int round = 0; round < 2; ++round) {
    const Batch batch = random_batch(rng, 9);
    const Numbers actor = array(agent, "actor");
    const Numbers critic = array(agent, "critic");
    const Numbers actor_target = array(agent, "actor_target");
    const Numbers critic_target = array(agent, "critic_target");

    double mean = 0.0;
    for (const float reward : batch.rewards) mean += reward / 9.0;
    baseline = round == 0 ? mean : baseline + 0.5 * (mean - baseline);
    Numbers wanted;
    for (std::size_t i = 0; i < 9; ++i) {
      const float* next = &batch.nexts[i * kStateSize];
      wanted.push_back(batch.rewards[i] - baseline +
                       batch.alive[i] * reference.critic(critic_target, next,
                                                         reference.actor(actor_target, next)));
    }
    const auto critic_loss = [&](const Numbers& p) {
      double loss = 0.0;
      for (std::size_t i = 0; i < 9; ++i) {
        const double error =
            reference.critic(p, &batch.states[i * kStateSize], batch.actions[i]) - wanted[i];
        loss += error * error / 9.0;
      }
      return loss;
    };
    const Ddpg::Losses losses = agent.update(batch);
    EXPECT_NEAR(losses.critic, critic_loss(critic), 1e-5);
    EXPECT_NEAR(agent.baseline(), baseline, 1e-6);
    const Numbers new_critic = array(agent, "critic");
    const Numbers new_actor = array(agent, "actor");
    const auto actor_loss = [&](const Numbers& p) {
      double loss = 0.0;
      for (std::size_t i = 0; i < 9; ++i) {
        const float* state = &batch.states[i * kStateSize];
        loss -= reference.critic(new_critic, state, reference.actor(p, state)) / 9.0;
      }
      return loss;
    };
    EXPECT_NEAR(losses.actor, actor_loss(actor), 1e-5);

    const auto check_adam = [&](int which, const std::string& name, const Numbers& before,
                                const Numbers& after, const Numbers& gradient, double rate) {
      const Numbers m = array(agent, name + "_adam_mean");
      const Numbers v = array(agent, name + "_adam_square");
      Numbers& old_m = moments[which][0];
      Numbers& old_v = moments[which][1];
      old_m.resize(m.size());
      old_v.resize(v.size());
      double largest = 0.0;
      for (std::size_t i = 0; i < m.size(); ++i) {
        EXPECT_NEAR(m[i], 0.9 * old_m[i] + 0.1 * gradient[i], 2e-6) << name << " " << i;
        EXPECT_NEAR(v[i], 0.999 * old_v[i] + 0.001 * gradient[i] * gradient[i], 2e-6);
        const double m_hat = m[i] / (1 - std::pow(0.9, round + 1));
        const double v_hat = v[i] / (1 - std::pow(0.999, round + 1));
        EXPECT_NEAR(after[i] - before[i], -rate * m_hat / (std::sqrt(v_hat) + 1e-8), 1e-3 * rate);
        largest = std::max(largest, std::abs(gradient[i]));
      }
      EXPECT_GT(largest, 1e-3) << "the gradient of the " << name << " is not tested";
      old_m = m;
      old_v = v;
    };
    check_adam(0, "critic", critic, new_critic, testing::differences(critic_loss, critic), 1e-3);
    check_adam(1, "actor", actor, new_actor, testing::differences(actor_loss, actor), 1e-4);

    const Numbers new_actor_target = array(agent, "actor_target");
    const Numbers new_critic_target = array(agent, "critic_target");
    for (std::size_t i = 0; i < actor.size(); ++i) {
      EXPECT_NEAR(new_actor_target[i], 0.99 * actor_target[i] + 0.01 * new_actor[i], 1e-6);
    }
    for (std::size_t i = 0; i < critic.size(); ++i) {
      EXPECT_NEAR(new_critic_target[i], 0.99 * critic_target[i] + 0.01 * new_critic[i], 1e-6);
    }
  }
}

TEST(Ddpg, ActsAndValuesAsItsParametersSay) {
  const DdpgOptions options = small();
  const Reference reference(options);
  Rng rng(6);
  const Ddpg agent(options, rng);
  for (int i = 0; i < 20; ++i) {
    State state;
    for (float& value : state) value = static_cast<float>(rng.uniform());
    const double action = rng.uniform();
    EXPECT_NEAR(agent.act(state), reference.actor(array(agent, "actor"), state.data()), 1e-6);
    EXPECT_NEAR(agent.value({state}, {static_cast<float>(action)}),
                reference.critic(array(agent, "critic"), state.data(), action), 1e-6);
  }
}

TEST(Ddpg, StartsFromTheSeedWithSmallLastLayers) {
  DdpgOptions options;
  Rng rng(234);
  const Ddpg agent(options, rng);
  const Numbers actor = array(agent, "actor");
  ASSERT_EQ(actor.size(), 11u * 400 + 401 * 300 + 301);
  const auto largest = [&actor](std::size_t from, std::size_t to) {
    double result = 0.0;
    for (std::size_t i = from; i < to; ++i) result = std::max(result, std::abs(actor[i]));
    return result;
  };
  EXPECT_NEAR(largest(0, 4400), 1 / std::sqrt(10.0), 1e-3);
  EXPECT_NEAR(largest(4400, 4400 + 120300), 1 / std::sqrt(400.0), 1e-4);
  EXPECT_NEAR(largest(4400 + 120300, actor.size()), 0.003, 1e-4);
  EXPECT_EQ(array(agent, "actor_target"), actor);
  EXPECT_EQ(array(agent, "critic_target"), array(agent, "critic"));
  Rng again(234);
  Rng other(235);
  EXPECT_EQ(array(Ddpg(options, again), "actor"), actor);
  EXPECT_NE(array(Ddpg(options, other), "actor"), actor);
}

TEST(Ddpg, LearnsWhichActionPays) {
  // One-step episodes with reward -10 (a - 0.7)^2: the actor has to end near 0.7.
  DdpgOptions options;
  options.hidden1 = 32;
  options.hidden2 = 24;
  Rng rng(1);
  const SingleThread single;
  Ddpg agent(options, rng);
  State state{};
  for (int i = 0; i < 2500; ++i) {
    Batch batch = random_batch(rng, 64);
    batch.states.assign(64 * kStateSize, 0.0f);
    for (std::size_t row = 0; row < 64; ++row) {
      const float distance = batch.actions[row] - 0.7f;
      batch.rewards[row] = -10 * distance * distance;
      batch.alive[row] = 0.0f;
    }
    agent.update(batch);
  }
  EXPECT_NEAR(agent.act(state), 0.7, 0.1);
}

TEST(Ddpg, ContinuesFromACheckpointAsIfNothingHadHappened) {
  const DdpgOptions options = small();
  Rng rng(5);
  Ddpg agent(options, rng);
  Rng data(9);
  for (int i = 0; i < 5; ++i) agent.update(random_batch(data, 64));
  Checkpoint checkpoint;
  agent.save(checkpoint);
  Rng elsewhere(77);
  Ddpg loaded(options, elsewhere);
  loaded.load(checkpoint);
  for (int i = 0; i < 5; ++i) {
    const Batch batch = random_batch(data, 64);
    const Ddpg::Losses a = agent.update(batch);
    const Ddpg::Losses b = loaded.update(batch);
    EXPECT_EQ(a.critic, b.critic);
    EXPECT_EQ(a.actor, b.actor);
  }
  Checkpoint first;
  Checkpoint second;
  agent.save(first);
  loaded.save(second);
  EXPECT_EQ(first.arrays, second.arrays);
  EXPECT_EQ(first.state, second.state);
}

/// What act() keeps of the weights must not outlive them.
TEST(Ddpg, ActsByTheNewestWeights) {
  const DdpgOptions options = small();
  Rng rng(5);
  Ddpg agent(options, rng);
  Ddpg other(options, rng);
  const Reference reference(options);
  const State state = {0.1f, 0.9f, 0.3f, 0.5f, 0.2f, 0.8f, 0.4f, 0.6f, 0.7f, 1.0f};
  const auto expect_newest = [&](const Ddpg& acting) {
    EXPECT_NEAR(acting.act(state), reference.actor(array(acting, "actor"), state.data()), 1e-6);
  };
  expect_newest(agent);
  for (int i = 0; i < 3; ++i) {
    const double before = agent.act(state);
    agent.update(random_batch(rng, 64));
    EXPECT_NE(agent.act(state), before);
    expect_newest(agent);
  }
  EXPECT_NE(other.act(state), agent.act(state));
  Checkpoint checkpoint;
  agent.save(checkpoint);
  other.load(checkpoint);
  EXPECT_EQ(other.act(state), agent.act(state));
}

TEST(Ddpg, RefusesACheckpointOfAnotherShape) {
  Rng rng(5);
  Ddpg agent(small(), rng);
  Checkpoint checkpoint;
  agent.save(checkpoint);
  DdpgOptions options = small();
  options.hidden2 = 7;
  Ddpg other(options, rng);
  EXPECT_THROW(other.load(checkpoint), Error);
  checkpoint.state["ddpg"].erase("critic_steps");
  EXPECT_THROW(agent.load(checkpoint), Error);
}

TEST(Ddpg, SaysWhenItHasDiverged) {
  Rng rng(5);
  Ddpg agent(small(), rng);
  Checkpoint checkpoint;
  agent.save(checkpoint);
  for (float& value : checkpoint.arrays["ddpg.actor"]) value = std::nanf("");
  agent.load(checkpoint);
  try {
    agent.act(State{});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("diverged"));
  }
}

TEST(DdpgOptions, AreChecked) {
  const auto message = [](const std::function<void(DdpgOptions&)>& change) -> std::string {
    DdpgOptions options;
    change(options);
    try {
      validate(options);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message([](DdpgOptions&) {}), "no error");
  EXPECT_THAT(message([](DdpgOptions& o) { o.hidden1 = 0; }), HasSubstr("hidden1 is 0"));
  EXPECT_THAT(message([](DdpgOptions& o) { o.batch = -1; }), HasSubstr("batch is -1"));
  EXPECT_THAT(message([](DdpgOptions& o) { o.tau = 2; }), HasSubstr("tau is 2"));
  EXPECT_THAT(message([](DdpgOptions& o) { o.gamma = std::nan(""); }), HasSubstr("gamma is nan"));
  EXPECT_THAT(message([](DdpgOptions& o) { o.actor_rate = 0; }), HasSubstr("actor_rate is 0"));
}

TEST(SingleThread, GivesTheFormerNumberBack) {
  const int before = torch::get_num_threads();
  torch::set_num_threads(2);
  {
    const SingleThread single;
    EXPECT_EQ(torch::get_num_threads(), 1);
  }
  EXPECT_EQ(torch::get_num_threads(), 2);
  torch::set_num_threads(before);
}

}  // namespace
}  // namespace bittern
