#pragma once

#include <cstddef>
#include <vector>

#include "agent/rl/ddpg/environment.h"
#include "host/base/random.h"

namespace bittern {

/// One step of an episode as the agent learns from it.
struct Transition {
  State state{};
  float action = 0.0f;
  float reward = 0.0f;
  State next{};       ///< unused when `done`
  bool done = false;  ///< last step of the episode
};

/// Transitions as columns, one row each.
struct Batch {
  std::vector<float> states;   ///< rows x kStateSize
  std::vector<float> actions;  ///< rows
  std::vector<float> rewards;
  std::vector<float> nexts;  ///< rows x kStateSize
  std::vector<float> alive;  ///< 0 for the last step of an episode, else 1
  std::size_t rows() const { return actions.size(); }
};

/// Replay memory: a ring that forgets the oldest transition when it is full.
class Replay {
 public:
  /// Requires capacity > 0.
  explicit Replay(std::size_t capacity);

  void push(const Transition& transition);
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  /// The i-th oldest transition.
  Transition at(std::size_t i) const;
  /// Of all transitions, in no particular order.
  std::vector<float> rewards() const;
  /// Fills `batch` with `rows` transitions drawn uniformly: without repetition when there are
  /// enough, else with. Throws Error when the memory is empty.
  void sample(Rng& rng, std::size_t rows, Batch& batch) const;

  /// Content, oldest first, kRow numbers each.
  std::vector<float> save() const;
  /// Restores what save() returned. Throws Error when that does not fit.
  void load(const std::vector<float>& content);

  /// Numbers in a saved transition.
  static constexpr std::size_t kRow = 2 * kStateSize + 3;

 private:
  std::size_t capacity_;
  std::size_t size_ = 0;
  std::size_t next_ = 0;  ///< slot that is written next
  std::vector<float> rows_;
};

}  // namespace bittern
