#include "host/base/zoo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/temporary_folder.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

YamlNode value_of(const fs::path& file, const std::string& text) {
  return YamlMap(YamlNode::parse("key: " + text + "\n", file.string()), {"key"}).at("key");
}

std::string name_error(const std::string& text) {
  try {
    file_name_of(value_of("x.yaml", text));
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::kUsage);
    return error.what();
  }
  ADD_FAILURE() << "accepted: " << text;
  return "";
}

TEST(FileNameOf, TakesWhatFoldersAreCalled) {
  for (const char* name : {"lenet", "a.b", "four bits", "x-1_2", "...", "Ünïcode", "0"}) {
    EXPECT_EQ(file_name_of(value_of("x.yaml", std::string("\"") + name + "\"")), name);
  }
}

TEST(FileNameOf, RefusesWhatWouldLeadElsewhereOrNowhere) {
  EXPECT_THAT(name_error("\".\""), AllOf(HasSubstr("x.yaml:1"), HasSubstr("folder already")));
  EXPECT_THAT(name_error("\"..\""), HasSubstr("folder already"));
  EXPECT_THAT(name_error("../../escape"), HasSubstr("slash"));
  EXPECT_THAT(name_error("/root"), HasSubstr("slash"));
  EXPECT_THAT(name_error("\"-rf\""), HasSubstr("like an option"));
  EXPECT_THAT(name_error("\"a\\nb\""), HasSubstr("control character"));
  EXPECT_THAT(name_error("\"a\\x85\""), HasSubstr("control character"));
  EXPECT_THAT(name_error("\"a\\x7f\""), HasSubstr("control character"));
  EXPECT_THAT(name_error("\" a\""), HasSubstr("blank"));
  EXPECT_THAT(name_error("\"a \""), HasSubstr("blank"));
  EXPECT_THAT(name_error("\"\""), HasSubstr("empty"));
  EXPECT_THAT(name_error(std::string(101, 'a')), HasSubstr("101 bytes"));
}

TEST(ZooReference, KeepsNamesAndTakesPathsFromTheFolderOfTheFile) {
  const TemporaryFolder folder;
  write_file(folder / "sub" / "net.yaml", "x");
  const fs::path file = folder / "sub" / "campaign.yaml";
  EXPECT_EQ(zoo_reference("networks", value_of(file, "lenet")), "lenet");
  EXPECT_EQ(zoo_reference("networks", value_of(file, "net.yaml")),
            (folder / "sub" / "net.yaml").string());
  EXPECT_EQ(zoo_reference("networks", value_of(file, "../sub/net.yaml")),
            (folder / "sub" / ".." / "sub" / "net.yaml").string());
  const std::string absolute = (folder / "sub" / "net.yaml").string();
  EXPECT_EQ(zoo_reference("networks", value_of("elsewhere.yaml", absolute)), absolute);
}

TEST(ZooReference, SaysWhereAMissingFileWasLookedFor) {
  const TemporaryFolder folder;
  try {
    zoo_reference("networks", value_of(folder / "c.yaml", "none.yaml"));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("c.yaml:1: key: "), HasSubstr("no such file"),
                      HasSubstr((folder / "none.yaml").string()), HasSubstr("folder of the file")));
  }
}

TEST(FileOf, CountsFromTheFolderOfTheFile) {
  EXPECT_EQ(file_of(value_of("a/b.yaml", "c.csv")), "a/c.csv");
  EXPECT_EQ(file_of(value_of("b.yaml", "c.csv")), "c.csv");
  EXPECT_EQ(file_of(value_of("a/b.yaml", "/c.csv")), "/c.csv");
}

TEST(CheckpointFile, IsBesideTheFileOrInTheFolderOfModels) {
  const TemporaryFolder folder;
  fs::create_directory(folder / "models");
  fs::create_directory(folder / "campaigns");
  const fs::path file = folder / "campaigns" / "c.yaml";
  write_file(folder / "models" / "w.safetensors", "");
  ::setenv("BITTERN_MODELS", (folder / "models").c_str(), 1);
  EXPECT_EQ(checkpoint_file(value_of(file, "w.safetensors")), folder / "models" / "w.safetensors");
  write_file(folder / "campaigns" / "w.safetensors", "");
  EXPECT_EQ(checkpoint_file(value_of(file, "w.safetensors")),
            folder / "campaigns" / "w.safetensors");
  // With a folder it is that file and no other.
  EXPECT_THROW(checkpoint_file(value_of(file, "other/w.safetensors")), Error);
  try {
    checkpoint_file(value_of(file, "missing.safetensors"));
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::kUsage);
    EXPECT_THAT(error.what(),
                AllOf(HasSubstr("c.yaml:1"), HasSubstr("no checkpoint missing.safetensors"),
                      HasSubstr((folder / "models" / "missing.safetensors").string())));
  }
  ::unsetenv("BITTERN_MODELS");
}

}  // namespace
}  // namespace bittern
