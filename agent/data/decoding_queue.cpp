#include "agent/data/decoding_queue.h"

#include <algorithm>
#include <utility>

#include "host/base/error.h"

namespace bittern {

DecodingQueue::DecodingQueue(const Dataset& data, std::vector<int> order, int batch, int threads)
    : data_(data),
      order_(std::move(order)),
      batch_(batch),
      batches_(static_cast<int>((order_.size() + static_cast<std::size_t>(batch) - 1) /
                                static_cast<std::size_t>(batch))),
      ahead_(2 * threads) {
  const int useful = std::min(threads, batches_);
  for (int i = 0; i < useful; ++i) threads_.emplace_back([this] { work(); });
}

DecodingQueue::~DecodingQueue() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

std::vector<std::uint8_t> DecodingQueue::made(int batch) const {
  const auto begin = static_cast<std::size_t>(batch) * static_cast<std::size_t>(batch_);
  const std::size_t end = std::min(begin + static_cast<std::size_t>(batch_), order_.size());
  const std::size_t bytes = data_.image_bytes();
  std::vector<std::uint8_t> pixels((end - begin) * bytes);
  for (std::size_t i = begin; i < end; ++i) {
    data_.read_image(order_[i], MutableBytes(pixels).subspan((i - begin) * bytes, bytes));
  }
  return pixels;
}

void DecodingQueue::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] {
      return ending_ || next_to_make_ >= batches_ || next_to_make_ < next_to_take_ + ahead_;
    });
    if (ending_ || next_to_make_ >= batches_) return;
    const int batch = next_to_make_++;
    lock.unlock();
    Ready ready;
    try {
      ready.pixels = made(batch);
    } catch (...) {
      ready.failure = std::current_exception();
    }
    lock.lock();
    ready_[batch] = std::move(ready);
    changed_.notify_all();
  }
}

std::vector<std::uint8_t> DecodingQueue::next() {
  std::unique_lock lock(mutex_);
  if (next_to_take_ >= batches_) fail("data set {}: no batch is left", data_.name);
  const int batch = next_to_take_;
  changed_.wait(lock, [&] { return ready_.count(batch) > 0; });
  Ready ready = std::move(ready_[batch]);
  ready_.erase(batch);
  ++next_to_take_;
  changed_.notify_all();
  if (ready.failure) std::rethrow_exception(ready.failure);
  return std::move(ready.pixels);
}

}  // namespace bittern
