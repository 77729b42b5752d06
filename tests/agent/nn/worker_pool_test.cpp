#include "agent/nn/worker_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <string>
#include <vector>

#include "host/base/error.h"

namespace bittern {
namespace {

TEST(WorkerPool, EveryTaskRunsOnce) {
  for (const int threads : {1, 2, 5}) {
    WorkerPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (int tasks = 0; tasks < 40; ++tasks) {
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(tasks));
      pool.run(tasks, [&](int task) { ++runs[static_cast<std::size_t>(task)]; });
      for (const auto& count : runs) EXPECT_EQ(count, 1);
    }
  }
}

TEST(WorkerPool, TheLowestFailingTaskIsReportedAndThePoolLivesOn) {
  WorkerPool pool(3);
  for (int round = 0; round < 20; ++round) {
    try {
      pool.run(16, [](int task) {
        if (task % 5 == 3) throw std::runtime_error(std::to_string(task));
      });
      FAIL() << "no exception";
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "3");
    }
  }
  std::atomic<int> sum{0};
  pool.run(10, [&](int task) { sum += task; });
  EXPECT_EQ(sum, 45);
}

TEST(WorkerPool, NumbersOfThreadsThatMeanNothingAreRefused) {
  for (const int threads : {-1, 100000}) {
    try {
      WorkerPool pool(threads);
      ADD_FAILURE() << threads;
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::kUsage);
      EXPECT_THAT(error.what(), ::testing::HasSubstr(std::to_string(threads)));
    }
  }
}

}  // namespace
}  // namespace bittern
