#include "host/base/phase.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace bittern {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;

/// Phases that write into a string, on a clock that the test turns.
struct Screen {
  std::ostringstream out;
  double time = 100.0;

  std::shared_ptr<Phases> phases(ProgressMode mode, bool terminal = false, bool lines = true) {
    PhaseOptions options;
    options.mode = mode;
    options.lines = lines;
    options.out = &out;
    options.terminal = terminal;
    options.now = [this] { return time; };
    return std::make_shared<Phases>(options);
  }
  /// What a terminal shows in its last line.
  std::string last_line() const {
    const std::string text = out.str();
    return text.substr(text.rfind("\r\x1b[K") == std::string::npos ? 0
                                                                   : text.rfind("\r\x1b[K") + 4);
  }
};

Meter meter(std::uint64_t total, const std::string& unit) {
  Meter meter;
  meter.total = total;
  meter.unit = unit;
  return meter;
}

TEST(Phases, EachIsALineWithItsTimeWhereThereIsNoTerminal) {
  Screen screen;
  const auto phases = screen.phases(ProgressMode::kAuto);
  {
    Phase phase(phases, "planning 8 layers", meter(8, "plans"));
    screen.time += 3.0;
    for (int i = 0; i < 8; ++i) phase.advance();
  }
  {
    Phase phase(phases, "simulating 8 layers", meter(1000, "cycles"));
    for (int i = 0; i < 100; ++i) {
      screen.time += 1.0;
      phase.advance(10);
    }
  }
  EXPECT_EQ(screen.out.str(), "[0:00] planning 8 layers\n[0:03] simulating 8 layers\n");
}

TEST(Phases, ACommandOfLessThanTwoSecondsSaysNothingWhereThereIsNoTerminal) {
  Screen screen;
  {
    const auto phases = screen.phases(ProgressMode::kAuto);
    { const Phase phase(phases, "planning"); }
    screen.time += 1.9;
    { const Phase phase(phases, "writing"); }
  }
  EXPECT_EQ(screen.out.str(), "");
}

TEST(Phases, LinesOfTheFirstSecondsComeLaterInTheirOrder) {
  Screen screen;
  const auto phases = screen.phases(ProgressMode::kAuto);
  { const Phase phase(phases, "planning"); }
  screen.time += 1.0;
  Phase phase(phases, "simulating");
  EXPECT_EQ(screen.out.str(), "");
  screen.time += 1.5;
  phase.advance();
  EXPECT_EQ(screen.out.str(), "[0:00] planning\n[0:01] simulating\n");
}

TEST(Phases, TheTerminalShowsThePhaseAtOnceAndThenItsMeter) {
  Screen screen;
  const auto phases = screen.phases(ProgressMode::kAuto, true);
  Phase phase(phases, "searching", meter(80, "episodes"));
  EXPECT_EQ(screen.last_line(), "[0:00] searching  0/80 episodes  0 %");
  screen.time += 4.0;
  phase.advance(8);
  phase.note("best reward 0.9");
  EXPECT_EQ(screen.last_line(), "[0:00] searching  8/80 episodes  10 %  2.00 episodes/s  ETA 0:36");
}

TEST(Phases, ALongPhaseLeavesALineOnTheTerminalAShortOneNone) {
  Screen screen;
  {
    const auto phases = screen.phases(ProgressMode::kAuto, true);
    { const Phase phase(phases, "planning"); }
    EXPECT_EQ(screen.last_line(), "");
    Phase phase(phases, "simulating");
    phase.result("8 layers");
    screen.time += 12.3;
  }
  EXPECT_THAT(screen.last_line(), EndsWith("[0:00] simulating: 8 layers, 12.3 s\n"));
}

TEST(Phases, NoLinesWhereTheLogHasThem) {
  Screen screen;
  const auto phases = screen.phases(ProgressMode::kAuto, false, false);
  const Phase phase(phases, "planning");
  screen.time += 10.0;
  const Phase next(phases, "simulating");
  EXPECT_EQ(screen.out.str(), "");
}

TEST(Phases, NothingWhenTheyAreOff) {
  for (const bool terminal : {false, true}) {
    Screen screen;
    const auto phases = screen.phases(ProgressMode::kOff, terminal);
    Phase phase(phases, "planning", meter(8, "plans"));
    screen.time += 100.0;
    phase.advance();
    EXPECT_EQ(screen.out.str(), "");
  }
}

TEST(Phases, ForcedMetersAreLinesTenSecondsApart) {
  Screen screen;
  const auto phases = screen.phases(ProgressMode::kOn);
  Phase phase(phases, "x", meter(1000, "layers"));
  for (int second = 0; second < 25; ++second) {
    screen.time += 1.0;
    phase.advance();
  }
  EXPECT_EQ(screen.out.str(),
            "[0:00] x\n[0:00] x  10/1000 layers  1 %  1.00 layers/s  ETA 16:30\n"
            "[0:00] x  20/1000 layers  2 %  1.00 layers/s  ETA 16:20\n");
}

TEST(Phases, PhasesWithinPhasesAreShownAsMetersOnly) {
  Screen screen;
  const auto phases = screen.phases(ProgressMode::kAuto);
  screen.time += 5.0;
  Phase outer(phases, "searching");
  { const Phase inner(phases, "simulating"); }
  EXPECT_EQ(screen.out.str(), "[0:05] searching\n");

  Screen terminal;
  const auto shown = terminal.phases(ProgressMode::kAuto, true);
  Phase search(shown, "searching");
  {
    const Phase inner(shown, "simulating");
    EXPECT_EQ(terminal.last_line(), "[0:00] simulating");
  }
  EXPECT_EQ(terminal.last_line(), "[0:00] searching");
}

TEST(Phases, CountFromSeveralThreads) {
  Screen screen;
  const auto phases = screen.phases(ProgressMode::kOn);
  Phase phase(phases, "x", meter(4000, "layers"));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&phase] {
      for (int i = 0; i < 999; ++i) phase.advance();
    });
  }
  for (auto& thread : threads) thread.join();
  screen.time += 20.0;
  phase.advance(4);
  EXPECT_THAT(screen.out.str(), HasSubstr("x  4000/4000 layers  100 %"));
}

TEST(Phase, WithoutPhasesNothingHappens) {
  Phase phase(nullptr, "planning", meter(8, "plans"));
  phase.advance();
  phase.note("x");
}

}  // namespace
}  // namespace bittern
