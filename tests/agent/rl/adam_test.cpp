#include "agent/rl/adam.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "host/base/random.h"

namespace bittern {
namespace {

/// Algorithm 1 of the paper in double precision, with its bias corrections written out.
TEST(Adam, StepsAsThePaperSays) {
  const AdamOptions step{0.01, 0.8, 0.95, 1e-6};
  constexpr std::size_t kSize = 37;  // not a multiple of any vector
  Rng rng(3);
  std::vector<float> mean(kSize, 0.0f);
  std::vector<float> square(kSize, 0.0f);
  std::vector<float> values(kSize);
  for (float& value : values) value = static_cast<float>(rng.normal());
  std::vector<double> m(kSize, 0.0);
  std::vector<double> v(kSize, 0.0);
  std::vector<double> expected(values.begin(), values.end());
  for (int t = 1; t <= 5; ++t) {
    std::vector<float> gradient(kSize);
    for (float& value : gradient) value = static_cast<float>(rng.normal());
    gradient[4] = 0.0f;
    adam_step(step, t, kSize, gradient.data(), mean.data(), square.data(), values.data());
    for (std::size_t i = 0; i < kSize; ++i) {
      m[i] = 0.8 * m[i] + 0.2 * gradient[i];
      v[i] = 0.95 * v[i] + 0.05 * gradient[i] * gradient[i];
      const double corrected = m[i] / (1.0 - std::pow(0.8, t));
      const double size = std::sqrt(v[i] / (1.0 - std::pow(0.95, t)));
      expected[i] -= 0.01 * corrected / (size + 1e-6);
      EXPECT_NEAR(values[i], expected[i], 1e-6) << t << " " << i;
    }
  }
}

TEST(MoveTowards, TakesAShareOfTheSource) {
  std::vector<float> target = {1.0f, -2.0f, 0.5f};
  const std::vector<float> source = {3.0f, 2.0f, 0.5f};
  move_towards(0.25f, 3, source.data(), target.data());
  EXPECT_EQ(target, (std::vector<float>{1.5f, -1.0f, 0.5f}));
}

}  // namespace
}  // namespace bittern
