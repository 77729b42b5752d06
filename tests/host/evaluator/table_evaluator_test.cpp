#include "host/evaluator/table_evaluator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/temporary_folder.h"
#include "tests/host/base/message_of.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;

class TableEvaluatorTest : public ::testing::Test {
 protected:
  TableEvaluatorTest() {
    network_.name = "two";
    network_.layers.resize(2);
  }
  TableEvaluator read(const std::string& text, bool missing_is_bad = false) {
    write_file(folder_ / "acc.csv", text);
    return {network_, folder_ / "acc.csv", 99.0, missing_is_bad};
  }
  std::string error_of(const std::string& text) {
    return message_of(ExitStatus::kUsage, [&] { read(text); });
  }

  Network network_;
  TemporaryFolder folder_;
};

TEST_F(TableEvaluatorTest, AnswersByWeightBitsWhateverTheActivationsAre) {
  TableEvaluator table = read("# a comment\nb0,b1,accuracy\n8,8,98.5\n2,4,90\n\n");
  EXPECT_EQ(table.size(), 2u);
  EXPECT_EQ(table.evaluate({{2, 8}, {4, 3}}).top1, 90.0);
  EXPECT_EQ(table.baseline().top1, 99.0);
}

TEST_F(TableEvaluatorTest, AnswersByBothKindsOfBits) {
  TableEvaluator table =
      read("\xef\xbb\xbfw0, a0, w1, a1, accuracy\r\n8,8,8,8,98.5\r\n8,4,8,8,97\r\n");
  EXPECT_EQ(table.evaluate({{8, 4}, {8, 8}}).top1, 97.0);
  try {
    table.evaluate({{8, 2}, {8, 8}});
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("no accuracy of the policy 8 2 8 8"));
  }
}

TEST_F(TableEvaluatorTest, AMissingPolicyIsBadOnRequest) {
  TableEvaluator table = read("b0,b1,accuracy\n8,8,98.5\n", true);
  EXPECT_EQ(table.evaluate({{2, 8}, {2, 8}}).top1, 0.0);
}

TEST_F(TableEvaluatorTest, FingerprintIsTheContentsNotTheFiles) {
  const std::string base = read("b0,b1,accuracy\n8,8,98.5\n2,2,50\n").fingerprint();
  EXPECT_EQ(read("b0,b1,accuracy\n2,2,50.0\n8,8,98.5\n").fingerprint(), base);
  EXPECT_NE(read("b0,b1,accuracy\n2,2,51\n8,8,98.5\n").fingerprint(), base);
  EXPECT_NE(read("b0,b1,accuracy\n8,8,98.5\n2,2,50\n", true).fingerprint(), base);
}

TEST_F(TableEvaluatorTest, RefusesWhatItCannotMean) {
  EXPECT_THAT(error_of("b0,accuracy\n8,98\n"), HasSubstr("b0,b1,accuracy or w0,a0,w1,a1,accuracy"));
  EXPECT_THAT(error_of("b0,b1,accuracy\n8,8\n"), HasSubstr("acc.csv:2: 2 fields; expected 3"));
  EXPECT_THAT(error_of("b0,b1,accuracy\n8,x,9\n"), HasSubstr("bitwidth"));
  EXPECT_THAT(error_of("b0,b1,accuracy\n8,17,9\n"), HasSubstr("bitwidth"));
  EXPECT_THAT(error_of("b0,b1,accuracy\n8,8,101\n"), HasSubstr("percent"));
  EXPECT_THAT(error_of("b0,b1,accuracy\n8,8,nan\n"), HasSubstr("percent"));
  EXPECT_THAT(error_of("b0,b1,accuracy\n8,8,9\n8,8,8\n"), HasSubstr("a second accuracy"));
  EXPECT_THAT(error_of("b0,b1,accuracy\n"), HasSubstr("no accuracy"));
  EXPECT_THAT(error_of(""), HasSubstr("no accuracy"));
  EXPECT_THAT(error_of("b0,b1,accuracy\n8,8,9,1\n"), HasSubstr("more than 3 columns"));
  EXPECT_THAT(error_of("b0,b1,accuracy\n8,\"8,9\n"), HasSubstr("quote that does not end"));
}

}  // namespace
}  // namespace bittern
