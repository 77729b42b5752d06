#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "host/base/span.h"

namespace bittern {

/// Version of the device protocol that this code speaks. Raised by every change that an older peer
/// would misunderstand.
inline constexpr std::uint16_t kProtocolVersion = 1;
/// First four bytes of every frame: "BTDP".
inline constexpr std::uint32_t kFrameMagic = 0x50445442;
/// Bytes of the header, in every version of the protocol.
inline constexpr std::size_t kFrameHeaderBytes = 16;
/// Largest payload of a frame; clients split larger transfers.
inline constexpr std::uint32_t kMaxPayload = 64u << 20;
/// Most registers in one batch.
inline constexpr std::uint32_t kMaxRegisterBatch = 4096;

/// Type of a message. The answer to request t has type t | kAnswer, or is an error.
enum class MessageType : std::uint16_t {
  kHello = 1,
  kReadMemory = 2,
  kWriteMemory = 3,
  kReadRegisters = 4,
  kWriteRegisters = 5,
  kRun = 6,
  kTraceOn = 7,
  kTraceOff = 8,
  kReset = 9,
  kPing = 10,
  kProgress = 0x180,  ///< during a run, before its answer
  kError = 0x1ff,
};
inline constexpr std::uint16_t kAnswer = 0x100;

/// Type of the answer to a request.
constexpr MessageType answer_to(MessageType request) {
  return static_cast<MessageType>(static_cast<std::uint16_t>(request) | kAnswer);
}

/// Name of a type for messages, "unknown" for a value that has none.
std::string_view message_name(MessageType type);

/// What an error answer says went wrong.
enum class WireError : std::uint32_t {
  kBadMagic = 1,            ///< not a frame of ours; the connection is closed
  kUnsupportedVersion = 2,  ///< of the protocol
  kTooLarge = 3,            ///< payload above kMaxPayload; the connection is closed
  kUnknownType = 4,         ///< no such request
  kBadPayload = 5,          ///< shorter or longer than its message, or a length inside is wrong
  kOutOfRange = 6,          ///< memory or registers that the device does not have
  kBadValue = 7,            ///< a field has a value that it must not have
  kFailed = 8,              ///< the device could not do it; the text says why
  kRefused = 9,             ///< not allowed over this connection
  kIncomplete = 10,         ///< the frame was not finished in time; the connection is closed
  kBusy = 11,               ///< another client is being served; the connection is closed
  kIdle = 12,               ///< the client was silent for too long; the connection is closed
};

/// Name of a code as in the documentation, "unknown" for a value that has none.
std::string_view wire_error_name(WireError code);

/// Header of a frame: magic u32, version u16, type u16, request id u32, payload length u32; all
/// little endian.
struct FrameHeader {
  std::uint32_t magic = kFrameMagic;
  std::uint16_t version = kProtocolVersion;
  MessageType type = MessageType::kPing;
  std::uint32_t request_id = 0;  ///< chosen by the client, repeated in every answer
  std::uint32_t payload_length = 0;

  std::array<std::uint8_t, kFrameHeaderBytes> encode() const;
  static FrameHeader decode(const std::array<std::uint8_t, kFrameHeaderBytes>& bytes);
};

}  // namespace bittern
