// The device executable as a process: what it does when its host goes away, and when it is started
// wrongly.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "host/base/error.h"
#include "host/cores/bismo/bismo_isa.h"
#include "host/device/device_client.h"
#include "host/protocol/connection.h"

namespace bittern {
namespace {

namespace isa = bismo_isa;
using std::chrono::milliseconds;
using testing::HasSubstr;

// A device process with a socket; not through DeviceProcess, which would kill it when we are gone.
class ProcessTest : public testing::Test {
 protected:
  void start(const std::vector<std::string>& arguments) {
    int ends[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    host_end_ = ends[0];
    errors_ = (folder_ / "stderr.log").string();
    pid_ = fork();
    ASSERT_GE(pid_, 0);
    if (pid_ == 0) {
      close(ends[0]);
      if (std::freopen(errors_.c_str(), "w", stderr) == nullptr) {
        _exit(126);
      }
      std::vector<std::string> all = {BITTERN_DEVICE, "--fd", std::to_string(ends[1])};
      all.insert(all.end(), arguments.begin(), arguments.end());
      std::vector<char*> argv;
      for (std::string& argument : all) {
        argv.push_back(argument.data());
      }
      argv.push_back(nullptr);
      execv(argv[0], argv.data());
      _exit(127);
    }
    close(ends[1]);
  }

  ProcessTest()
      : folder_(std::filesystem::path(testing::TempDir()) /
                ("bittern_process_test_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~ProcessTest() override {
    if (pid_ > 0) {
      kill(pid_, SIGKILL);
      waitpid(pid_, nullptr, 0);
    }
    std::filesystem::remove_all(folder_);
  }

  // Path of a copy of the variant's file in which `from` is replaced by `to`.
  std::string changed_variant(const std::string& from, const std::string& to) const {
    const std::string name = "/configs/variants/bismo_tiny.yaml";
    std::ifstream original(BITTERN_SOURCE_DIR + name);
    std::stringstream text;
    text << original.rdbuf();
    std::string changed = text.str();
    const std::size_t at = changed.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    changed.replace(at, from.size(), to);
    const std::filesystem::path path = folder_ / "bismo_tiny.yaml";
    std::ofstream(path) << changed;
    return path.string();
  }

  // Exit status within `limit`, or -1.
  int exit_status(milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (std::chrono::steady_clock::now() < end) {
      int status = 0;
      if (waitpid(pid_, &status, WNOHANG) == pid_) {
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
      }
      std::this_thread::sleep_for(milliseconds(5));
    }
    return -1;
  }

  std::string error_output() const {
    std::ifstream file(errors_);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
  }

  // A program that waits for a token that nobody sends.
  static std::vector<std::uint8_t> endless_program() {
    isa::Exec exec;
    exec.wait_lhs = 1;
    exec.k_words = 1;
    const std::vector<isa::Word> words = {exec.encode(), isa::End().encode()};
    std::vector<std::uint8_t> bytes(32);
    std::memcpy(bytes.data(), words.data(), 32);
    return bytes;
  }

  int host_end_ = -1;
  pid_t pid_ = -1;
  std::filesystem::path folder_;
  std::string errors_;
};

TEST_F(ProcessTest, EndsWhenItsHostClosesTheSocket) {
  start({});
  DeviceClient client(Connection::from_fd(host_end_), "device");
  EXPECT_EQ(client.identity().variant, "bismo_tiny");
  client.close();
  EXPECT_EQ(exit_status(milliseconds(10000)), 0);
}

TEST_F(ProcessTest, EndsWhenItsHostDiesInTheMiddleOfARun) {
  start({});
  const int copy = dup(host_end_);
  DeviceClient client(Connection::from_fd(host_end_), "device");
  const std::vector<std::uint8_t> program = endless_program();
  client.write_memory(0, Bytes(program.data(), program.size()));
  std::thread runner([&] {
    RunRequest request;
    request.instruction_count = 2;
    request.cycle_limit = std::uint64_t{1} << 60;
    EXPECT_THROW(client.run(request), Error);
  });
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_EQ(exit_status(milliseconds(0)), -1) << "it ended before its host did";
  shutdown(copy, SHUT_RDWR);
  EXPECT_NE(exit_status(milliseconds(10000)), -1) << "it still runs without a host";
  runner.join();
  close(copy);
}

TEST_F(ProcessTest, RefusesAVariantThatItWasNotBuiltFor) {
  start({"--variant", changed_variant("LhsDepth: 128", "LhsDepth: 256")});
  EXPECT_EQ(exit_status(milliseconds(10000)), 1);
  EXPECT_THAT(error_output(), HasSubstr("rtl.LhsDepth is 256"));
  close(host_end_);
}

TEST_F(ProcessTest, TakesTheMemoryModelFromItsVariantFile) {
  start({"--variant", changed_variant("latency_cycles: 16", "latency_cycles: 77")});
  DeviceClient client(Connection::from_fd(host_end_), "device");
  EXPECT_EQ(client.identity().memory.at("latency_cycles"), 77);
  const std::vector<std::uint8_t> end(16);
  client.write_memory(0, Bytes(end.data(), end.size()));
  RunRequest request;
  request.instruction_count = 1;
  request.cycle_limit = 1000;
  EXPECT_EQ(client.run(request).cycles, 77 + 7);
}

TEST_F(ProcessTest, UnknownOptionsAreRefused) {
  start({"--frobnicate"});
  EXPECT_EQ(exit_status(milliseconds(10000)), 2);
  EXPECT_THAT(error_output(), HasSubstr("--frobnicate"));
  close(host_end_);
}

}  // namespace
}  // namespace bittern
