#include "agent/rl/ddpg/replay.h"

#include <algorithm>

#include "host/base/error.h"

namespace bittern {
namespace {

// Layout of a row: state, action, reward, next state, alive.
constexpr std::size_t kAction = kStateSize;
constexpr std::size_t kReward = kStateSize + 1;
constexpr std::size_t kNext = kStateSize + 2;
constexpr std::size_t kAlive = 2 * kStateSize + 2;

}  // namespace

Replay::Replay(std::size_t capacity) : capacity_(capacity) {
  if (capacity == 0) fail("replay memory: a capacity of 0 transitions");
  rows_.reserve(std::min<std::size_t>(capacity, 1 << 16) * kRow);
}

void Replay::push(const Transition& transition) {
  if (rows_.size() < capacity_ * kRow) rows_.resize(std::max(rows_.size(), (next_ + 1) * kRow));
  float* row = rows_.data() + next_ * kRow;
  std::copy(transition.state.begin(), transition.state.end(), row);
  row[kAction] = transition.action;
  row[kReward] = transition.reward;
  std::copy(transition.next.begin(), transition.next.end(), row + kNext);
  row[kAlive] = transition.done ? 0.0f : 1.0f;
  next_ = (next_ + 1) % capacity_;
  size_ = std::min(size_ + 1, capacity_);
}

Transition Replay::at(std::size_t i) const {
  if (i >= size_) fail("replay memory: transition {} of {}", i, size_);
  const std::size_t first = size_ == capacity_ ? next_ : 0;
  const float* row = rows_.data() + (first + i) % capacity_ * kRow;
  Transition transition;
  std::copy(row, row + kStateSize, transition.state.begin());
  transition.action = row[kAction];
  transition.reward = row[kReward];
  std::copy(row + kNext, row + kAlive, transition.next.begin());
  transition.done = row[kAlive] == 0.0f;
  return transition;
}

std::vector<float> Replay::rewards() const {
  std::vector<float> all;
  all.reserve(size_);
  for (std::size_t slot = 0; slot < size_; ++slot) all.push_back(rows_[slot * kRow + kReward]);
  return all;
}

void Replay::sample(Rng& rng, std::size_t rows, Batch& batch) const {
  if (size_ == 0) fail("replay memory: nothing to sample from");
  std::vector<std::size_t> picks;
  picks.reserve(rows);
  const auto draw = [&rng](std::size_t high) {
    return static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(high)));
  };
  if (size_ >= rows) {
    // Floyd's algorithm: distinct indices with one draw each.
    for (std::size_t last = size_ - rows; last < size_; ++last) {
      const std::size_t pick = draw(last);
      const bool taken = std::find(picks.begin(), picks.end(), pick) != picks.end();
      picks.push_back(taken ? last : pick);
    }
  } else {
    for (std::size_t i = 0; i < rows; ++i) picks.push_back(draw(size_ - 1));
  }
  batch.states.resize(rows * kStateSize);
  batch.actions.resize(rows);
  batch.rewards.resize(rows);
  batch.nexts.resize(rows * kStateSize);
  batch.alive.resize(rows);
  // Picks count from the oldest transition, not from slot 0: a ring that was saved and loaded
  // starts elsewhere and must give the same batches.
  const std::size_t first = size_ == capacity_ ? next_ : 0;
  for (std::size_t i = 0; i < rows; ++i) {
    const float* row = rows_.data() + (first + picks[i]) % capacity_ * kRow;
    std::copy(row, row + kStateSize, batch.states.begin() + i * kStateSize);
    batch.actions[i] = row[kAction];
    batch.rewards[i] = row[kReward];
    std::copy(row + kNext, row + kAlive, batch.nexts.begin() + i * kStateSize);
    batch.alive[i] = row[kAlive];
  }
}

std::vector<float> Replay::save() const {
  if (size_ < capacity_) return rows_;
  std::vector<float> content;
  content.reserve(rows_.size());
  const auto split = rows_.begin() + static_cast<std::ptrdiff_t>(next_ * kRow);
  content.insert(content.end(), split, rows_.end());
  content.insert(content.end(), rows_.begin(), split);
  return content;
}

void Replay::load(const std::vector<float>& content) {
  if (content.size() % kRow != 0 || content.size() > capacity_ * kRow) {
    fail("replay memory: {} numbers do not make up to {} transitions of {}", content.size(),
         capacity_, kRow);
  }
  rows_ = content;
  size_ = content.size() / kRow;
  next_ = size_ % capacity_;
}

}  // namespace bittern
