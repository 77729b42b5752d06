// What write_file() does with paths that are not those of regular files.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <iostream>
#include <thread>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/temporary_folder.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class OutputTest : public ::testing::Test {
 protected:
  struct stat info(const fs::path& path) const {
    struct stat result {};
    EXPECT_EQ(::lstat(path.c_str(), &result), 0) << path << ": " << std::strerror(errno);
    return result;
  }
  mode_t bits(const fs::path& path) const { return info(path).st_mode & 07777; }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  static Error error_of(const std::function<void()>& action) {
    try {
      action();
    } catch (const Error& error) {
      return error;
    }
    ADD_FAILURE() << "no error";
    return Error("none");
  }
  /// What `action` writes to standard output, which is a file meanwhile.
  std::string standard_output_of(const std::function<void()>& action) const {
    const fs::path file = folder_ / "standard_output";
    std::cout.flush();
    const int saved = ::dup(STDOUT_FILENO);
    const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    ::dup2(fd, STDOUT_FILENO);
    ::close(fd);
    try {
      action();
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
    std::cout.flush();
    ::dup2(saved, STDOUT_FILENO);
    ::close(saved);
    return read_file(file);
  }
  const TemporaryFolder temporary_;
  const fs::path folder_ = temporary_.path();
};

TEST_F(OutputTest, ALinkStaysAndItsTargetIsReplaced) {
  fs::create_directory(folder_ / "real");
  write_file(folder_ / "real" / "a", "old");
  fs::create_symlink("real/a", folder_ / "link");
  fs::create_symlink(folder_ / "link", folder_ / "link2");
  write_file(folder_ / "link2", "new");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link2"));
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_TRUE(S_ISREG(info(folder_ / "real" / "a").st_mode));
  EXPECT_EQ(read_file(folder_ / "real" / "a"), "new");
  EXPECT_EQ(files(), 3u);  // nothing is left behind
}

TEST_F(OutputTest, ALinkThatLeadsNowhereGetsItsFile) {
  fs::create_symlink("later/a", folder_ / "link");
  write_file(folder_ / "link", "content");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(read_file(folder_ / "later" / "a"), "content");
  // A folder that is a link is no obstacle either.
  fs::create_directory_symlink("later", folder_ / "folder");
  write_file(folder_ / "folder" / "b", "x");
  EXPECT_EQ(read_file(folder_ / "later" / "b"), "x");
}

TEST_F(OutputTest, LinksInACircleAreAnError) {
  fs::create_symlink("b", folder_ / "a");
  fs::create_symlink("a", folder_ / "b");
  EXPECT_THAT(error_of([&] { write_file(folder_ / "a", "x"); }).what(), HasSubstr("links"));
  EXPECT_TRUE(fs::is_symlink(folder_ / "a"));
}

TEST_F(OutputTest, PermissionBitsOfAReplacedFileAreKept) {
  write_file(folder_ / "a", "old");
  for (const mode_t mode : {0600u, 0664u, 0755u}) {
    ASSERT_EQ(::chmod((folder_ / "a").c_str(), mode), 0);
    write_file(folder_ / "a", "new");
    EXPECT_EQ(bits(folder_ / "a"), mode);
  }
}

TEST_F(OutputTest, ANewFileHasTheBitsOfNewFiles) {
  const mode_t before = ::umask(027);
  write_file(folder_ / "a", "x");
  ::umask(before);
  EXPECT_EQ(bits(folder_ / "a"), 0640u);
}

