#include "agent/rl/ddpg/replay.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "host/base/error.h"

namespace bittern {
namespace {

Transition numbered(int i) {
  Transition transition;
  transition.state.fill(static_cast<float>(i));
  transition.next.fill(static_cast<float>(i) + 0.5f);
  transition.action = static_cast<float>(i) / 1000;
  transition.reward = static_cast<float>(-i);
  transition.done = i % 3 == 0;
  return transition;
}

TEST(Replay, ForgetsTheOldestWhenFull) {
  Replay replay(5);
  for (int i = 0; i < 13; ++i) {
    replay.push(numbered(i));
    ASSERT_EQ(replay.size(), static_cast<std::size_t>(std::min(i + 1, 5)));
    const int oldest = std::max(0, i - 4);
    for (std::size_t k = 0; k < replay.size(); ++k) {
      const Transition transition = replay.at(k);
      const Transition expected = numbered(oldest + static_cast<int>(k));
      ASSERT_EQ(transition.state, expected.state);
      ASSERT_EQ(transition.next, expected.next);
      ASSERT_EQ(transition.action, expected.action);
      ASSERT_EQ(transition.reward, expected.reward);
      ASSERT_EQ(transition.done, expected.done);
    }
  }
  EXPECT_THROW(replay.at(5), Error);
}

TEST(Replay, SamplesWholeTransitionsWithoutRepetition) {
  Replay replay(100);
  for (int i = 0; i < 150; ++i) replay.push(numbered(i));
  Rng rng(2);
  Batch batch;
  for (int round = 0; round < 50; ++round) {
    replay.sample(rng, 64, batch);
    ASSERT_EQ(batch.rows(), 64u);
    std::set<float> seen(batch.rewards.begin(), batch.rewards.end());
    EXPECT_EQ(seen.size(), 64u);
    for (std::size_t row = 0; row < 64; ++row) {
      const int i = static_cast<int>(-batch.rewards[row]);
      EXPECT_GE(i, 50);
      EXPECT_EQ(batch.states[row * kStateSize + 9], static_cast<float>(i));
      EXPECT_EQ(batch.nexts[row * kStateSize], static_cast<float>(i) + 0.5f);
      EXPECT_EQ(batch.actions[row], static_cast<float>(i) / 1000);
      EXPECT_EQ(batch.alive[row], i % 3 == 0 ? 0.0f : 1.0f);
    }
  }
}

TEST(Replay, SamplesUniformly) {
  Replay replay(20);
  for (int i = 0; i < 20; ++i) replay.push(numbered(i));
  Rng rng(4);
  Batch batch;
  std::map<float, int> counts;
  for (int round = 0; round < 4000; ++round) {
    replay.sample(rng, 5, batch);
    for (const float reward : batch.rewards) ++counts[reward];
  }
  // 20 000 picks, 1000 each; five standard deviations.
  for (int i = 0; i < 20; ++i) EXPECT_NEAR(counts[static_cast<float>(-i)], 1000, 140) << i;
}

TEST(Replay, RepeatsWhenThereAreFewerThanAsked) {
  Replay replay(10);
  replay.push(numbered(1));
  replay.push(numbered(2));
  Rng rng(1);
  Batch batch;
  replay.sample(rng, 64, batch);
  EXPECT_EQ(batch.rows(), 64u);
  EXPECT_EQ(std::set<float>(batch.rewards.begin(), batch.rewards.end()).size(), 2u);
}

TEST(Replay, GivesTheSameBatchesAfterSaveAndLoad) {
  // 17 leaves the ring turned by 7 when it is saved.
  for (const int pushed : {4, 10, 17}) {
    Replay replay(10);
    for (int i = 0; i < pushed; ++i) replay.push(numbered(i));
    Replay loaded(10);
    loaded.load(replay.save());
    for (int i = pushed; i < pushed + 15; ++i) {
      Rng first(8);
      Rng second(8);
      Batch a;
      Batch b;
      replay.sample(first, 6, a);
      loaded.sample(second, 6, b);
      ASSERT_EQ(a.states, b.states) << pushed;
      ASSERT_EQ(a.rewards, b.rewards);
      replay.push(numbered(i));
      loaded.push(numbered(i));
    }
  }
}

TEST(Replay, RefusesWhatCannotBe) {
  EXPECT_THROW(Replay(0), Error);
  Replay replay(2);
  Rng rng(1);
  Batch batch;
  EXPECT_THROW(replay.sample(rng, 4, batch), Error);
  EXPECT_THROW(replay.load(std::vector<float>(Replay::kRow + 1)), Error);
  EXPECT_THROW(replay.load(std::vector<float>(3 * Replay::kRow)), Error);
}

}  // namespace
}  // namespace bittern
