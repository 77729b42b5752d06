#include "host/protocol/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <new>
#include <optional>

#include "host/protocol/frame.h"
#include "host/protocol/messages.h"
#include "host/protocol/wire.h"

namespace bittern {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::uint32_t kRegisterSpace = 4096;
/// A payload's buffer grows with the bytes that have come, not with the length that is announced.
constexpr std::size_t kReceiveStep = std::size_t{1} << 20;
/// How often the connection is looked at during a run.
constexpr milliseconds kPeerCheckEvery{50};

/// The client of one connection, and what it is owed.
class Session {
 public:
  Session(Connection& connection, DeviceBackend& backend, const ServeOptions& options)
      : connection_(connection),
        backend_(backend),
        options_(options),
        memory_bytes_(backend.identity().memory_bytes) {}

  ServeEnd serve() {
    try {
      while (true) {
        const auto patience = silence_allowed();
        if (patience == milliseconds(0) || !connection_.wait_readable(patience)) {
          return drop_silent();
        }
        if (const auto end = one_request()) return *end;
      }
    } catch (const ConnectionError&) {
      return ServeEnd::kLost;
    }
  }

 private:
  /// How long the client may stay silent from now on; negative: for ever.
  milliseconds silence_allowed() const {
    const milliseconds ever(-1);
    if (greeted_) return options_.idle_timeout.count() > 0 ? options_.idle_timeout : ever;
    if (options_.hello_timeout.count() <= 0) return ever;
    // Whatever else it asks for: without a hello it does not keep the device.
    const auto left =
        std::chrono::ceil<milliseconds>(began_ + options_.hello_timeout - Clock::now());
    return std::max(left, milliseconds(0));
  }

  ServeEnd drop_silent() {
    header_.request_id = 0;
    const double seconds =
        static_cast<double>((greeted_ ? options_.idle_timeout : options_.hello_timeout).count()) /
        1e3;
    answer_error(WireError::kIdle,
                 greeted_
                     ? fmt::format("no request for {} s: the device is free for others; connect "
                                   "again to go on",
                                   seconds)
                     : fmt::format("no hello within {} s of connecting", seconds));
    return ServeEnd::kIdle;
  }

  /// Reads one frame and answers it; how the session ends, if it does.
  std::optional<ServeEnd> one_request() {
    std::array<std::uint8_t, kFrameHeaderBytes> bytes{};
    const Clock::time_point began = Clock::now();
    try {
      if (!connection_.receive(bytes, options_.frame_timeout)) return ServeEnd::kClosed;
      header_ = FrameHeader::decode(bytes);
      if (header_.magic != kFrameMagic) {
        header_.request_id = 0;
        answer_error(WireError::kBadMagic,
                     fmt::format("frame starts with 0x{:08x}, expected 0x{:08x}: this is a Bittern "
                                 "device, is the other side a Bittern client?",
                                 header_.magic, kFrameMagic));
        return ServeEnd::kMalformed;
      }
      if (header_.payload_length > kMaxPayload) {
        answer_error(WireError::kTooLarge, fmt::format("payload of {} bytes, at most {} expected",
                                                       header_.payload_length, kMaxPayload));
        return ServeEnd::kMalformed;
      }
      receive_payload(began);
    } catch (const ConnectionError& error) {
      if (error.kind() != ConnectionError::Kind::kTimeout) throw;
      answer_error(WireError::kIncomplete, fmt::format("incomplete frame: {}", error.what()));
      return ServeEnd::kMalformed;
    }
    try {
      dispatch();
    } catch (const ConnectionError&) {
      throw;
    } catch (const ProtocolError& error) {
      answer_error(error.code(), fmt::format("{}: {}", message_name(header_.type), error.what()));
    } catch (const std::exception& error) {
      answer_error(WireError::kFailed,
                   fmt::format("{}: {}", message_name(header_.type), error.what()));
    }
    return lost_ ? std::optional(ServeEnd::kLost) : std::nullopt;
  }

