// cmake/WriteRevision.cmake, which every build runs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "host/base/file.h"
#include "host/base/temporary_folder.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class RevisionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!shell("git --version") || !shell("cmake --version")) GTEST_SKIP() << "needs git and cmake";
    fs::create_directory(tree_);
  }
  static bool shell(const std::string& command) {
    return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
  }
  void git(const std::string& arguments) const {
    EXPECT_TRUE(shell("git -C " + tree_.string() +
                      " -c user.name=n -c user.email=e@example.org -c commit.gpgsign=false " +
                      arguments))
        << arguments;
  }
  /// What the program would say.
  std::string revision() const {
    EXPECT_TRUE(shell("cmake -DSOURCE_DIR=" + tree_.string() + " -DFILE=" + file_.string() +
                      " -P " + BITTERN_SOURCE_DIR + "/cmake/WriteRevision.cmake"));
    const std::string text = read_file(file_);
    EXPECT_THAT(text, HasSubstr("std::string bittern::source_revision()"));
    const std::size_t begin = text.find("return \"") + 8;
    return text.substr(begin, text.find('"', begin) - begin);
  }
  const TemporaryFolder folder_;
  const fs::path tree_ = folder_ / "tree";
  const fs::path file_ = folder_ / "revision.cpp";
};

TEST_F(RevisionTest, FollowsTheTreeAndTouchesTheFileOnlyWhenItChanges) {
  EXPECT_EQ(revision(), "unknown");
  git("init");
  EXPECT_EQ(revision(), "unknown");  // nothing is committed
  write_file(tree_ / "a", "1");
  git("add a");
  git("commit -m one");
  const std::string one = revision();
  EXPECT_THAT(one, MatchesRegex("[0-9a-f]+"));
  const fs::file_time_type before(fs::file_time_type::clock::now() - std::chrono::hours(1));
  fs::last_write_time(file_, before);
  EXPECT_EQ(revision(), one);
  EXPECT_EQ(fs::last_write_time(file_), before);
  write_file(tree_ / "a", "2");
  EXPECT_EQ(revision(), one + "-dirty");
  EXPECT_NE(fs::last_write_time(file_), before);
  git("commit -a -m two");
  EXPECT_NE(revision(), one);
}

TEST_F(RevisionTest, ATreeWithinAnotherProjectHasNotItsRevision) {
  git("init");
  write_file(tree_ / "a", "1");
  git("add a");
  git("commit -m one");
  fs::create_directory(tree_ / "inner");
  EXPECT_TRUE(shell("cmake -DSOURCE_DIR=" + (tree_ / "inner").string() + " -DFILE=" +
                    file_.string() + " -P " + BITTERN_SOURCE_DIR + "/cmake/WriteRevision.cmake"));
  EXPECT_THAT(read_file(file_), HasSubstr("\"unknown\""));
}

}  // namespace
}  // namespace bittern
