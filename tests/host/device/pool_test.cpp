#include <signal.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>

#include "host/base/stop.h"
#include "host/device/device_pool.h"
#include "tests/host/device/fake_variant.h"
#include "tests/host/device/helpers.h"

namespace bittern {
namespace {

using std::chrono::milliseconds;
using testing::fake_program;
using testing::fake_variant;
using testing::FakeProgram;
using testing::fakes_folder;
using ::testing::HasSubstr;
using testing::LethalProgram;
using testing::pid_of;
using testing::process_state;
using testing::ScopedEnv;

DeviceOptions options() {
  DeviceOptions options;
  options.folder = fakes_folder();
  return options;
}

TEST(DevicePool, StartsDevicesWhenTheyAreNeededAndKeepsThem) {
  DevicePool pool(fake_variant(), 3, options());
  int first = 0;
  {
    const auto lease = pool.acquire();
    first = pid_of(*lease);
  }
  for (int i = 0; i < 3; ++i) EXPECT_EQ(pid_of(*pool.acquire()), first);
  const auto a = pool.acquire();
  const auto b = pool.acquire();
  EXPECT_EQ(pid_of(*a), first);
  EXPECT_NE(pid_of(*b), first);
  EXPECT_EQ(pool.identity().variant, "fake");
  EXPECT_EQ(pool.lost(), 0u);
}

TEST(DevicePool, NeverGivesADeviceToTwoJobs) {
  DevicePool pool(fake_variant(), 2, options());
  std::mutex mutex;
  std::set<int> busy;
  std::set<int> seen;
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 5; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 6; ++i) {
        pool.with_device("a job", [&](Device& device) {
          {
            const std::lock_guard lock(mutex);
            EXPECT_TRUE(busy.insert(pid_of(device)).second);
            seen.insert(pid_of(device));
          }
          const auto cycles = 100 * static_cast<std::uint64_t>(t) + static_cast<std::uint64_t>(i);
          device.write_memory(0, fake_program(cycles, FakeProgram::kDone));
          EXPECT_EQ(device.run({0, 1, 0, 10000}).cycles, cycles);
          ++done;
          const std::lock_guard lock(mutex);
          busy.erase(pid_of(device));
        });
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(done, 30);
  EXPECT_LE(seen.size(), 2u);
}

TEST(DevicePool, EndsItsDevices) {
  int pid = 0;
  {
    DevicePool pool(fake_variant(), 1, options());
    pid = pid_of(*pool.acquire());
    EXPECT_NE(process_state(pid), "");
  }
  EXPECT_EQ(process_state(pid), "");
}

TEST(DevicePool, RepeatsAJobOnceOnAFreshDevice) {
  const auto marker =
      std::filesystem::temp_directory_path() / ("bittern_marker_" + std::to_string(::getpid()));
  std::filesystem::remove(marker);
  const ScopedEnv env("BITTERN_FAKE_MARKER", marker.string());
  DevicePool pool(fake_variant(), 1, options());
  std::vector<int> pids;
  ::testing::internal::CaptureStdout();
  pool.with_device("layer conv1", [&](Device& device) {
    pids.push_back(pid_of(device));
    device.write_memory(0, fake_program(LethalProgram::kKilledOnce));
    EXPECT_EQ(device.run({0, 1, 0, 5000}).cycles, 1000u);
  });
  const std::string log = ::testing::internal::GetCapturedStdout();
  std::filesystem::remove(marker);
  ASSERT_EQ(pids.size(), 2u);
  EXPECT_NE(pids[0], pids[1]);
  EXPECT_EQ(pool.lost(), 1u);
  EXPECT_THAT(log, HasSubstr("killed by signal 9"));
  EXPECT_THAT(log, HasSubstr("repeating layer conv1 on a fresh device"));
}

TEST(DevicePool, GivesUpAfterTheSecondLossAndIsUsableStill) {
  DevicePool pool(fake_variant(), 1, options());
  int attempts = 0;
  EXPECT_THAT(message_of<DeviceError>([&] {
                pool.with_device("a deadly job", [&](Device& device) {
                  ++attempts;
                  device.write_memory(0, fake_program(LethalProgram::kExit));
                  device.run({0, 1, 0, 5});
                });
              }),
              HasSubstr("exited with status 3"));
  EXPECT_EQ(attempts, 2);
  EXPECT_EQ(pool.lost(), 2u);
  pool.with_device("a harmless job", [](Device& device) { device.ping(); });
}

TEST(DevicePool, OtherErrorsAreNotRepeated) {
  DevicePool pool(fake_variant(), 1, options());
  int attempts = 0;
  EXPECT_THROW(pool.with_device("a job",
                                [&](Device& device) {
                                  ++attempts;
                                  device.read_memory(std::uint64_t{1} << 40, 1);
                                }),
               DeviceRefusal);
  EXPECT_EQ(attempts, 1);
  EXPECT_EQ(pool.lost(), 0u);
}

TEST(DevicePool, ReplacesADeviceThatDiedWhileItWasIdle) {
  DevicePool pool(fake_variant(), 1, options());
  const int first = pid_of(*pool.acquire());
  ::kill(first, SIGKILL);
  int second = 0;
  pool.with_device("a job", [&](Device& device) {
    device.ping();
    second = pid_of(device);
  });
  EXPECT_NE(second, first);
  EXPECT_EQ(pool.lost(), 1u);
}

TEST(DevicePool, RefusesToMixTwoVersionsOfTheHardware) {
  DevicePool pool(fake_variant(), 2, options());
  const auto first = pool.acquire();
  {
    const ScopedEnv env("BITTERN_FAKE_HASH", "fedcba9876543210");
    EXPECT_THAT(message_of<Error>([&] { pool.acquire(); }), HasSubstr("it was rebuilt"));
  }
  EXPECT_NO_THROW(pool.acquire()->ping());
}

TEST(DevicePool, WaitingForADeviceEndsWhenTheUserWantsToStop) {
  DevicePool pool(fake_variant(), 1, options());
  const auto lease = pool.acquire();
  std::thread stopper([] {
    std::this_thread::sleep_for(milliseconds(50));
    request_stop();
  });
  EXPECT_THROW(pool.acquire(), Stopped);
  stopper.join();
  request_stop(false);
}

TEST(DevicePool, StartingFailsWithTheReason) {
  Variant variant = fake_variant();
  variant.name = "absent";
  DevicePool pool(variant, 1, options());
  for (int i = 0; i < 2; ++i) {  // the slot is free again after the first failure
    EXPECT_THAT(message_of<Error>([&] { pool.acquire(); }), HasSubstr("bittern-device-absent"));
  }
}

}  // namespace
}  // namespace bittern