  /// Of a frame that began at `began`: one time limit for all of it, in however many steps.
  void receive_payload(Clock::time_point began) {
    const std::size_t length = header_.payload_length;
    std::size_t done = 0;
    while (done < length) {
      const std::size_t step = std::min(length - done, std::max(kReceiveStep, done));
      if (buffer_.size() < done + step) buffer_.resize(done + step);
      // receive() itself grants the step the time of its bytes.
      const milliseconds granted = options_.frame_timeout + transfer_time(done);
      const auto left = std::chrono::ceil<milliseconds>(began + granted - Clock::now());
      if (!connection_.receive({buffer_.data() + done, step}, std::max(left, milliseconds(0)))) {
        throw ConnectionError(ConnectionError::Kind::kClosed, "closed within a frame");
      }
      done += step;
    }
    payload_ = Bytes(buffer_.data(), length);
  }

  void send(MessageType type, Bytes payload) {
    FrameHeader header;
    header.type = type;
    header.request_id = header_.request_id;
    header.payload_length = static_cast<std::uint32_t>(payload.size());
    connection_.send(header.encode(), payload, options_.frame_timeout);
  }

  void answer(Bytes payload = {}) { send(answer_to(header_.type), payload); }

  void answer_error(WireError code, const std::string& message) {
    send(MessageType::kError, encode_error({code, message}));
  }

  void no_payload() const { WireReader(payload_).end(); }

  void dispatch() {
    if (header_.version != kProtocolVersion) {
      throw ProtocolError(
          WireError::kUnsupportedVersion,
          fmt::format("the client speaks version {} of the protocol, the device version {}; "
                      "rebuild the older one",
                      header_.version, kProtocolVersion));
    }
    switch (header_.type) {
      case MessageType::kHello:
        decode_hello(payload_);
        greeted_ = true;
        return answer(encode_identity(backend_.identity()));
      case MessageType::kReadMemory:
        return read_memory(decode_memory_range(payload_));
      case MessageType::kWriteMemory:
        return write_memory(decode_memory_write(payload_));
      case MessageType::kReadRegisters:
        return read_registers(decode_words(payload_));
      case MessageType::kWriteRegisters:
        return write_registers(decode_register_writes(payload_));
      case MessageType::kRun:
        return run(decode_run(payload_));
      case MessageType::kTraceOn:
        return trace_on(decode_trace(payload_));
      case MessageType::kTraceOff:
        no_payload();
        backend_.stop_trace();
        return answer();
      case MessageType::kReset:
        no_payload();
        backend_.reset();
        return answer();
      case MessageType::kPing:
        no_payload();
        return answer();
      case MessageType::kProgress:
      case MessageType::kError:
        break;
    }
    throw ProtocolError(
        WireError::kUnknownType,
        fmt::format("there is no request of type {}", static_cast<std::uint16_t>(header_.type)));
  }

  void check_range(std::uint64_t address, std::uint64_t length) const {
    if (address > memory_bytes_ || length > memory_bytes_ - address) {
      throw ProtocolError(WireError::kOutOfRange,
                          fmt::format("{} bytes from address 0x{:x} end above the device's memory "
                                      "of 0x{:x} bytes",
                                      length, address, memory_bytes_));
    }
  }

  static void check_registers(std::size_t count) {
    if (count > kMaxRegisterBatch) {
      throw ProtocolError(
          WireError::kBadValue,
          fmt::format("{} registers in one batch, at most {} expected", count, kMaxRegisterBatch));
    }
  }

  static void check_register(std::uint32_t offset) {
    if (offset >= kRegisterSpace || offset % 4 != 0) {
      throw ProtocolError(
          WireError::kOutOfRange,
          fmt::format("register offset 0x{:x}, expected a multiple of 4 below 0x{:x}", offset,
                      kRegisterSpace));
    }
  }

  void read_memory(const MemoryRange& range) {
    if (range.length > kMaxPayload) {
      throw ProtocolError(
          WireError::kBadValue,
          fmt::format("{} bytes in one read, at most {} expected", range.length, kMaxPayload));
    }
    check_range(range.address, range.length);
    if (buffer_.size() < range.length) buffer_.resize(range.length);
    const MutableBytes out(buffer_.data(), range.length);
    backend_.read_memory(range.address, out);
    answer(Bytes(out.data(), out.size()));
  }

