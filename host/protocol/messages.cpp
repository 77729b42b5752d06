#include "host/protocol/messages.h"

#include <fmt/format.h>

#include <map>

namespace bittern {
namespace {

constexpr std::size_t kMaxErrorText = 16384;
/// Names, versions and hashes in an identity.
constexpr std::size_t kMaxName = 256;
constexpr std::size_t kMaxToolText = 4096;

void write_numbers(WireWriter& out, const std::map<std::string, std::int64_t>& values) {
  out.u32(static_cast<std::uint32_t>(values.size()));
  for (const auto& [name, value] : values) out.text(name).u64(static_cast<std::uint64_t>(value));
}

std::map<std::string, std::int64_t> read_numbers(WireReader& in, const char* field) {
  std::map<std::string, std::int64_t> values;
  const std::uint32_t count = in.count(field, 12);
  for (std::uint32_t i = 0; i < count; ++i) {
    std::string name = in.text(field, kMaxName);
    values[std::move(name)] = static_cast<std::int64_t>(in.u64(field));
  }
  return values;
}

/// Value of an enumeration whose values are 0..last.
template <typename Enum>
Enum read_enum(WireReader& in, const char* field, Enum last) {
  const std::uint8_t value = in.u8(field);
  if (value > static_cast<std::uint8_t>(last)) {
    throw ProtocolError(WireError::kBadPayload,
                        fmt::format("field '{}' is {}, at most {} expected", field, value,
                                    static_cast<std::uint8_t>(last)));
  }
  return static_cast<Enum>(value);
}

}  // namespace

std::vector<std::uint8_t> encode_hello(const std::string& client) {
  return WireWriter().text(client).bytes();
}

std::string decode_hello(Bytes payload) {
  WireReader in(payload);
  std::string client = in.text("client", 256);
  in.end();
  return client;
}

std::vector<std::uint8_t> encode_identity(const DeviceIdentity& identity) {
  WireWriter out;
  out.u8(static_cast<std::uint8_t>(identity.kind)).text(identity.variant).text(identity.core);
  write_numbers(out, identity.parameters);
  write_numbers(out, identity.memory);
  out.u64(identity.memory_bytes).text(identity.rtl_hash);
  out.u32(static_cast<std::uint32_t>(identity.tools.size()));
  for (const auto& [tool, version] : identity.tools) out.text(tool).text(version);
  return out.bytes();
}

DeviceIdentity decode_identity(Bytes payload) {
  WireReader in(payload);
  DeviceIdentity identity;
  identity.kind = read_enum(in, "kind", DeviceKind::kBoard);
  identity.variant = in.text("variant", kMaxName);
  identity.core = in.text("core", kMaxName);
  identity.parameters = read_numbers(in, "parameters");
  identity.memory = read_numbers(in, "memory");
  identity.memory_bytes = in.u64("memory_bytes");
  identity.rtl_hash = in.text("rtl_hash", kMaxName);
  const std::uint32_t tools = in.count("tools", 8);
  for (std::uint32_t i = 0; i < tools; ++i) {
    std::string tool = in.text("tools", kMaxName);
    identity.tools[std::move(tool)] = in.text("tools", kMaxToolText);
  }
  in.end();
  return identity;
}

std::vector<std::uint8_t> encode_memory_range(const MemoryRange& range) {
  return WireWriter().u64(range.address).u64(range.length).bytes();
}

MemoryRange decode_memory_range(Bytes payload) {
  WireReader in(payload);
  MemoryRange range;
  range.address = in.u64("address");
  range.length = in.u64("length");
  in.end();
  return range;
}

std::vector<std::uint8_t> encode_write_address(std::uint64_t address) {
  return WireWriter().u64(address).bytes();
}

MemoryWrite decode_memory_write(Bytes payload) {
  WireReader in(payload);
  MemoryWrite write;
  write.address = in.u64("address");
  write.data = in.rest();
  return write;
}

std::vector<std::uint8_t> encode_words(const std::vector<std::uint32_t>& words) {
  WireWriter out;
  out.u32(static_cast<std::uint32_t>(words.size()));
  for (const std::uint32_t word : words) out.u32(word);
  return out.bytes();
}

std::vector<std::uint32_t> decode_words(Bytes payload) {
  WireReader in(payload);
  std::vector<std::uint32_t> words(in.count("count", 4));
  for (std::uint32_t& word : words) word = in.u32("word");
  in.end();
  return words;
}

std::vector<std::uint8_t> encode_register_writes(const std::vector<RegisterWrite>& writes) {
  WireWriter out;
  out.u32(static_cast<std::uint32_t>(writes.size()));
  for (const auto& [offset, value] : writes) out.u32(offset).u32(value);
  return out.bytes();
}

std::vector<RegisterWrite> decode_register_writes(Bytes payload) {
  WireReader in(payload);
  std::vector<RegisterWrite> writes(in.count("count", 8));
  for (auto& [offset, value] : writes) {
    offset = in.u32("offset");
    value = in.u32("value");
  }
  in.end();
  return writes;
}

std::vector<std::uint8_t> encode_run(const RunRequest& request) {
  return WireWriter()
      .u64(request.program_address)
      .u32(request.instruction_count)
      .u64(request.mem_limit)
      .u64(request.cycle_limit)
      .bytes();
}

RunRequest decode_run(Bytes payload) {
  WireReader in(payload);
  RunRequest request;
  request.program_address = in.u64("program_address");
  request.instruction_count = in.u32("instruction_count");
  request.mem_limit = in.u64("mem_limit");
  request.cycle_limit = in.u64("cycle_limit");
  in.end();
  return request;
}

std::vector<std::uint8_t> encode_run_result(const RunResult& result) {
  WireWriter out;
  out.u8(static_cast<std::uint8_t>(result.status))
      .u64(result.cycles)
      .u32(result.error_code)
      .u32(result.error_info)
      .u32(static_cast<std::uint32_t>(result.counters.size()));
  for (const std::uint64_t counter : result.counters) out.u64(counter);
  return out.bytes();
}

RunResult decode_run_result(Bytes payload) {
  WireReader in(payload);
  RunResult result;
  result.status = read_enum(in, "status", RunStatus::kCycleLimit);
  result.cycles = in.u64("cycles");
  result.error_code = in.u32("error_code");
  result.error_info = in.u32("error_info");
  result.counters.resize(in.count("counters", 8));
  for (std::uint64_t& counter : result.counters) counter = in.u64("counter");
  in.end();
  return result;
}

std::vector<std::uint8_t> encode_progress(std::uint64_t cycles) {
  return WireWriter().u64(cycles).bytes();
}

std::uint64_t decode_progress(Bytes payload) {
  WireReader in(payload);
  const std::uint64_t cycles = in.u64("cycles");
  in.end();
  return cycles;
}

std::vector<std::uint8_t> encode_trace(const TraceRequest& request) {
  return WireWriter().text(request.path).u64(request.first_cycle).u64(request.last_cycle).bytes();
}

TraceRequest decode_trace(Bytes payload) {
  WireReader in(payload);
  TraceRequest request;
  request.path = in.text("path", 4096);
  request.first_cycle = in.u64("first_cycle");
  request.last_cycle = in.u64("last_cycle");
  in.end();
  return request;
}

std::vector<std::uint8_t> encode_error(const ErrorAnswer& error) {
  const std::string_view text(error.message);
  return WireWriter()
      .u32(static_cast<std::uint32_t>(error.code))
      .text(text.substr(0, kMaxErrorText))
      .bytes();
}

ErrorAnswer decode_error(Bytes payload) {
  WireReader in(payload);
  ErrorAnswer error;
  error.code = static_cast<WireError>(in.u32("code"));
  error.message = in.text("message", kMaxErrorText);
  in.end();
  return error;
}

}  // namespace bittern
