#include "host/evaluator/answers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "host/base/error.h"
#include "host/base/random.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;

/// Answers of two networks of which the first `both` are right in both, the next `first` in the
/// first one only, the next `second` in the second one only, of `images`.
std::pair<Answers, Answers> pair_of(std::size_t images, std::size_t both, std::size_t first,
                                    std::size_t second) {
  std::vector<bool> a(images);
  std::vector<bool> b(images);
  for (std::size_t i = 0; i < both + first + second; ++i) {
    a[i] = i < both + first;
    b[i] = i < both || i >= both + first;
  }
  return {Answers(a), Answers(b)};
}

PairedDifference difference(std::size_t images, std::size_t both, std::size_t first,
                            std::size_t second) {
  const auto [a, b] = pair_of(images, both, first, second);
  return paired_difference(a, b);
}

TEST(Answers, AreWrittenFourADigitAndReadBack) {
  EXPECT_EQ(Answers({true, false, false, false, true, true}).text(), "6:8c");
  EXPECT_EQ(Answers().text(), "");
  EXPECT_TRUE(Answers::parse("").empty());
  Rng rng(5);
  for (int round = 0; round < 50; ++round) {
    std::vector<bool> correct;
    for (std::int64_t i = rng.integer(1, 40); i > 0; --i) correct.push_back(rng.integer(0, 1) == 1);
    EXPECT_EQ(Answers::parse(Answers(correct).text()), Answers(correct));
  }
}

TEST(Answers, RefuseTextThatIsNoneOfTheirs) {
  for (const char* text : {"8", ":ff", "8:f", "8:fff", "8:fg", "8:FF", "0:", "-4:f", "6:8d", "x",
                           "99999999999999999999:ff", "999999999:ff"}) {
    EXPECT_THROW(Answers::parse(text), Error) << text;
  }
}

TEST(StandardError, IsTheBinomialOne) {
  EXPECT_NEAR(accuracy_standard_error(50.0, 100), 5.0, 1e-12);
  EXPECT_NEAR(accuracy_standard_error(97.45, 2000), 100 * std::sqrt(0.9745 * 0.0255 / 2000), 1e-12);
  EXPECT_EQ(accuracy_standard_error(50.0, 0), 0.0);
}

TEST(StandardError, DoesNotClaimCertaintyWhereAllAnswersAreRightOrWrong) {
  EXPECT_NEAR(accuracy_standard_error(100.0, 1000), 0.1, 0.001);
  EXPECT_NEAR(accuracy_standard_error(0.0, 1000), 0.1, 0.001);
}

TEST(PairedDifference, IsThatOfAWorkedExample) {
  // Airway hyper-responsiveness before and after transplantation (Bentur et al. 2009), the example
  // of Fagerland, Lydersen and Laake (2014): of 21 patients 1 and 7 changed. By hand: 2/23 - 8/23
  // -+ 1.96 sqrt((10/23 - (6/23)^2) / 23).
  const PairedDifference d = difference(21, 1, 1, 7);
  EXPECT_EQ(d.only_first, 1u);
  EXPECT_EQ(d.only_second, 7u);
  EXPECT_NEAR(d.points, -100 * 6.0 / 21, 1e-9);
  EXPECT_NEAR(d.low, -50.8, 0.05);
  EXPECT_NEAR(d.high, -1.3, 0.05);
  EXPECT_TRUE(d.second_is_better());
  EXPECT_FALSE(d.first_is_better());
}

TEST(PairedDifference, CountsOnlyImagesOnWhichTheTwoDisagree) {
  const PairedDifference few = difference(2000, 1000, 12, 2);
  const PairedDifference many = difference(2000, 1900, 12, 2);
  EXPECT_EQ(few.low, many.low);
  EXPECT_EQ(few.high, many.high);
  EXPECT_NEAR(few.points, 0.5, 1e-9);
  EXPECT_TRUE(few.first_is_better());
  // The same half a point with many that disagree shows nothing.
  const PairedDifference noisy = difference(2000, 1000, 60, 50);
  EXPECT_NEAR(noisy.points, 0.5, 1e-9);
  EXPECT_FALSE(noisy.first_is_better());
  EXPECT_FALSE(noisy.second_is_better());
}

TEST(PairedDifference, OfEqualAnswersIsNotCertainlyZero) {
  const PairedDifference d = difference(100, 90, 0, 0);
  EXPECT_EQ(d.points, 0.0);
  EXPECT_LT(d.low, -0.5);
  EXPECT_GT(d.high, 0.5);
}

TEST(PairedDifference, TurnsAroundWithTheTwo) {
  const auto [a, b] = pair_of(500, 400, 30, 11);
  const PairedDifference forth = paired_difference(a, b);
  const PairedDifference back = paired_difference(b, a);
  EXPECT_NEAR(forth.points, -back.points, 1e-12);
  EXPECT_NEAR(forth.low, -back.high, 1e-12);
}

TEST(PairedDifference, HoldsTheTrueDifferenceAboutNineteenTimesInTwenty) {
  Rng rng(17);
  const double only_first = 0.03;
  const double only_second = 0.01;
  int held = 0;
  const int rounds = 2000;
  for (int round = 0; round < rounds; ++round) {
    std::vector<bool> a;
    std::vector<bool> b;
    for (int i = 0; i < 400; ++i) {
      const double u = rng.uniform();
      a.push_back(u >= only_second);
      b.push_back(u < only_second || u >= only_first + only_second);
    }
    const PairedDifference d = paired_difference(Answers(a), Answers(b));
    const double truth = 100 * (only_first - only_second);
    if (d.low <= truth && truth <= d.high) ++held;
  }
  EXPECT_GT(held, rounds * 0.935);
  EXPECT_LT(held, rounds * 0.975);
}

TEST(PairedDifference, NeedsTheSameImages) {
  try {
    paired_difference(Answers({true}), Answers({true, false}));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("1 and 2 images"));
  }
  EXPECT_THROW(paired_difference(Answers(), Answers()), Error);
}

}  // namespace
}  // namespace bittern
