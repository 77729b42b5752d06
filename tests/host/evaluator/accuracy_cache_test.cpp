#include "host/evaluator/accuracy_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "host/base/error.h"
#include "host/base/file.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class AccuracyCacheTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              ("bittern_cache_" +
               std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(folder_);
    path_ = folder_ / "deep" / "accuracy.jsonl";
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path folder_;
  fs::path path_;
};

TEST_F(AccuracyCacheTest, RemembersToTheLastBit) {
  const Accuracy accuracy{100.0 / 3, 0.1 + 0.2};
  {
    AccuracyCache cache(path_);
    EXPECT_FALSE(cache.find("a").has_value());
    cache.insert("a", accuracy, {{4, 5}, {2, 8}});
    cache.insert("a", {1.0, 1.0}, {});  // the first one stays
  }
  const AccuracyCache cache(path_);
  ASSERT_TRUE(cache.find("a").has_value());
  EXPECT_EQ(cache.find("a")->top1, accuracy.top1);
  EXPECT_EQ(cache.find("a")->loss, accuracy.loss);
  EXPECT_EQ(cache.size(), 1u);
  EXPECT_THAT(read_file(path_), HasSubstr("[[4,5],[2,8]]"));
}

TEST_F(AccuracyCacheTest, RemembersOnHowManyImagesAPolicyWasRejected) {
  Accuracy rejected{12.5, 2.0};
  rejected.screened_images = 64;
  {
    AccuracyCache cache(path_);
    cache.insert("rejected", rejected, {});
    cache.insert("whole", {50.0, 1.0}, {});
  }
  const AccuracyCache cache(path_);
  EXPECT_EQ(cache.find("rejected")->screened_images, 64);
  EXPECT_EQ(cache.find("whole")->screened_images, 0);
}

TEST_F(AccuracyCacheTest, LineOfAKilledProcessIsCutOffAtAnyPlace) {
  {
    AccuracyCache cache(path_);
    cache.insert("a", {50, 1}, {});
    cache.insert("b", {60, 2}, {});
  }
  const std::string whole = read_file(path_);
  const std::size_t first = whole.find('\n') + 1;
  for (std::size_t size = first; size < whole.size(); ++size) {
    write_file(path_, whole.substr(0, size));
    AccuracyCache cache(path_);
    EXPECT_EQ(cache.size(), 1u);
    cache.insert("b", {60, 2}, {});
    EXPECT_EQ(read_file(path_), whole);
  }
}

TEST_F(AccuracyCacheTest, MalformedLineIsAnErrorWithItsNumber) {
  for (const char* line : {"{}", "[]", "nonsense", R"({"key":"b","top1":101,"loss":0})",
                           R"({"key":"b","top1":"50","loss":0})", R"({"key":7,"top1":5,"loss":0})",
                           R"({"key":"b","top1":5})", ""}) {
    write_file(path_, std::string(R"({"key":"a","top1":50,"loss":0})") + "\n" + line + "\n");
    try {
      const AccuracyCache cache(path_);
      ADD_FAILURE() << "accepted: " << line;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("accuracy.jsonl:2"));
    }
  }
}

TEST_F(AccuracyCacheTest, KeepsLossesThatAreNoFiniteNumbers) {
  const double inf = std::numeric_limits<double>::infinity();
  {
    AccuracyCache cache(path_);
    cache.insert("a", {10, std::nan("")}, {});
    cache.insert("b", {10, inf}, {});
  }
  EXPECT_THAT(read_file(path_), testing::Not(HasSubstr("null")));
  const AccuracyCache cache(path_);
  EXPECT_TRUE(std::isnan(cache.find("a")->loss));
  EXPECT_EQ(cache.find("b")->loss, inf);
}

TEST_F(AccuracyCacheTest, PassesOverLinesOfEarlierVersions) {
  write_file(path_, std::string(R"({"key":"a","top1":50,"loss":0.5,"policy":[[8,8]]})") + "\n" +
                        R"({"key":"b","top1":10,"loss":null,"policy":[[2,2]]})" + "\n");
  AccuracyCache cache(path_);
  EXPECT_EQ(cache.size(), 0u);
  cache.insert("a", {51, 0.25}, {{8, 8}});
  EXPECT_EQ(AccuracyCache(path_).find("a")->top1, 51);
}

TEST_F(AccuracyCacheTest, NoticesEveryChangedBit) {
  {
    AccuracyCache cache(path_, "some processor");
    cache.insert("a", {50, 1}, {{4, 5}});
  }
  const std::string whole = read_file(path_);
  for (std::size_t i = 0; i + 1 < whole.size(); ++i) {
    std::string changed = whole;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    write_file(path_, changed);
    EXPECT_THROW(AccuracyCache{path_}, Error) << changed;
  }
}

TEST_F(AccuracyCacheTest, SaysWhatAccuraciesWereComputedOn) {
  {
    AccuracyCache cache(path_, "here");
    EXPECT_THAT(cache.processors(), testing::IsEmpty());
    cache.insert("a", {50, 1}, {});
  }
  AccuracyCache cache(path_, "there");
  EXPECT_THAT(cache.processors(), testing::ElementsAre("here"));
  cache.insert("b", {50, 1}, {});
  EXPECT_THAT(cache.processors(), testing::ElementsAre("here", "there"));
}

TEST_F(AccuracyCacheTest, ManyProcessesMayWriteAtOnce) {
  constexpr int kProcesses = 4;
  constexpr int kEach = 25;
  std::vector<pid_t> children;
  for (int p = 0; p < kProcesses; ++p) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      int status = 0;
      try {
        AccuracyCache cache(path_);
        for (int i = 0; i < kEach; ++i) {
          cache.insert(std::to_string(p) + "-" + std::to_string(i), {50, 1}, {{8, 8}});
        }
      } catch (const std::exception&) {
        status = 1;
      }
      ::_exit(status);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(AccuracyCache(path_).size(), static_cast<std::size_t>(kProcesses * kEach));
}

TEST_F(AccuracyCacheTest, WithoutAPathNothingIsWritten) {
  AccuracyCache cache("");
  cache.insert("a", {50, 1}, {});
  EXPECT_TRUE(cache.find("a").has_value());
}

TEST_F(AccuracyCacheTest, UnusablePathIsAnError) {
  write_file(folder_ / "file", "");
  EXPECT_THROW(AccuracyCache(folder_ / "file" / "cache"), Error);
  EXPECT_THROW(AccuracyCache cache(folder_), Error);
}

}  // namespace
}  // namespace bittern
