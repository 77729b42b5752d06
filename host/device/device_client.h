#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "host/device/device.h"
#include "host/protocol/connection.h"
#include "host/protocol/messages.h"

namespace bittern {

/// How a client waits. The defaults are right outside tests.
struct ClientOptions {
  std::chrono::milliseconds connect_timeout{10000};  ///< TCP and unix sockets
  /// Longest wait for an answer to anything but run.
  std::chrono::milliseconds answer_timeout{60000};
  /// Longest silence during a run: progress frames come four times a second.
  std::chrono::milliseconds run_silence{60000};
  std::uint32_t chunk_bytes = 16u << 20;  ///< largest payload sent or asked for
  /// See Device::on_wait(); empty: throw_if_stopped().
  std::function<void()> check;
};

/// Speaks the device protocol as the host's side: typed calls with time limits over any connection.
class DeviceClient : public Device {
 public:
  /// Called once when the connection fails: how the device ended and its last log lines ("killed by
  /// signal 9 ..."), or empty. `gone`: the connection was closed by the device.
  using PostMortem = std::function<std::string(bool gone)>;

  /// Says hello. Throws DeviceError when the other side is no device or does not answer.
  DeviceClient(Connection connection, std::string name, const ClientOptions& options = {},
               PostMortem post_mortem = {});

  const DeviceIdentity& identity() const override { return identity_; }
  const std::string& name() const override { return name_; }
  bool usable() const override { return connection_.fd() >= 0; }
  bool hung_up() const override { return connection_.peer_gone(); }
  void on_wait(const std::function<void()>& check) override;

  using Device::read_memory;
  void write_memory(std::uint64_t address, Bytes data) override;
  void read_memory(std::uint64_t address, MutableBytes out) override;
  std::vector<std::uint32_t> read_registers(const std::vector<std::uint32_t>& offsets) override;
  void write_registers(const std::vector<RegisterWrite>& writes) override;
  RunResult run(const RunRequest& request,
                const std::function<void(std::uint64_t)>& progress = {}) override;
  void start_trace(const TraceRequest& request) override;
  void stop_trace() override;
  void reset() override;
  void ping() override;

  /// Asks once more who it is; throws DeviceError when the answer is another one now.
  void confirm_identity();

  /// Closes the connection: the device sees that its host has gone.
  void close() { connection_.close(); }

 private:
  struct Call;
  std::vector<std::uint8_t> call(const Call& call);
  std::vector<std::uint8_t> exchange(const Call& call);
  FrameHeader receive_header(const Call& call);
  std::vector<std::uint8_t> receive_payload(std::uint32_t length);
  DeviceIdentity ask_identity();
  void await(std::chrono::milliseconds timeout);
  [[noreturn]] void lose(const std::string& doing, const std::string& why, bool gone);

  Connection connection_;
  std::string name_;
  ClientOptions options_;
  PostMortem post_mortem_;
  DeviceIdentity identity_;
  std::uint32_t next_id_ = 1;
};

}  // namespace bittern
