// A device without hardware, for the tests of host/device. Environment variables make it misbehave:
//   BITTERN_FAKE_START   exit | silent | noise   what it does instead of serving
//   BITTERN_FAKE_HASH    its RTL hash, 16 digits
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "host/protocol/server.h"
#include "tests/host/device/fake_variant.h"
#include "tests/host/protocol/fake_backend.h"

namespace {

using bittern::testing::LethalProgram;

/// Fake device whose programs can also kill it.
class LethalBackend : public bittern::testing::FakeBackend {
 protected:
  void special(std::uint64_t kind) override {
    std::fprintf(stderr, "fake device: first line\nfake device: something is wrong\n");
    std::fflush(stderr);
    switch (static_cast<LethalProgram>(kind)) {
      case LethalProgram::kExit:
        std::exit(3);
      case LethalProgram::kKilled:
        ::kill(::getpid(), SIGKILL);
        break;
      case LethalProgram::kSilent:
        while (true) ::pause();
      case LethalProgram::kTalkative:
        for (int i = 0; i < 500; ++i) std::fprintf(stderr, "line %d\n", i);
        std::exit(4);
      case LethalProgram::kKilledOnce: {
        // Only the first device that gets here dies of it.
        const char* marker = std::getenv("BITTERN_FAKE_MARKER");
        if (marker && ::access(marker, F_OK) != 0) {
          std::fclose(std::fopen(marker, "w"));
          ::kill(::getpid(), SIGKILL);
        }
        break;
      }
    }
  }
};

std::string setting(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

int main(int argc, char** argv) {
  const std::string start = setting("BITTERN_FAKE_START");
  if (start == "exit") {
    std::fprintf(stderr, "fake device: no licence for the simulator\n");
    return 5;
  }
  if (start == "silent") {
    while (true) ::pause();
  }
  if (start == "noise") {
    const char noise[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    if (::write(3, noise, sizeof noise) < 0) return 6;
    while (true) ::pause();
  }
  LethalBackend backend;
  const std::string hash = setting("BITTERN_FAKE_HASH");
  if (!hash.empty()) {
    backend.identity_.rtl_hash = hash;
    backend.registers_[bittern::registers::kRtlHashHi] =
        static_cast<std::uint32_t>(std::stoul(hash.substr(0, 8), nullptr, 16));
    backend.registers_[bittern::registers::kRtlHashLo] =
        static_cast<std::uint32_t>(std::stoul(hash.substr(8, 8), nullptr, 16));
  }
  return bittern::device_main(argc, argv, backend);
}
