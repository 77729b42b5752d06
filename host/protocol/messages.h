#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "host/protocol/backend.h"
#include "host/protocol/wire.h"

namespace bittern {

// Payloads of the messages, written down once for both ends. Every encode_x() has a decode_x() that
// throws ProtocolError when the bytes are not exactly such a payload. Messages without a line here
// have no payload. docs/protocol.md has the table of fields.

/// Address and length of a read.
struct MemoryRange {
  std::uint64_t address = 0;
  std::uint64_t length = 0;
};

/// Address and bytes of a write; the bytes lie in the payload that was decoded.
struct MemoryWrite {
  std::uint64_t address = 0;
  Bytes data;
};

/// Offset and value of a register.
using RegisterWrite = std::pair<std::uint32_t, std::uint32_t>;

/// Code and text of an error answer.
struct ErrorAnswer {
  WireError code = WireError::kFailed;
  std::string message;
};

/// hello, request: name and version of the client, for the device's log.
std::vector<std::uint8_t> encode_hello(const std::string& client);
std::string decode_hello(Bytes payload);

/// hello, answer.
std::vector<std::uint8_t> encode_identity(const DeviceIdentity& identity);
DeviceIdentity decode_identity(Bytes payload);

/// read_memory, request. The answer is the bytes.
std::vector<std::uint8_t> encode_memory_range(const MemoryRange& range);
MemoryRange decode_memory_range(Bytes payload);

/// write_memory, request: what stands before the bytes.
std::vector<std::uint8_t> encode_write_address(std::uint64_t address);
MemoryWrite decode_memory_write(Bytes payload);

/// read_registers, request (offsets) and answer (values).
std::vector<std::uint8_t> encode_words(const std::vector<std::uint32_t>& words);
std::vector<std::uint32_t> decode_words(Bytes payload);

/// write_registers, request: written in this order.
std::vector<std::uint8_t> encode_register_writes(const std::vector<RegisterWrite>& writes);
std::vector<RegisterWrite> decode_register_writes(Bytes payload);

/// run, request and answer.
std::vector<std::uint8_t> encode_run(const RunRequest& request);
RunRequest decode_run(Bytes payload);
std::vector<std::uint8_t> encode_run_result(const RunResult& result);
RunResult decode_run_result(Bytes payload);

/// progress: cycles so far.
std::vector<std::uint8_t> encode_progress(std::uint64_t cycles);
std::uint64_t decode_progress(Bytes payload);

/// trace_on, request.
std::vector<std::uint8_t> encode_trace(const TraceRequest& request);
TraceRequest decode_trace(Bytes payload);

/// error. A text that is too long is cut.
std::vector<std::uint8_t> encode_error(const ErrorAnswer& error);
ErrorAnswer decode_error(Bytes payload);

}  // namespace bittern