TEST_F(OutputTest, AProtectedFileIsNotReplaced) {
  write_file(folder_ / "a", "old");
  ASSERT_EQ(::chmod((folder_ / "a").c_str(), 0444), 0);
  // Root may write everything, so it becomes somebody else for a moment.
  constexpr uid_t kNobody = 65534;
  const bool root = ::geteuid() == 0;
  if (root) {
    ASSERT_EQ(::chown(folder_.c_str(), kNobody, kNobody), 0);
    ASSERT_EQ(::chown((folder_ / "a").c_str(), kNobody, kNobody), 0);
    ASSERT_EQ(::seteuid(kNobody), 0);
  }
  EXPECT_THROW(check_output_file(folder_ / "a"), Error);
  EXPECT_THROW(write_file(folder_ / "a", "new"), Error);
  EXPECT_NO_THROW(write_file(folder_ / "b", "new"));
  if (root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  EXPECT_EQ(read_file(folder_ / "a"), "old");
  EXPECT_EQ(files(), 2u);
}

TEST_F(OutputTest, APipeIsWrittenTo) {
  const fs::path pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const std::string content(100000, 'x');  // more than a pipe holds
  check_output_file(pipe);
  EXPECT_TRUE(is_stream(pipe));
  std::string got;
  std::thread reader([&] { got = read_file(pipe); });
  write_file(pipe, content);
  reader.join();
  EXPECT_EQ(got, content);
  EXPECT_TRUE(S_ISFIFO(info(pipe).st_mode));
}

TEST_F(OutputTest, ADeviceNodeIsWrittenTo) {
  const fs::path node = folder_ / "null";
  if (::mknod(node.c_str(), S_IFCHR | 0666, ::makedev(1, 3)) != 0) {
    GTEST_SKIP() << "no device nodes can be made here: " << std::strerror(errno);
  }
  const int fd = ::open(node.c_str(), O_WRONLY);
  if (fd < 0) GTEST_SKIP() << "device nodes cannot be used here: " << std::strerror(errno);
  ::close(fd);
  check_output_file(node);
  write_file(node, "content");
  EXPECT_TRUE(S_ISCHR(info(node).st_mode));
  fs::create_symlink("null", folder_ / "link");
  write_file(folder_ / "link", "content");
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_TRUE(S_ISCHR(info(node).st_mode));
}

TEST_F(OutputTest, TheNullAndTheFullDeviceStay) {
  write_file("/dev/null", "content");
  EXPECT_TRUE(S_ISCHR(info("/dev/null").st_mode));
  EXPECT_THAT(error_of([] { write_file("/dev/full", "content"); }).what(),
              HasSubstr("/dev/full: cannot write: No space left"));
  EXPECT_TRUE(S_ISCHR(info("/dev/full").st_mode));
}

TEST_F(OutputTest, AMinusIsStandardOutput) {
  const std::string got = standard_output_of([] {
    std::cout << "before ";
    check_output_file("-");
    write_file("-", "content");
    std::cout << " after";
  });
  EXPECT_EQ(got, "before content after");
  EXPECT_FALSE(fs::exists("-"));
}

TEST_F(OutputTest, NamesOfStandardOutputDoNotReplaceTheFileBehindIt) {
  for (const char* name : {"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}) {
    const std::string got = standard_output_of([&] {
      std::cout << "before ";
      EXPECT_TRUE(is_standard_output(name));
      check_output_file(name);
      write_file(name, "content");
      std::cout << " after";
    });
    EXPECT_EQ(got, "before content after") << name;
  }
  EXPECT_FALSE(is_standard_output("/dev/stderr"));
  EXPECT_TRUE(is_stream("/dev/stderr"));
  EXPECT_FALSE(is_standard_output(folder_ / "1"));
  EXPECT_FALSE(is_stream(folder_ / "1"));
}

TEST_F(OutputTest, AFileCalledMinusHasAFolderBeforeIt) {
  write_file(folder_ / "-", "content");
  EXPECT_EQ(read_file(folder_ / "-"), "content");
}

TEST_F(OutputTest, AFolderIsWrongUsage) {
  fs::create_directory_symlink(folder_, folder_ / "link");
  for (const fs::path& path : {folder_, folder_ / "link", fs::path("."), folder_ / ".."}) {
    for (const Error& error :
         {error_of([&] { write_file(path, "x"); }), error_of([&] { check_output_file(path); })}) {
      EXPECT_THAT(error.what(), HasSubstr("is a folder")) << path;
      EXPECT_EQ(error.status(), ExitStatus::kUsage) << path;
    }
  }
  for (const fs::path& path : {folder_ / "", folder_ / "new" / "", fs::path()}) {
    EXPECT_EQ(error_of([&] { write_file(path, "x"); }).status(), ExitStatus::kUsage) << path;
  }
  EXPECT_EQ(files(), 1u);
}

TEST_F(OutputTest, WhatCannotBeWrittenIsKnownBefore) {
  write_file(folder_ / "file", "x");
  check_output_file(folder_ / "new");
  check_output_file(folder_ / "new" / "folders" / "file");
  EXPECT_EQ(files(), 1u);
  EXPECT_THROW(check_output_file(folder_ / "file" / "a"), Error);
  EXPECT_THROW(write_file(folder_ / "file" / "a", "x"), Error);
  EXPECT_THROW(write_file("/proc/bittern", "x"), Error);
}

}  // namespace
}  // namespace bittern
