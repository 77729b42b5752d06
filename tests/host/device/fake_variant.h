#pragma once

#include "host/variant/variant.h"
#include "tests/host/protocol/fake_backend.h"

namespace bittern::testing {

/// The variant that FakeBackend is.
inline Variant fake_variant() {
  Variant variant;
  variant.name = "fake";
  variant.core = "bismo";
  variant.rtl = {{"Dm", 2}, {"Dk", 64}, {"Dn", 4}};
  variant.memory.size_bytes = FakeBackend::kMemoryBytes;
  variant.memory.latency_cycles = 16;
  variant.memory.bytes_per_cycle = 8;
  variant.memory.outstanding = 4;
  return variant;
}

/// Programs of the fake device executable that end it, beside those of FakeProgram.
enum class LethalProgram : std::uint64_t {
  kExit = 100,
  kKilled = 101,
  kSilent = 102,
  kTalkative = 103,
  kKilledOnce = 104,
};

inline std::vector<std::uint8_t> fake_program(LethalProgram kind) {
  return fake_program(1000, static_cast<std::uint64_t>(kind));
}

}  // namespace bittern::testing
