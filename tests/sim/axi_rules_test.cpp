// The AXI rule checkers against a master that breaks the rules one by one, and against one that
// keeps them.
#include <gmock/gmock.h>

#include "host/base/error.h"
#include "tests/sim/probe.h"

namespace bittern::sim {
namespace {

using probe::Line;
using testing::HasSubstr;

class AxiRulesTest : public DeviceTest {
 protected:
  /// Runs the script and expects the error of a broken rule, after which the device works again.
  void expect_violation(const std::vector<Line>& lines, const std::string& rule) {
    try {
      run(probe::script(lines), 2000);
      ADD_FAILURE() << "no violation of: " << rule;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("AXI rule broken"));
      EXPECT_THAT(error.what(), HasSubstr(rule));
    }
    EXPECT_EQ(run({probe::count(1), probe::end()}).status, RunStatus::kDone);
  }

  static Line read(std::uint32_t address, std::uint32_t beats) {
    Line line;
    line.arvalid = true;
    line.address = address;
    line.length = beats - 1;
    return line;
  }
  static Line write(std::uint32_t address, std::uint32_t beats) {
    Line line;
    line.awvalid = true;
    line.address = address;
    line.length = beats - 1;
    return line;
  }
  static Line data(std::uint64_t value, bool last) {
    Line line;
    line.wvalid = true;
    line.data = value;
    line.wlast = last;
    return line;
  }
};

TEST_F(AxiRulesTest, RightBurstsPassAndDataArrives) {
  device();
  const RunResult result = run(probe::script(
      {read(0x400, 16), write(0x800, 2), data(0x1122334455667788, false), data(42, true)}));
  EXPECT_EQ(result.status, RunStatus::kDone);
  std::vector<std::uint64_t> words(2);
  device_->read_memory(0x800, MutableBytes(reinterpret_cast<std::uint8_t*>(words.data()), 16));
  EXPECT_EQ(words[0], 0x1122334455667788);
  EXPECT_EQ(words[1], 42);
}

TEST_F(AxiRulesTest, DroppedReadAddress) {
  device(kLatency, 8, 1);  // one burst in flight: the second address waits
  expect_violation({read(0, 1), read(8, 1), Line()}, "arvalid dropped before arready");
}

TEST_F(AxiRulesTest, ChangedReadAddress) {
  device(kLatency, 8, 1);
  expect_violation({read(0, 1), read(8, 1), read(16, 1)}, "address changed while waiting");
}

TEST_F(AxiRulesTest, ReadBurstAcrossItsBoundary) {
  device();  // 16 beats of 8 bytes
  expect_violation({read(0x1000 - 8, 2)}, "read burst crosses its address boundary");
}

TEST_F(AxiRulesTest, MisalignedReadAddress) {
  device();
  expect_violation({read(0x1004, 1)}, "read address is not aligned");
}

TEST_F(AxiRulesTest, DroppedWriteAddress) {
  device(kLatency, 8, 1);
  expect_violation({write(0, 1), write(8, 1), Line()}, "awvalid dropped before awready");
}

TEST_F(AxiRulesTest, ChangedWriteAddress) {
  device(kLatency, 8, 1);
  expect_violation({write(0, 1), write(8, 1), write(8, 2)}, "address changed while waiting");
}

TEST_F(AxiRulesTest, WriteBurstAcrossItsBoundary) {
  device();
  expect_violation({write(0x80 - 8, 2)}, "write burst crosses its address boundary");
}

TEST_F(AxiRulesTest, MisalignedWriteAddress) {
  device();
  expect_violation({write(0x1001, 1)}, "write address is not aligned");
}

TEST_F(AxiRulesTest, LastBeatTooEarly) {
  device();
  expect_violation({write(0, 3), data(1, false), data(2, true)}, "wlast on the wrong beat");
}

TEST_F(AxiRulesTest, LastBeatTooLate) {
  device();
  expect_violation({write(0, 2), data(1, false), data(2, false)}, "wlast on the wrong beat");
}

TEST_F(AxiRulesTest, DroppedWriteBeat) {
  device();  // no address yet: the beat has to wait
  expect_violation({data(1, true), Line()}, "wvalid dropped before wready");
}

TEST_F(AxiRulesTest, ChangedWriteBeat) {
  device();
  expect_violation({data(1, true), data(2, true)}, "write beat changed while waiting");
}

TEST_F(AxiRulesTest, FirstViolationIsReportedWithItsPort) {
  device();
  expect_violation({read(0x1004, 1), write(0x1001, 1)}, "AXI read port 0: read address");
}

}  // namespace
}  // namespace bittern::sim
