#include "host/base/progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <thread>

namespace bittern {
namespace {

using ::testing::HasSubstr;

struct Meter {
  std::ostringstream out;
  double time = 100.0;
  ProgressOptions options(ProgressMode mode) {
    ProgressOptions options;
    options.mode = mode;
    options.out = &out;
    options.now = [this] { return time; };
    return options;
  }
};

TEST(Progress, StaysQuietDuringTheFirstTwoSeconds) {
  Meter meter;
  Progress progress("layer", 10, meter.options(ProgressMode::kOn));
  meter.time += 1.9;
  progress.advance();
  EXPECT_EQ(meter.out.str(), "");
  meter.time += 0.2;
  progress.advance();
  EXPECT_THAT(meter.out.str(), HasSubstr("layer 2/10 20%"));
}

TEST(Progress, ShowsRateWorkAndTimeLeft) {
  Meter meter;
  ProgressOptions options = meter.options(ProgressMode::kOn);
  options.work_unit = "cycles";
  Progress progress("layer", 30, options);
  progress.note("best 0.9");
  meter.time += 5.0;
  progress.advance(10, 5000000);
  EXPECT_EQ(meter.out.str(), "layer 10/30 33%  2/s  1.00 Mcycles/s  ETA 0:10  best 0.9\n");
}

TEST(Progress, LinesAreTenSecondsApartWhereTheyCannotBeOverwritten) {
  Meter meter;
  Progress progress("x", 1000, meter.options(ProgressMode::kOn));
  for (int second = 0; second < 25; ++second) {
    meter.time += 1.0;
    progress.advance();
  }
  const std::string text = meter.out.str();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 3);
}

TEST(Progress, NothingWithoutATerminalUnlessForced) {
  Meter meter;
  Progress progress("x", 10, meter.options(ProgressMode::kAuto));
  meter.time += 100.0;
  progress.advance();
  EXPECT_EQ(meter.out.str(), "");
}

TEST(Progress, UnknownTotalHasNeitherPercentageNorTimeLeft) {
  Meter meter;
  Progress progress("x", 0, meter.options(ProgressMode::kOn));
  meter.time += 4.0;
  progress.advance(8);
  EXPECT_EQ(meter.out.str(), "x 8  2/s\n");
}

TEST(Progress, NothingAfterFinish) {
  Meter meter;
  Progress progress("x", 10, meter.options(ProgressMode::kOn));
  progress.finish();
  meter.time += 100.0;
  progress.advance();
  EXPECT_EQ(meter.out.str(), "");
}

TEST(Progress, CountsFromSeveralThreads) {
  Meter meter;
  ProgressOptions options = meter.options(ProgressMode::kOn);
  Progress progress("x", 4000, options);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&progress] {
      for (int i = 0; i < 999; ++i) progress.advance();
    });
  }
  for (auto& thread : threads) thread.join();
  meter.time += 10.0;
  progress.advance(4);
  EXPECT_THAT(meter.out.str(), HasSubstr("x 4000/4000 100%"));
}

TEST(ClockText, HasHoursOnlyWhenThereAreAny) {
  EXPECT_EQ(clock_text(7.4), "0:07");
  EXPECT_EQ(clock_text(750), "12:30");
  EXPECT_EQ(clock_text(11100), "3:05:00");
  EXPECT_EQ(clock_text(-1), "?");
}

}  // namespace
}  // namespace bittern
