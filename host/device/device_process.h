#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/protocol/connection.h"

namespace bittern {

/// A device executable that we started, with one end of a socket pair as its descriptor 3 and
/// "--fd 3" on its command line. It does not outlive this object, nor this process: it sees its
/// socket close, and the kernel kills it when its parent dies. It has its own process group, so
/// that Ctrl-C at a terminal reaches us only. A thread of its own reads what it prints, keeps the
/// last lines, and collects its exit status: no zombies, whatever happens.
class DeviceProcess {
 public:
  /// Lines of log that are kept.
  static constexpr std::size_t kLogLines = 40;

  /// Throws Error when it cannot be started.
  DeviceProcess(const std::filesystem::path& executable, const std::vector<std::string>& arguments);
  /// Kills it if it still runs.
  ~DeviceProcess();
  DeviceProcess(const DeviceProcess&) = delete;
  DeviceProcess& operator=(const DeviceProcess&) = delete;

  /// Our end of the socket pair; to be taken once.
  Connection take_connection();
  pid_t pid() const;
  /// How it ended ("exited with status 3", "was killed by signal 9 (Killed)"), waiting for that up
  /// to `timeout`; nothing while it runs.
  std::optional<std::string> ended(std::chrono::milliseconds timeout) const;
  /// Last lines that it printed on stderr and stdout, oldest first.
  std::vector<std::string> log() const;
  /// Kills it and waits until it is gone.
  void kill();

 private:
  class Supervisor;
  std::unique_ptr<Supervisor> supervisor_;
};

/// All executables bittern-device-<variant> in the folder in which find_device_executable() looks,
/// by variant.
std::map<std::string, std::filesystem::path> device_executables(
    const std::filesystem::path& folder = {});

/// Executable of a simulated device: bittern-device-<variant> in `folder`, or when that is empty in
/// $BITTERN_DEVICES_DIR, or else beside the running executable. Throws Error that says where it was
/// looked for and how to build it.
std::filesystem::path find_device_executable(const std::string& variant,
                                             const std::filesystem::path& folder = {});

}  // namespace bittern
