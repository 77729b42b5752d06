#include <gmock/gmock.h>

#include "host/base/error.h"
#include "host/protocol/registers.h"
#include "tests/sim/device_fixture.h"

namespace bittern::sim {
namespace {

using ShellTest = DeviceTest;

TEST_F(ShellTest, EndOnlyProgramTakesTheLatencyOfOneFetch) {
  device();
  const RunResult result = run({{0, 0}});
  EXPECT_EQ(result.status, RunStatus::kDone);
  // clear, range check, request, address accepted; latency; two beats; END seen; idle seen.
  EXPECT_EQ(result.cycles, 3 + kLatency + 4);
}

}  // namespace
}  // namespace bittern::sim
