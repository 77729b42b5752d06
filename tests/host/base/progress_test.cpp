#include "host/base/progress.h"

#include <gtest/gtest.h>

#include <string>

namespace bittern {
namespace {

Meter meter(std::uint64_t done, std::uint64_t total, const std::string& unit) {
  Meter meter;
  meter.done = done;
  meter.total = total;
  meter.unit = unit;
  return meter;
}

TEST(MeterText, ShowsShareRateWithUnitAndTimeLeft) {
  Meter half = meter(10, 30, "layers");
  half.note = "best 0.9";
  EXPECT_EQ(meter_text("simulating", half, 5.0, 0),
            "simulating  10/30 layers  33 %  2.00 layers/s  ETA 0:10  best 0.9");
}

TEST(MeterText, LargeNumbersHaveAPrefix) {
  EXPECT_EQ(meter_text("simulating", meter(12100000, 88200000, "cycles"), 13.1, 0),
            "simulating  12.1 M/88.2 M cycles  13 %  924 k cycles/s  ETA 1:22");
}

TEST(MeterText, UnknownTotalHasNeitherPercentageNorTimeLeft) {
  EXPECT_EQ(meter_text("x", meter(8, 0, "plans"), 4.0, 0), "x  8 plans  2.00 plans/s");
}

TEST(MeterText, WithoutAUnitThereIsOnlyTheLabel) {
  EXPECT_EQ(meter_text("writing", Meter(), 4.0, 0), "writing");
}

TEST(MeterText, WhatWasDoneBeforeIsNoPartOfTheRate) {
  Meter resumed = meter(60, 80, "episodes");
  resumed.before = 50;
  EXPECT_EQ(meter_text("searching", resumed, 10.0, 0),
            "searching  60/80 episodes  75 %  1.00 episodes/s  ETA 0:20");
}

TEST(MeterText, ANarrowTerminalLeavesOutWhatComesLast) {
  Meter half = meter(10, 30, "layers");
  half.note = "best 0.9";
  EXPECT_EQ(meter_text("simulating", half, 5.0, 60),
            "simulating  10/30 layers  33 %  2.00 layers/s  ETA 0:10");
  EXPECT_EQ(meter_text("simulating", half, 5.0, 30), "simulating  10/30 layers  33 %");
  EXPECT_EQ(meter_text("simulating", half, 5.0, 8), "sim..ing");
}

TEST(RateText, ChoosesThePeriodInWhichThereIsAtLeastOne) {
  EXPECT_EQ(rate_text(2612.0, "episodes"), "2.61 k episodes/s");
  EXPECT_EQ(rate_text(0.924e6, "cycles"), "924 k cycles/s");
  EXPECT_EQ(rate_text(1.0, "layers"), "1.00 layers/s");
  EXPECT_EQ(rate_text(0.05, "episodes"), "3.0 episodes/min");
  EXPECT_EQ(rate_text(0.00125, "layers"), "4.5 layers/h");
}

TEST(CountText, IsExactWhileItIsShort) {
  EXPECT_EQ(count_text(9999), "9999");
  EXPECT_EQ(count_text(12100), "12.1 k");
}

TEST(ClockText, HasHoursOnlyWhenThereAreAny) {
  EXPECT_EQ(clock_text(7.4), "0:07");
  EXPECT_EQ(clock_text(750), "12:30");
  EXPECT_EQ(clock_text(11100), "3:05:00");
  EXPECT_EQ(clock_text(-1), "?");
}

}  // namespace
}  // namespace bittern
