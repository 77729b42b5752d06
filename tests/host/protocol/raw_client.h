#pragma once

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <future>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "host/protocol/frame.h"
#include "host/protocol/messages.h"
#include "host/protocol/server.h"

namespace bittern::testing {

inline constexpr std::chrono::milliseconds kPatience{20000};

/// A frame as it came.
struct Frame {
  FrameHeader header;
  std::vector<std::uint8_t> payload;
};

/// Header of a correct frame.
inline FrameHeader header_of(MessageType type, std::uint32_t id, std::size_t length) {
  FrameHeader header;
  header.type = type;
  header.request_id = id;
  header.payload_length = static_cast<std::uint32_t>(length);
  return header;
}

/// A whole frame as bytes.
inline std::vector<std::uint8_t> frame_bytes(const FrameHeader& header,
                                             const std::vector<std::uint8_t>& payload) {
  const auto head = header.encode();
  std::vector<std::uint8_t> bytes(head.begin(), head.end());
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return bytes;
}

/// Next frame; nothing at the end of the stream.
inline std::optional<Frame> receive_frame(Connection& connection) {
  Frame frame;
  std::array<std::uint8_t, kFrameHeaderBytes> bytes{};
  try {
    if (!connection.receive(bytes, kPatience)) return std::nullopt;
  } catch (const ConnectionError& error) {
    if (error.kind() == ConnectionError::Kind::kTimeout) throw;
    return std::nullopt;  // closed with something of ours unread
  }
  frame.header = FrameHeader::decode(bytes);
  EXPECT_EQ(frame.header.magic, kFrameMagic);
  EXPECT_EQ(frame.header.version, kProtocolVersion);
  frame.payload.resize(frame.header.payload_length);
  if (!frame.payload.empty()) connection.receive(MutableBytes(frame.payload), kPatience);
  return frame;
}

/// serve() in a thread of its own. The test fails when it does not return in time.
class ServerThread {
 public:
  ServerThread(Connection connection, DeviceBackend& backend, const ServeOptions& options = {})
      : connection_(std::make_unique<Connection>(std::move(connection))),
        end_(std::async(std::launch::async, [this, &backend, options] {
          const ServeEnd end = serve(*connection_, backend, options);
          connection_->close();
          return end;
        })) {}

  /// How serve() ended.
  ServeEnd end() {
    if (end_.wait_for(kPatience) != std::future_status::ready) {
      ADD_FAILURE() << "serve() hangs";
      std::abort();  // its thread could never be joined
    }
    return end_.get();
  }

 private:
  std::unique_ptr<Connection> connection_;
  std::future<ServeEnd> end_;
};

}  // namespace bittern::testing