  void write_memory(const MemoryWrite& write) {
    check_range(write.address, write.data.size());
    backend_.write_memory(write.address, write.data);
    answer();
  }

  void read_registers(const std::vector<std::uint32_t>& offsets) {
    check_registers(offsets.size());
    for (const std::uint32_t offset : offsets) check_register(offset);
    std::vector<std::uint32_t> values;
    for (const std::uint32_t offset : offsets) values.push_back(backend_.read_register(offset));
    answer(encode_words(values));
  }

  void write_registers(const std::vector<RegisterWrite>& writes) {
    check_registers(writes.size());
    for (const auto& write : writes) check_register(write.first);
    for (const auto& [offset, value] : writes) backend_.write_register(offset, value);
    answer();
  }

  void trace_on(const TraceRequest& request) {
    if (!options_.allow_trace) {
      throw ProtocolError(WireError::kRefused,
                          "tracing writes files and is not allowed over TCP; use a unix socket");
    }
    if (request.path.empty() || request.path.find('\0') != std::string::npos) {
      throw ProtocolError(WireError::kBadValue, "the path of the trace is empty or not a path");
    }
    if (request.last_cycle < request.first_cycle) {
      throw ProtocolError(WireError::kBadValue,
                          fmt::format("the window ends at cycle {} before it starts at cycle {}",
                                      request.last_cycle, request.first_cycle));
    }
    backend_.start_trace(request);
    answer();
  }

  void check_run(const RunRequest& request) const {
    const auto bad = [](const std::string& text) {
      throw ProtocolError(WireError::kBadValue, text);
    };
    if (request.program_address % 16 != 0) {
      bad(fmt::format("program address 0x{:x} is no multiple of 16", request.program_address));
    }
    if (request.instruction_count == 0) bad("a program has at least one instruction, END");
    if (request.mem_limit >> 32 != 0) {
      bad(fmt::format("mem_limit 0x{:x} has more than 32 bits", request.mem_limit));
    }
    if (request.cycle_limit == 0) bad("the cycle limit is 0");
    check_range(request.program_address, std::uint64_t{16} * request.instruction_count);
    if (request.program_address >> 32 != 0) {
      bad(fmt::format("program address 0x{:x} has more than 32 bits", request.program_address));
    }
  }

  void run(const RunRequest& request) {
    check_run(request);
    Clock::time_point next_check = Clock::now() + kPeerCheckEvery;
    Clock::time_point next_progress = Clock::now() + options_.progress_every;
    const KeepGoing keep_going = [&](std::uint64_t cycles) {
      if (lost_) return false;
      const Clock::time_point now = Clock::now();
      if (now >= next_check) {
        next_check = now + kPeerCheckEvery;
        lost_ = connection_.peer_gone();
      }
      if (!lost_ && now >= next_progress) {
        next_progress = now + options_.progress_every;
        try {
          send(MessageType::kProgress, encode_progress(cycles));
        } catch (const ConnectionError&) {
          lost_ = true;
        }
      }
      return !lost_;
    };
    const RunResult result = backend_.run(request, keep_going);
    if (lost_) return;
    if (result.status == RunStatus::kAbandoned) {
      throw ProtocolError(WireError::kFailed, "the device gave up the run by itself");
    }
    answer(encode_run_result(result));
  }

  Connection& connection_;
  DeviceBackend& backend_;
  const ServeOptions& options_;
  const std::uint64_t memory_bytes_;
  const Clock::time_point began_ = Clock::now();
  bool greeted_ = false;
  FrameHeader header_;
  std::vector<std::uint8_t> buffer_;
  Bytes payload_;
  bool lost_ = false;
};

}  // namespace

ServeEnd serve(Connection& connection, DeviceBackend& backend, const ServeOptions& options) {
  return Session(connection, backend, options).serve();
}

}  // namespace bittern
