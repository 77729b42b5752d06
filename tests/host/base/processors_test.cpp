#include "host/base/processors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>

#include <optional>
#include <thread>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/temporary_folder.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;

TEST(Processors, AreThoseOfTheProcessorSet) {
  cpu_set_t before;
  ASSERT_EQ(::sched_getaffinity(0, sizeof before, &before), 0);
  EXPECT_GE(processors(), 1);
  EXPECT_LE(processors(), CPU_COUNT(&before));
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &before) && CPU_COUNT(&one) == 0) CPU_SET(i, &one);
  }
  // The set of this thread only; others have theirs.
  std::thread([&one] {
    ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_EQ(processors(), 1);
  }).join();
}

class ControlGroup : public ::testing::Test {
 protected:
  std::optional<int> limit(const std::string& groups) {
    write_file(folder_ / "cgroup", groups);
    return cgroup_processors(folder_ / "cgroup", folder_ / "mount");
  }
  void put(const std::string& file, const std::string& text) {
    write_file(folder_ / "mount" / file, text);
  }
  const TemporaryFolder folder_;
};

TEST_F(ControlGroup, LimitsTheTime) {
  put("jobs/one/cpu.max", "150000 100000\n");
  put("jobs/cpu.max", "max 100000\n");
  EXPECT_EQ(limit("0::/jobs/one\n"), 2);
  EXPECT_EQ(limit("0::/jobs\n"), std::nullopt);
  put("jobs/one/cpu.max", "1000 100000\n");
  EXPECT_EQ(limit("0::/jobs/one\n"), 1);
}

TEST_F(ControlGroup, TheTightestAroundItCounts) {
  put("jobs/one/cpu.max", "800000 100000\n");
  put("jobs/cpu.max", "300000 100000\n");
  EXPECT_EQ(limit("0::/jobs/one\n"), 3);
  // As seen in a container: the path is the host's, the limit lies at the root.
  put("cpu.max", "100000 50000\n");
  EXPECT_EQ(limit("0::/docker/0123\n"), 2);
}

TEST_F(ControlGroup, OfTheFirstVersionToo) {
  put("cpu/a/cpu.cfs_quota_us", "250000\n");
  put("cpu/a/cpu.cfs_period_us", "100000\n");
  put("cpu/cpu.cfs_quota_us", "-1\n");
  put("cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(limit("7:memory:/a\n4:cpu,cpuacct:/a\n"), 3);
  EXPECT_EQ(limit("7:memory:/a\n4:cpuset:/a\n"), std::nullopt);
}

TEST_F(ControlGroup, DamageIsNoLimit) {
  put("cpu.max", "max");
  for (const char* groups : {"", "nonsense\n", "0:\n", "0::\n"}) {
    EXPECT_EQ(limit(groups), std::nullopt) << groups;
  }
  put("cpu.max", "0 0\n");
  EXPECT_EQ(limit("0::/\n"), std::nullopt);
  EXPECT_EQ(cgroup_processors("/nonexistent", "/nonexistent"), std::nullopt);
}

TEST(WorkerCount, ZeroIsOneForEachProcessor) {
  EXPECT_EQ(worker_count(0, "threads"), processors());
  EXPECT_EQ(worker_count(1, "threads"), 1);
  EXPECT_EQ(worker_count(kMostWorkers, "threads"), kMostWorkers);
}

TEST(WorkerCount, WhatNoMachineStartsIsWrongUsage) {
  for (const int asked : {-1, kMostWorkers + 1, 100000}) {
    try {
      worker_count(asked, "--threads");
      ADD_FAILURE() << asked;
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::kUsage);
      EXPECT_THAT(error.what(), HasSubstr("--threads: " + std::to_string(asked)));
    }
  }
}

}  // namespace
}  // namespace bittern
