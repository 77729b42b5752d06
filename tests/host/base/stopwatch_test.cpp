#include "host/base/stopwatch.h"

#include <gtest/gtest.h>

namespace bittern {
namespace {

TEST(Stopwatch, BeginsAnewWithEveryLap) {
  Stopwatch whole;
  Stopwatch laps;
  double sum = 0.0;
  for (int i = 0; i < 100; ++i) {
    const double lap = laps.lap();
    EXPECT_GE(lap, 0.0);
    sum += lap;
  }
  EXPECT_LE(sum, whole.seconds());
}

}  // namespace
}  // namespace bittern
