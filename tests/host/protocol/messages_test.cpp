#include "host/protocol/messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "host/base/random.h"

namespace bittern {
namespace {

using Payload = std::vector<std::uint8_t>;

/// A message with its decoder: every one has to reject what is not exactly itself.
struct Case {
  const char* name;
  Payload payload;
  std::function<void(Bytes)> decode;
};

DeviceIdentity some_identity() {
  DeviceIdentity identity;
  identity.kind = DeviceKind::kBoard;
  identity.variant = "bismo_edge";
  identity.core = "bismo";
  identity.parameters = {{"Dm", 8}, {"Offset", -3}};
  identity.memory = {{"latency_cycles", 16}};
  identity.memory_bytes = std::uint64_t{1} << 33;
  identity.rtl_hash = "00ff";
  identity.tools = {{"verilator", "5.006"}, {"empty", ""}};
  return identity;
}

std::vector<Case> cases() {
  RunResult result;
  result.status = RunStatus::kFault;
  result.counters = {1, 2, 3};
  return {
      {"hello", encode_hello("client"), [](Bytes b) { decode_hello(b); }},
      {"identity", encode_identity(some_identity()), [](Bytes b) { decode_identity(b); }},
      {"memory_range", encode_memory_range({1, 2}), [](Bytes b) { decode_memory_range(b); }},
      {"words", encode_words({1, 2, 3}), [](Bytes b) { decode_words(b); }},
      {"register_writes", encode_register_writes({{0, 1}, {4, 2}}),
       [](Bytes b) { decode_register_writes(b); }},
      {"run", encode_run({16, 1, 2, 3}), [](Bytes b) { decode_run(b); }},
      {"run_result", encode_run_result(result), [](Bytes b) { decode_run_result(b); }},
      {"progress", encode_progress(5), [](Bytes b) { decode_progress(b); }},
      {"trace", encode_trace({"a.fst", 1, 2}), [](Bytes b) { decode_trace(b); }},
      {"error", encode_error({WireError::kFailed, "text"}), [](Bytes b) { decode_error(b); }},
  };
}

TEST(Frame, HeaderIsLittleEndianAndRoundTrips) {
  FrameHeader header;
  header.type = MessageType::kRun;
  header.request_id = 0x01020304;
  header.payload_length = 0x0a0b0c0d;
  const auto bytes = header.encode();
  EXPECT_THAT(bytes, ::testing::ElementsAre('B', 'T', 'D', 'P', 1, 0, 6, 0, 4, 3, 2, 1, 0x0d, 0x0c,
                                            0x0b, 0x0a));
  const FrameHeader back = FrameHeader::decode(bytes);
  EXPECT_EQ(back.magic, kFrameMagic);
  EXPECT_EQ(back.version, kProtocolVersion);
  EXPECT_EQ(back.type, header.type);
  EXPECT_EQ(back.request_id, header.request_id);
  EXPECT_EQ(back.payload_length, header.payload_length);
}

TEST(Messages, IdentityRoundTrips) {
  const DeviceIdentity identity = some_identity();
  const DeviceIdentity back = decode_identity(encode_identity(identity));
  EXPECT_EQ(back.kind, identity.kind);
  EXPECT_EQ(back.variant, identity.variant);
  EXPECT_EQ(back.core, identity.core);
  EXPECT_EQ(back.parameters, identity.parameters);
  EXPECT_EQ(back.memory, identity.memory);
  EXPECT_EQ(back.memory_bytes, identity.memory_bytes);
  EXPECT_EQ(back.rtl_hash, identity.rtl_hash);
  EXPECT_EQ(back.tools, identity.tools);
}

TEST(Messages, NumbersRoundTripOverTheirWholeRange) {
  Rng rng(11);
  for (int i = 0; i < 200; ++i) {
    RunRequest run{rng.next(), static_cast<std::uint32_t>(rng.next()), rng.next(), rng.next()};
    const RunRequest run_back = decode_run(encode_run(run));
    EXPECT_EQ(run_back.program_address, run.program_address);
    EXPECT_EQ(run_back.instruction_count, run.instruction_count);
    EXPECT_EQ(run_back.mem_limit, run.mem_limit);
    EXPECT_EQ(run_back.cycle_limit, run.cycle_limit);

    RunResult result;
    result.status = static_cast<RunStatus>(rng.integer(0, 2));
    result.cycles = rng.next();
    result.error_code = static_cast<std::uint32_t>(rng.next());
    result.error_info = static_cast<std::uint32_t>(rng.next());
    result.counters.resize(static_cast<std::size_t>(rng.integer(0, 60)));
    for (auto& counter : result.counters) counter = rng.next();
    const RunResult back = decode_run_result(encode_run_result(result));
    EXPECT_EQ(back.status, result.status);
    EXPECT_EQ(back.cycles, result.cycles);
    EXPECT_EQ(back.error_code, result.error_code);
    EXPECT_EQ(back.error_info, result.error_info);
    EXPECT_EQ(back.counters, result.counters);

    std::vector<std::uint32_t> words(static_cast<std::size_t>(rng.integer(0, 40)));
    for (auto& word : words) word = static_cast<std::uint32_t>(rng.next());
    EXPECT_EQ(decode_words(encode_words(words)), words);

    const TraceRequest trace{"/tmp/a b.fst", rng.next(), rng.next()};
    const TraceRequest trace_back = decode_trace(encode_trace(trace));
    EXPECT_EQ(trace_back.path, trace.path);
    EXPECT_EQ(trace_back.first_cycle, trace.first_cycle);
    EXPECT_EQ(trace_back.last_cycle, trace.last_cycle);
    EXPECT_EQ(decode_progress(encode_progress(trace.first_cycle)), trace.first_cycle);
  }
}

TEST(Messages, RegisterWritesKeepTheirOrder) {
  const std::vector<RegisterWrite> writes = {{8, 1}, {4, 2}, {8, 3}};
  EXPECT_EQ(decode_register_writes(encode_register_writes(writes)), writes);
}

TEST(Messages, MemoryWriteCarriesAddressAndBytes) {
  Payload payload = encode_write_address(0x1234);
  payload.insert(payload.end(), {9, 8, 7});
  const MemoryWrite write = decode_memory_write(payload);
  EXPECT_EQ(write.address, 0x1234u);
  EXPECT_EQ(Payload(write.data.begin(), write.data.end()), (Payload{9, 8, 7}));
  EXPECT_THROW(decode_memory_write(Bytes(payload.data(), 7)), ProtocolError);
}

TEST(Messages, EveryTruncationIsRejected) {
  for (const Case& c : cases()) {
    EXPECT_NO_THROW(c.decode(c.payload)) << c.name;
    for (std::size_t length = 0; length < c.payload.size(); ++length) {
      // A copy of just that size, so that a read beyond it is seen by AddressSanitizer.
      const Payload part(c.payload.begin(),
                         c.payload.begin() + static_cast<std::ptrdiff_t>(length));
      EXPECT_THROW(c.decode(part), ProtocolError) << c.name << " cut to " << length;
    }
  }
}

TEST(Messages, TrailingBytesAreRejected) {
  for (const Case& c : cases()) {
    Payload longer = c.payload;
    longer.push_back(0);
    EXPECT_THROW(c.decode(longer), ProtocolError) << c.name;
  }
}

TEST(Messages, HugeCountsAreRejectedBeforeAnythingIsAllocated) {
  const Payload huge = WireWriter().u32(0xffffffff).u32(1).bytes();
  EXPECT_THROW(decode_words(huge), ProtocolError);
  EXPECT_THROW(decode_register_writes(huge), ProtocolError);
  EXPECT_THROW(decode_hello(huge), ProtocolError);
  EXPECT_THROW(decode_trace(huge), ProtocolError);
  const Payload identity =
      WireWriter().u8(0).text("v").text("c").u32(0xfffffff0).u64(0).u64(0).bytes();
  EXPECT_THROW(decode_identity(identity), ProtocolError);
}

TEST(Messages, EnumerationsOutsideTheirRangeAreRejected) {
  Payload result = encode_run_result({});
  result[0] = 3;  // abandoned: never sent
  EXPECT_THROW(decode_run_result(result), ProtocolError);
  Payload identity = encode_identity(some_identity());
  identity[0] = 2;
  EXPECT_THROW(decode_identity(identity), ProtocolError);
}

TEST(Messages, RandomBytesNeverDoMoreThanThrow) {
  Rng rng(5);
  for (int i = 0; i < 3000; ++i) {
    Payload bytes(static_cast<std::size_t>(rng.integer(0, 80)));
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(rng.next() & (i % 2 ? 0xff : 0x03));
    for (const Case& c : cases()) {
      try {
        c.decode(bytes);
      } catch (const ProtocolError&) {
      }
    }
  }
}

TEST(Messages, LongErrorTextsAreCut) {
  const ErrorAnswer back =
      decode_error(encode_error({WireError::kRefused, std::string(99999, 'x')}));
  EXPECT_EQ(back.code, WireError::kRefused);
  EXPECT_EQ(back.message, std::string(16384, 'x'));
}

}  // namespace
}  // namespace bittern
