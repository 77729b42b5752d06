#include "agent/nn/worker_pool.h"

#include <system_error>
#include <utility>

#include "agent/torch.h"
#include "host/base/error.h"
#include "host/base/processors.h"

namespace bittern {

WorkerPool::WorkerPool(int threads) {
  threads = worker_count(threads, "threads");
  torch::set_num_threads(1);
  try {
    for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { work(); });
  } catch (const std::system_error& error) {
    end();
    fail_usage("threads: {} of {} could be started ({}): ask for fewer", workers_.size() + 1,
               threads, error.what());
  }
}

WorkerPool::~WorkerPool() { end(); }

void WorkerPool::end() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  start_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void WorkerPool::run(int tasks, const std::function<void(int)>& body) {
  std::unique_lock lock(mutex_);
  body_ = &body;
  tasks_ = tasks;
  next_ = 0;
  unfinished_ = tasks;
  failed_task_ = tasks;
  failure_ = nullptr;
  if (tasks > 1) start_.notify_all();
  take_tasks(lock);
  done_.wait(lock, [this] { return unfinished_ == 0; });
  body_ = nullptr;
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

void WorkerPool::take_tasks(std::unique_lock<std::mutex>& lock) {
  while (body_ != nullptr && next_ < tasks_) {
    const int task = next_++;
    const auto* const body = body_;
    lock.unlock();
    std::exception_ptr failure;
    try {
      (*body)(task);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    if (failure && task < failed_task_) {
      failed_task_ = task;
      failure_ = failure;
    }
    if (--unfinished_ == 0) done_.notify_all();
  }
}

void WorkerPool::work() {
  // OpenMP keeps the number of threads for each thread that opens parallel regions.
  torch::set_num_threads(1);
  std::unique_lock lock(mutex_);
  for (;;) {
    start_.wait(lock, [this] { return ending_ || (body_ != nullptr && next_ < tasks_); });
    if (ending_) return;
    take_tasks(lock);
  }
}

}  // namespace bittern
