#include "host/base/data_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "host/base/error.h"
#include "host/base/file.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

/// Message of the Error that `body` throws; fails the test when it throws none.
template <typename Body>
std::string message_of(Body body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return "";
}

TEST(FindDataFolder, GivenFolderIsTheOnlyPlaceAndTheErrorListsWhatWasTried) {
  const fs::path folder = fs::path(::testing::TempDir()) / "bittern_find_data";
  fs::remove_all(folder);
  fs::create_directories(folder);
  const std::string message = message_of([&] { find_data_folder("set", "part", folder); });
  EXPECT_THAT(message, HasSubstr((folder / "set" / "part").string()));
  EXPECT_THAT(message, HasSubstr((folder / "part").string()));
  EXPECT_THAT(message, ::testing::Not(HasSubstr("../shared")));
}

TEST(FindDataFolder, FindsPlainAndCompressedFilesInBothLayouts) {
  const fs::path folder = fs::path(::testing::TempDir()) / "bittern_find_data2";
  fs::remove_all(folder);
  write_file(folder / "part.gz", "x");
  EXPECT_EQ(find_data_folder("set", "part", folder), folder);
  write_file(folder / "set" / "part", "x");
  EXPECT_EQ(find_data_folder("set", "part", folder), folder / "set");
}

TEST(FindDataFolder, EnvironmentComesBeforeTheCurrentFolder) {
  const fs::path folder = fs::path(::testing::TempDir()) / "bittern_find_data3";
  fs::remove_all(folder);
  write_file(folder / "set" / "part", "x");
  ::setenv("BITTERN_DATA", folder.c_str(), 1);
  EXPECT_EQ(find_data_folder("set", "part", ""), folder / "set");
  const std::string message = message_of([] { find_data_folder("other", "nowhere", ""); });
  ::unsetenv("BITTERN_DATA");
  EXPECT_THAT(message, HasSubstr(folder.string()));
  EXPECT_THAT(message, HasSubstr("shared/data"));
}

}  // namespace
}  // namespace bittern
