#include "host/device/device_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "host/base/stop.h"
#include "host/base/text.h"
#include "host/base/version.h"

namespace bittern {
namespace {

using std::chrono::milliseconds;

/// Largest answer other than to read_memory: far above any that a device has reason to send.
constexpr std::uint32_t kMaxAnswer = 1u << 20;

/// Most bytes of a device's error text that are passed on.
constexpr std::size_t kMostShown = 4000;

/// What a device says in an error, as it may be printed.
std::string shown(const std::string& text) {
  return printable_lines(text.size() <= kMostShown ? text : text.substr(0, kMostShown) + " ...");
}

}  // namespace

/// A request, and what its answer is allowed to be.
struct DeviceClient::Call {
  MessageType type;
  std::string doing;  ///< for messages: "while ..."
  std::vector<std::uint8_t> head;
  Bytes body;               ///< sent behind `head` without copying
  MutableBytes into;        ///< where the answer's bytes go, when `bulk`
  bool bulk = false;        ///< the answer is exactly into.size() bytes
  milliseconds silence{0};  ///< longest wait for the next frame
  std::function<void(std::uint64_t)> progress;
};

DeviceClient::DeviceClient(Connection connection, std::string name, const ClientOptions& options,
                           PostMortem post_mortem)
    : connection_(std::move(connection)),
      name_(std::move(name)),
      options_(options),
      post_mortem_(std::move(post_mortem)) {
  DeviceClient::on_wait(options_.check);  // what is derived from this is not there yet
  identity_ = ask_identity();
}

void DeviceClient::on_wait(const std::function<void()>& check) {
  options_.check = check ? check : throw_if_stopped;
  connection_.on_wait(options_.check);
}

DeviceIdentity DeviceClient::ask_identity() {
  Call hello;
  hello.type = MessageType::kHello;
  hello.doing = "starting";
  hello.head = encode_hello("bittern " + version());
  hello.silence = options_.answer_timeout;
  const std::vector<std::uint8_t> payload = call(hello);
  try {
    return decode_identity(payload);
  } catch (const ProtocolError& error) {
    lose(hello.doing, error.what(), false);
  }
}

void DeviceClient::confirm_identity() {
  if (ask_identity() == identity_) return;
  lose("starting", "it said twice who it is, and not the same", false);
}

void DeviceClient::lose(const std::string& doing, const std::string& why, bool gone) {
  // Whatever comes later on this connection could be taken for the answer to something else.
  connection_.close();
  std::string message = fmt::format("device {} was lost while {}: {}", name_, doing, why);
  if (post_mortem_) {
    const std::string end = post_mortem_(gone);
    if (!end.empty()) message += "; " + end;
  }
  throw DeviceError(message);
}

std::vector<std::uint8_t> DeviceClient::call(const Call& call) {
  if (!usable()) {
    throw DeviceError(
        fmt::format("device {} was lost before; it cannot be used for {}", name_, call.doing));
  }
  try {
    return exchange(call);
  } catch (const ConnectionError& error) {
    std::string why = error.what();
    if (error.kind() == ConnectionError::Kind::kTimeout && call.type == MessageType::kRun) {
      why += ", though a running device reports several times a second: it hangs";
    }
    lose(call.doing, why, error.kind() != ConnectionError::Kind::kTimeout);
  } catch (const ProtocolError& error) {
    lose(call.doing, fmt::format("it broke the protocol: {}", error.what()), false);
  } catch (const DeviceRefusal&) {
    throw;
  } catch (...) {
    // A stop, or an error of a progress callback: the answer will never be read.
    connection_.close();
    throw;
  }
}

std::vector<std::uint8_t> DeviceClient::exchange(const Call& call) {
  FrameHeader header;
  header.type = call.type;
  header.request_id = next_id_++;
  header.payload_length = static_cast<std::uint32_t>(call.head.size() + call.body.size());
  const auto bytes = header.encode();
  std::vector<std::uint8_t> head(bytes.begin(), bytes.end());
  head.insert(head.end(), call.head.begin(), call.head.end());
  connection_.send(head, call.body, options_.answer_timeout);

  const auto wrong = [](const std::string& text) {
    throw ProtocolError(WireError::kBadPayload, text);
  };
  while (true) {
    const FrameHeader answer = receive_header(call);
    if (answer.request_id != header.request_id && answer.request_id != 0) {
      wrong(fmt::format("answer to request {}, expected one to {}", answer.request_id,
                        header.request_id));
    }
    const bool bulk = call.bulk && answer.type == answer_to(call.type);
    if (bulk) {
      if (answer.payload_length != call.into.size()) {
        wrong(fmt::format("answer of {} bytes, {} expected", answer.payload_length,
                          call.into.size()));
      }
      if (!call.into.empty() && !connection_.receive(call.into, options_.answer_timeout)) {
        throw ConnectionError(ConnectionError::Kind::kClosed, "closed within an answer");
      }
      return {};
    }
    if (answer.payload_length > kMaxAnswer) {
      wrong(fmt::format("answer '{}' of {} bytes, at most {} expected", message_name(answer.type),
                        answer.payload_length, kMaxAnswer));
    }
    std::vector<std::uint8_t> payload = receive_payload(answer.payload_length);
    if (answer.type == answer_to(call.type) && answer.request_id != 0) return payload;
    if (answer.type == MessageType::kError) {
      const ErrorAnswer error = decode_error(payload);
      if (error.code == WireError::kBusy) {
        throw DeviceBusy(fmt::format("device {} is busy: {}", name_, shown(error.message)));
      }
      // After these the device closes the connection; it would be found closed at the next call.
      if (error.code == WireError::kBadMagic || error.code == WireError::kTooLarge ||
          error.code == WireError::kIncomplete || error.code == WireError::kIdle) {
        wrong(fmt::format("it answered {}: {}", wire_error_name(error.code), shown(error.message)));
      }
      throw DeviceRefusal(error.code,
                          fmt::format("device {} refused {}: {} ({})", name_, call.doing,
                                      shown(error.message), wire_error_name(error.code)));
    }
    if (answer.type == MessageType::kProgress && call.type == MessageType::kRun) {
      const std::uint64_t cycles = decode_progress(payload);
      if (call.progress) call.progress(cycles);
      options_.check();  // a device that reports without a pause never lets us wait
      continue;
    }
    wrong(fmt::format("answer of type {} to a request '{}'",
                      static_cast<std::uint16_t>(answer.type), message_name(call.type)));
  }
}

void DeviceClient::await(milliseconds timeout) {
  if (connection_.wait_readable(timeout)) return;
  throw ConnectionError(
      ConnectionError::Kind::kTimeout,
      fmt::format("no answer for {:.1f} s", static_cast<double>(timeout.count()) / 1000.0));
}

FrameHeader DeviceClient::receive_header(const Call& call) {
  await(call.silence);
  std::array<std::uint8_t, kFrameHeaderBytes> bytes{};
  if (!connection_.receive(bytes, options_.answer_timeout)) {
    throw ConnectionError(ConnectionError::Kind::kClosed, "the device closed the connection");
  }
  const FrameHeader header = FrameHeader::decode(bytes);
  if (header.magic != kFrameMagic) {
    throw ProtocolError(WireError::kBadMagic,
                        fmt::format("answer starts with 0x{:08x}, expected 0x{:08x}; is there a "
                                    "Bittern device?",
                                    header.magic, kFrameMagic));
  }
  if (header.version != kProtocolVersion && header.type != MessageType::kError) {
    throw ProtocolError(WireError::kUnsupportedVersion,
                        fmt::format("the device speaks version {} of the protocol, this program "
                                    "version {}; rebuild the older one",
                                    header.version, kProtocolVersion));
  }
  return header;
}

std::vector<std::uint8_t> DeviceClient::receive_payload(std::uint32_t length) {
  std::vector<std::uint8_t> payload(length);
  if (length > 0 && !connection_.receive(MutableBytes(payload), options_.answer_timeout)) {
    throw ConnectionError(ConnectionError::Kind::kClosed, "closed within an answer");
  }
  return payload;
}

void DeviceClient::write_memory(std::uint64_t address, Bytes data) {
  const std::size_t chunk = options_.chunk_bytes;
  for (std::size_t done = 0; done < data.size();) {
    const std::size_t size = std::min(chunk, data.size() - done);
    Call request;
    request.type = MessageType::kWriteMemory;
    request.doing = fmt::format("writing {} bytes to address 0x{:x}", size, address + done);
    request.head = encode_write_address(address + done);
    request.body = data.subspan(done, size);
    request.silence = options_.answer_timeout;
    call(request);
    done += size;
  }
}

void DeviceClient::read_memory(std::uint64_t address, MutableBytes out) {
  const std::size_t chunk = options_.chunk_bytes;
  for (std::size_t done = 0; done < out.size();) {
    const std::size_t size = std::min(chunk, out.size() - done);
    Call request;
    request.type = MessageType::kReadMemory;
    request.doing = fmt::format("reading {} bytes from address 0x{:x}", size, address + done);
    request.head = encode_memory_range({address + done, size});
    request.bulk = true;
    request.into = out.subspan(done, size);
    request.silence = options_.answer_timeout;
    call(request);
    done += size;
  }
}

std::vector<std::uint32_t> DeviceClient::read_registers(const std::vector<std::uint32_t>& offsets) {
  Call request;
  request.type = MessageType::kReadRegisters;
  request.doing = fmt::format("reading {} registers", offsets.size());
  request.head = encode_words(offsets);
  request.silence = options_.answer_timeout;
  const std::vector<std::uint8_t> payload = call(request);
  std::vector<std::uint32_t> values;
  try {
    values = decode_words(payload);
  } catch (const ProtocolError& error) {
    lose(request.doing, error.what(), false);
  }
  if (values.size() != offsets.size()) {
    lose(request.doing, fmt::format("it answered with {} values", values.size()), false);
  }
  return values;
}

void DeviceClient::write_registers(const std::vector<RegisterWrite>& writes) {
  Call request;
  request.type = MessageType::kWriteRegisters;
  request.doing = fmt::format("writing {} registers", writes.size());
  request.head = encode_register_writes(writes);
  request.silence = options_.answer_timeout;
  call(request);
}

RunResult DeviceClient::run(const RunRequest& request,
                            const std::function<void(std::uint64_t)>& progress) {
  Call run;
  run.type = MessageType::kRun;
  run.doing = fmt::format("running a program of {} instructions at 0x{:x}",
                          request.instruction_count, request.program_address);
  run.head = encode_run(request);
  run.silence = options_.run_silence;
  run.progress = progress;
  const std::vector<std::uint8_t> payload = call(run);
  try {
    return decode_run_result(payload);
  } catch (const ProtocolError& error) {
    lose(run.doing, error.what(), false);
  }
}

void DeviceClient::start_trace(const TraceRequest& request) {
  Call trace;
  trace.type = MessageType::kTraceOn;
  trace.doing = fmt::format("a trace to '{}'", request.path);
  trace.head = encode_trace(request);
  trace.silence = options_.answer_timeout;
  call(trace);
}

void DeviceClient::stop_trace() {
  Call request;
  request.type = MessageType::kTraceOff;
  request.doing = "ending a trace";
  request.silence = options_.answer_timeout;
  call(request);
}

void DeviceClient::reset() {
  Call request;
  request.type = MessageType::kReset;
  request.doing = "resetting";
  request.silence = options_.answer_timeout;
  call(request);
}

void DeviceClient::ping() {
  Call request;
  request.type = MessageType::kPing;
  request.doing = "answering a ping";
  request.silence = options_.answer_timeout;
  call(request);
}

}  // namespace bittern
