#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace bittern {

/// Threads that share out numbered tasks. LibTorch's own threads are switched off (one thread
/// inside every operator) for the whole process: work is divided over whole pieces of a batch
/// instead, so that results do not depend on the number of threads, no time is lost in waiting
/// inside small operators, and simulators beside get the cores they were promised.
class WorkerPool {
 public:
  /// `threads` includes the caller of run(); 0 means one for each processor. Throws Error (exit
  /// status 2) for a number that worker_count() refuses or that cannot be started.
  explicit WorkerPool(int threads);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// Calls body(0) .. body(tasks - 1), spread over the threads, and returns when all are done. When
  /// some throw, the exception of the lowest task is thrown here. One run at a time.
  void run(int tasks, const std::function<void(int)>& body);

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

 private:
  void end();
  void work();
  /// Takes tasks until there are none left; `lock` is held on entry and on return.
  void take_tasks(std::unique_lock<std::mutex>& lock);

  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable start_;
  std::condition_variable done_;
  const std::function<void(int)>* body_ = nullptr;
  int tasks_ = 0;
  int next_ = 0;
  int unfinished_ = 0;
  int failed_task_ = 0;
  std::exception_ptr failure_;
  bool ending_ = false;
};

}  // namespace bittern
