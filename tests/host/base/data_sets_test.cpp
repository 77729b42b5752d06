#include "host/base/data_sets.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>

#include "host/base/error.h"
#include "host/base/file.h"
#include "tests/host/base/message_of.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

DataSetInfo set_of(const std::string& file) {
  DataSetInfo info;
  info.name = "set";
  info.any_of = {file};
  return info;
}

TEST(DataSets, NamesAreUniqueAndAnUnknownOneNamesTheNearest) {
  std::set<std::string> names;
  for (const DataSetInfo& info : data_sets()) EXPECT_TRUE(names.insert(info.name).second);
  EXPECT_EQ(data_set("svhn").layout, "svhn");
  EXPECT_THAT(message_of([] { data_set("cifar1"); }), HasSubstr("did you mean 'cifar10'?"));
}

TEST(FindDataFolder, NamesThatManySetsHaveAreFoundInTheirOwnFolderOrTheGivenOne) {
  const fs::path folder = fs::path(::testing::TempDir()) / "bittern_find_data4";
  fs::remove_all(folder);
  write_file(folder / "part", "x");
  DataSetInfo info = set_of("part");
  info.own_names = false;
  EXPECT_EQ(find_data_folder(info, folder.string()), folder);
  ::setenv("BITTERN_DATA", folder.c_str(), 1);
  EXPECT_THROW(find_data_folder(info, ""), Error);
  write_file(folder / "set" / "part", "x");
  EXPECT_EQ(find_data_folder(info, ""), folder / "set");
  ::unsetenv("BITTERN_DATA");
}

TEST(FindDataFolder, AStarStandsForAnyText) {
  const fs::path folder = fs::path(::testing::TempDir()) / "bittern_find_data5";
  fs::remove_all(folder);
  write_file(folder / "part_1.bin.xz", "x");
  EXPECT_EQ(find_data_folder(set_of("part*.bin"), folder.string()), folder);
  EXPECT_THROW(find_data_folder(set_of("part*.mat"), folder.string()), Error);
}

TEST(FindDataFolder, GivenFolderIsTheOnlyPlaceAndTheErrorListsWhatWasTried) {
  const fs::path folder = fs::path(::testing::TempDir()) / "bittern_find_data";
  fs::remove_all(folder);
  fs::create_directories(folder);
  const std::string message =
      message_of([&] { find_data_folder(set_of("part"), folder.string()); });
  EXPECT_THAT(message, HasSubstr((folder / "set" / "part").string()));
  EXPECT_THAT(message, HasSubstr((folder / "part").string()));
  EXPECT_THAT(message, ::testing::Not(HasSubstr("../shared")));
}

TEST(FindDataFolder, FindsPlainAndCompressedFilesInBothLayouts) {
  const fs::path folder = fs::path(::testing::TempDir()) / "bittern_find_data2";
  fs::remove_all(folder);
  write_file(folder / "part.gz", "x");
  EXPECT_EQ(find_data_folder(set_of("part"), folder.string()), folder);
  write_file(folder / "set" / "part", "x");
  EXPECT_EQ(find_data_folder(set_of("part"), folder.string()), folder / "set");
}

TEST(FindDataFolder, EnvironmentComesBeforeTheCurrentFolder) {
  const fs::path folder = fs::path(::testing::TempDir()) / "bittern_find_data3";
  fs::remove_all(folder);
  write_file(folder / "set" / "part", "x");
  ::setenv("BITTERN_DATA", folder.c_str(), 1);
  EXPECT_EQ(find_data_folder(set_of("part"), ""), folder / "set");
  const std::string message = message_of([] { find_data_folder(set_of("nowhere"), ""); });
  ::unsetenv("BITTERN_DATA");
  EXPECT_THAT(message, HasSubstr(folder.string()));
  EXPECT_THAT(message, HasSubstr("shared/data"));
}

}  // namespace
}  // namespace bittern
