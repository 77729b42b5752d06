#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "host/device/device.h"
#include "tests/host/base/message_of.h"

namespace bittern::testing {

/// Where the build puts bittern-device-fake and fake_host.
inline std::filesystem::path fakes_folder() { return BITTERN_BINARY_DIR "/tests/fakes"; }

/// Environment variable that is set while this object lives.
class ScopedEnv {
 public:
  ScopedEnv(const char* name, const std::string& value) : name_(name) {
    ::setenv(name, value.c_str(), 1);
  }
  ~ScopedEnv() { ::unsetenv(name_); }
  ScopedEnv(const ScopedEnv&) = delete;
  ScopedEnv& operator=(const ScopedEnv&) = delete;

 private:
  const char* name_;
};

/// Whether `condition` becomes true within ten seconds.
template <typename Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return condition();
}

/// State letter of a process ("R", "S", "Z"); empty when there is none.
inline std::string process_state(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  std::string word;
  while (file >> word) {
    if (word == "State:" && file >> word) return word;
  }
  return "";
}

/// Whether a process runs: a zombie, which nobody but its parent can remove, does not.
inline bool process_runs(int pid) {
  const std::string state = process_state(pid);
  return !state.empty() && state != "Z" && state != "X";
}

/// Open descriptors of a process.
inline std::size_t open_descriptors(int pid) {
  std::size_t count = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/fd")) {
    static_cast<void>(entry);
    ++count;
  }
  return count;
}

/// Process number in the name of a device that start_device() made.
inline int pid_of(const Device& device) {
  return std::stoi(device.name().substr(device.name().rfind(' ') + 1));
}

}  // namespace bittern::testing
