#include "host/base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <thread>

#include "host/base/error.h"
#include "host/base/temporary_folder.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class FileTest : public ::testing::Test {
 protected:
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  TemporaryFolder temporary_;
  const fs::path folder_ = temporary_.path();
};

TEST_F(FileTest, WhatIsWrittenIsReadBack) {
  const std::string content("line\n\0binary\xff", 13);
  write_file(folder_ / "new" / "a", content);
  EXPECT_EQ(read_file(folder_ / "new" / "a"), content);
  write_file(folder_ / "new" / "a", "");
  EXPECT_EQ(read_file(folder_ / "new" / "a"), "");
}

TEST_F(FileTest, ReadersNeverSeeAPart) {
  const fs::path path = folder_ / "a";
  const std::string one(200000, '1');
  const std::string two(300000, '2');
  write_file(path, one);
  std::thread writer([&] {
    for (int i = 0; i < 40; ++i) write_file(path, i % 2 == 0 ? two : one);
  });
  for (int i = 0; i < 200; ++i) {
    const std::string seen = read_file(path);
    EXPECT_TRUE(seen == one || seen == two) << "size " << seen.size();
  }
  writer.join();
  EXPECT_EQ(files(), 1u);
}

TEST_F(FileTest, AFullDiskLeavesTheOldFileAndNothingElse) {
  const fs::path path = folder_ / "a";
  write_file(path, "old");
  // A limit on file sizes acts like a full disk.
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{1000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_THROW(write_file(path, std::string(5000, 'x')), Error);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(files(), 1u);
}

TEST_F(FileTest, AppendAddsWholeLines) {
  append_line(folder_ / "log", "one");
  append_line(folder_ / "log", "two");
  EXPECT_EQ(read_file(folder_ / "log"), "one\ntwo\n");
}

TEST_F(FileTest, ErrorsNameThePath) {
  const auto message = [](auto action) -> std::string {
    try {
      action();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message([&] { read_file(folder_ / "none"); }), HasSubstr("none: cannot open"));
  EXPECT_THAT(message([&] { read_file(folder_); }), HasSubstr("is a folder"));
  write_file(folder_ / "big", std::string(100, 'x'));
  EXPECT_THAT(message([&] { read_file(folder_ / "big", 99); }), HasSubstr("larger than 99"));
  EXPECT_EQ(read_file(folder_ / "big", 100).size(), 100u);
  EXPECT_THAT(message([&] { write_file(folder_ / "big" / "a", "x"); }), HasSubstr("big"));
  EXPECT_THAT(message([&] { append_line(folder_ / "no" / "a", "x"); }), HasSubstr("no/a"));
}

TEST_F(FileTest, HomeFolderFollowsTheVariableAndRefusesAWrongOne) {
  EXPECT_TRUE(fs::exists(home_folder() / "configs" / "variants"));
  fs::create_directories(folder_ / "configs" / "variants");
  ::setenv("BITTERN_HOME", folder_.c_str(), 1);
  EXPECT_EQ(home_folder(), folder_);
  ::setenv("BITTERN_HOME", "/nonexistent", 1);
  EXPECT_THROW(home_folder(), Error);
  ::unsetenv("BITTERN_HOME");
}

}  // namespace
}  // namespace bittern
