#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "agent/data/dataset.h"

namespace bittern {

/// Images of a set in batches, read ahead of who takes them by threads of its own: decoding goes on
/// while a network computes. At most two batches for each thread are waiting or being made. What
/// comes out does not depend on the number of threads.
class DecodingQueue {
 public:
  /// Batches of `batch` images (the last may be smaller) of `data`, which outlives the queue, in
  /// `order`. `threads` is at least 1.
  DecodingQueue(const Dataset& data, std::vector<int> order, int batch, int threads);
  ~DecodingQueue();
  DecodingQueue(const DecodingQueue&) = delete;
  DecodingQueue& operator=(const DecodingQueue&) = delete;

  /// Pixels of the next batch, image after image. Throws what reading it threw. Call it once for
  /// each batch.
  std::vector<std::uint8_t> next();

 private:
  struct Ready {
    std::vector<std::uint8_t> pixels;
    std::exception_ptr failure;
  };
  void work();
  std::vector<std::uint8_t> made(int batch) const;

  const Dataset& data_;
  std::vector<int> order_;
  int batch_;
  int batches_;
  int ahead_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int next_to_make_ = 0;
  int next_to_take_ = 0;
  bool ending_ = false;
  std::map<int, Ready> ready_;
  std::vector<std::thread> threads_;
};

}  // namespace bittern
