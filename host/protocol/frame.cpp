#include "host/protocol/frame.h"

namespace bittern {
namespace {

void put(std::uint8_t* out, std::uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

std::uint32_t get(const std::uint8_t* in, int bytes) {
  std::uint32_t value = 0;
  for (int i = 0; i < bytes; ++i) value |= static_cast<std::uint32_t>(in[i]) << (8 * i);
  return value;
}

}  // namespace

std::string_view message_name(MessageType type) {
  switch (type) {
    case MessageType::kHello:
      return "hello";
    case MessageType::kReadMemory:
      return "read_memory";
    case MessageType::kWriteMemory:
      return "write_memory";
    case MessageType::kReadRegisters:
      return "read_registers";
    case MessageType::kWriteRegisters:
      return "write_registers";
    case MessageType::kRun:
      return "run";
    case MessageType::kTraceOn:
      return "trace_on";
    case MessageType::kTraceOff:
      return "trace_off";
    case MessageType::kReset:
      return "reset";
    case MessageType::kPing:
      return "ping";
    case MessageType::kProgress:
      return "progress";
    case MessageType::kError:
      return "error";
  }
  return "unknown";
}

std::string_view wire_error_name(WireError code) {
  switch (code) {
    case WireError::kBadMagic:
      return "bad_magic";
    case WireError::kUnsupportedVersion:
      return "unsupported_version";
    case WireError::kTooLarge:
      return "too_large";
    case WireError::kUnknownType:
      return "unknown_type";
    case WireError::kBadPayload:
      return "bad_payload";
    case WireError::kOutOfRange:
      return "out_of_range";
    case WireError::kBadValue:
      return "bad_value";
    case WireError::kFailed:
      return "failed";
    case WireError::kRefused:
      return "refused";
    case WireError::kIncomplete:
      return "incomplete";
    case WireError::kBusy:
      return "busy";
    case WireError::kIdle:
      return "idle";
  }
  return "unknown";
}

std::array<std::uint8_t, kFrameHeaderBytes> FrameHeader::encode() const {
  std::array<std::uint8_t, kFrameHeaderBytes> bytes{};
  put(&bytes[0], magic, 4);
  put(&bytes[4], version, 2);
  put(&bytes[6], static_cast<std::uint16_t>(type), 2);
  put(&bytes[8], request_id, 4);
  put(&bytes[12], payload_length, 4);
  return bytes;
}

FrameHeader FrameHeader::decode(const std::array<std::uint8_t, kFrameHeaderBytes>& bytes) {
  FrameHeader header;
  header.magic = get(&bytes[0], 4);
  header.version = static_cast<std::uint16_t>(get(&bytes[4], 2));
  header.type = static_cast<MessageType>(get(&bytes[6], 2));
  header.request_id = get(&bytes[8], 4);
  header.payload_length = get(&bytes[12], 4);
  return header;
}

}  // namespace bittern
