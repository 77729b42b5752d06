// Pools of devices that run elsewhere: away, busy, back again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include "host/base/stop.h"
#include "host/base/temporary_folder.h"
#include "host/device/device_pool.h"
#include "tests/host/device/fake_variant.h"
#include "tests/host/device/helpers.h"
#include "tests/host/device/remote_fake.h"

namespace bittern {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using testing::eventually;
using testing::fake_program;
using testing::fake_variant;
using testing::FakeProgram;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::RemoteFake;

class RemotePool : public ::testing::Test {
 protected:
  Endpoint nobody(const std::string& name) const {
    return Endpoint::parse("unix:" + (folder_ / name).string());
  }
  std::unique_ptr<RemoteFake> fake(const std::string& name,
                                   const ServeOptions& options = {}) const {
    return std::make_unique<RemoteFake>("unix:" + (folder_ / name).string(), options);
  }
  static std::string log_of(const std::function<void()>& body) {
    ::testing::internal::CaptureStdout();
    body();
    return ::testing::internal::GetCapturedStdout();
  }

  const TemporaryFolder folder_;
  DeviceOptions options_;
};

TEST_F(RemotePool, ADeadEndpointIsNamedOnceAndTheOthersWork) {
  const auto alive = fake("alive");
  DevicePool pool(fake_variant(), {nobody("dead"), alive->endpoint()}, options_);
  std::atomic<int> done{0};
  const std::string log = log_of([&] {
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 5; ++i) {
          pool.with_device("a job", [&](Device& device) {
            EXPECT_EQ(device.remote(), alive->endpoint().text());
            ++done;
          });
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  EXPECT_EQ(done, 15);
  EXPECT_EQ(pool.lost(), 0u);
  const std::size_t first = log.find("dead");
  ASSERT_NE(first, std::string::npos) << log;
  EXPECT_EQ(log.find("cannot connect", log.find("cannot connect") + 1), std::string::npos) << log;
}

TEST_F(RemotePool, WhenNoneIsLeftAllAreNamed) {
  DevicePool pool(fake_variant(), {nobody("one"), nobody("two")}, options_);
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT(message_of<DeviceError>([&] { pool.acquire(); }),
                AllOf(HasSubstr("none of the 2 devices"), HasSubstr("/one"), HasSubstr("/two")));
  }
  DevicePool single(fake_variant(), {nobody("one")}, options_);
  EXPECT_THAT(message_of<DeviceError>([&] { single.acquire(); }),
              AllOf(HasSubstr("/one"), Not(HasSubstr("none of"))));
}

TEST_F(RemotePool, BeforeItGivesUpItTriesAllOnceMore) {
  auto first = fake("first");
  DevicePool pool(fake_variant(), {first->endpoint(), nobody("second")}, options_);
  std::thread waiting;
  {
    const auto held = pool.acquire();
    waiting = std::thread([&] { pool.with_device("a job", [](Device&) {}); });
    std::this_thread::sleep_for(milliseconds(50));  // it finds that the second one is away
  }
  waiting.join();
  const auto second = fake("second");  // long before the time at which it would be tried again
  first.reset();
  pool.with_device("a job", [&](Device& device) {
    device.ping();
    EXPECT_EQ(device.remote(), second->endpoint().text());
  });
}

TEST_F(RemotePool, ADeviceThatComesBackIsUsedAgain) {
  options_.unreachable_rest = milliseconds(1);
  const auto steady = fake("steady");
  DevicePool pool(fake_variant(), {nobody("late"), steady->endpoint()}, options_);
  const auto held = pool.acquire();
  EXPECT_EQ(held->remote(), steady->endpoint().text());
  std::unique_ptr<RemoteFake> late;
  std::thread starter([&] {
    std::this_thread::sleep_for(milliseconds(50));
    late = fake("late");
  });
  const auto other = pool.acquire();  // waits for it, since the steady one is taken
  starter.join();
  EXPECT_EQ(other->remote(), late->endpoint().text());
}

TEST_F(RemotePool, WaitsForADeviceThatServesSomebodyElse) {
  const auto device = fake("device");
  auto other = connect_device(device->endpoint(), fake_variant());
  DevicePool pool(fake_variant(), {device->endpoint()}, options_);
  std::thread leaver([&] {
    std::this_thread::sleep_for(milliseconds(400));
    other.reset();
  });
  std::string log;
  log = log_of([&] { EXPECT_NO_THROW(pool.acquire()->ping()); });
  leaver.join();
  EXPECT_THAT(log, AllOf(HasSubstr("is busy"), HasSubstr("waiting for it")));
}

TEST_F(RemotePool, ADeviceThatStaysBusyIsAnErrorAfterAWhile) {
  const auto device = fake("device");
  const auto other = connect_device(device->endpoint(), fake_variant());
  options_.busy_patience = milliseconds(300);
  DevicePool pool(fake_variant(), {device->endpoint()}, options_);
  EXPECT_THAT(message_of<DeviceBusy>([&] { pool.acquire(); }),
              AllOf(HasSubstr(device->endpoint().text()), HasSubstr("another client"),
                    HasSubstr("waited for it")));
}

TEST_F(RemotePool, TheOthersWorkWhileOneIsBusy) {
  const auto busy = fake("busy");
  const auto free = fake("free");
  const auto other = connect_device(busy->endpoint(), fake_variant());
  DevicePool pool(fake_variant(), {busy->endpoint(), free->endpoint()}, options_);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(pool.acquire()->remote(), free->endpoint().text());
}

TEST_F(RemotePool, ComesBackWithoutANoiseAfterItWasDroppedForBeingIdle) {
  ServeOptions serve;
  serve.idle_timeout = milliseconds(20);
  const auto device = fake("device", serve);
  DevicePool pool(fake_variant(), {device->endpoint()}, options_);
  pool.acquire()->ping();
  const auto impatient = [&] {
    try {
      connect_device(device->endpoint(), fake_variant());
      return true;
    } catch (const DeviceError&) {
      return false;
    }
  };
  EXPECT_TRUE(eventually(impatient)) << "somebody else gets his turn";
  const std::string log = log_of([&] { pool.acquire()->ping(); });
  EXPECT_EQ(pool.lost(), 0u);
  EXPECT_THAT(log, Not(HasSubstr("lost")));
}

TEST_F(RemotePool, ACheckThatThrowsEndsARunOfAnyLength) {
  const auto device = fake("device");
  DevicePool pool(fake_variant(), {device->endpoint()}, options_);
  std::atomic<bool> enough{false};
  std::thread caller([&] {
    std::this_thread::sleep_for(milliseconds(100));
    enough = true;
  });
  const auto check = [&] {
    if (enough) throw std::runtime_error("enough");
  };
  const auto endless = [](Device& d) {
    d.write_memory(0, fake_program(~std::uint64_t{0}, FakeProgram::kSlow));
    d.run({0, 1, 0, ~std::uint64_t{0}});
  };
  EXPECT_THROW(pool.with_device("for hours", endless, check), std::runtime_error);
  caller.join();
  pool.with_device("a job", [](Device& d) { d.ping(); });  // the check is gone, the device free
}

TEST_F(RemotePool, AProcessOfOursIsKilledWhenTheCheckThrows) {
  options_.folder = testing::fakes_folder();
  DevicePool pool(fake_variant(), 1, options_);
  int pid = 0;
  const auto silent = [&](Device& d) {
    pid = testing::pid_of(d);
    d.write_memory(0, testing::fake_program(testing::LethalProgram::kSilent));
    d.run({0, 1, 0, 1000});
  };
  const auto check = [&] {
    if (pid != 0) throw std::runtime_error("enough");
  };
  EXPECT_THROW(pool.with_device("a silent job", silent, check), std::runtime_error);
  EXPECT_FALSE(testing::process_runs(pid));
}

TEST_F(RemotePool, StoppingEndsAWaitForABusyDevice) {
  const auto device = fake("device");
  const auto other = connect_device(device->endpoint(), fake_variant());
  DevicePool pool(fake_variant(), {device->endpoint()}, options_);
  std::thread stopper([] {
    std::this_thread::sleep_for(milliseconds(300));
    request_stop();
  });
  EXPECT_THROW(pool.acquire(), Stopped);
  stopper.join();
  request_stop(false);
}

TEST_F(RemotePool, WhoeverSaysTwiceWhoItIsSaysTheSame) {
  // A device whose hash changes behind its first sixteen digits, which the registers show.
  class Fickle : public testing::FakeBackend {
   public:
    DeviceIdentity identity() const override {
      DeviceIdentity identity = testing::FakeBackend::identity();
      identity.rtl_hash = identity.rtl_hash.substr(0, 16) + (asked_++ < 2 ? "00" : "01");
      return identity;
    }

   private:
    mutable int asked_ = 0;  // once by the server itself
  } backend;
  Listener listener(nobody("fickle"));
  std::thread server([&] {
    Connection connection = listener.accept();
    serve(connection, backend);
  });
  EXPECT_THAT(message_of<DeviceError>([&] { connect_device(listener.endpoint(), fake_variant()); }),
              HasSubstr("not the same"));
  server.join();
}

TEST_F(RemotePool, ABoardHasNoMemoryModelAndAHashIsHexadecimal) {
  const auto device = fake("device");
  device->backend.identity_.kind = DeviceKind::kBoard;
  EXPECT_THAT(message_of<Error>([&] { connect_device(device->endpoint(), fake_variant()); }),
              HasSubstr("a board has none"));
  device->backend.identity_.memory.clear();
  EXPECT_NO_THROW(connect_device(device->endpoint(), fake_variant()));
  device->backend.identity_.rtl_hash = "0123456789abcdef\x1b[2J";
  EXPECT_THAT(message_of<Error>([&] { connect_device(device->endpoint(), fake_variant()); }),
              HasSubstr("hexadecimal"));
}

}  // namespace
}  // namespace bittern
