#include "host/campaign/state_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/hash.h"
#include "host/base/temporary_folder.h"

namespace bittern {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(StateFile, GivesBackWhatWasWritten) {
  const TemporaryFolder folder;
  const json value = {{"a", {1, 2.5, "x"}}, {"b", nullptr}};
  write_state(folder / "s.json", value);
  EXPECT_EQ(read_state(folder / "s.json", ""), value);
}

TEST(StateFile, NoticesEveryChangedByte) {
  const TemporaryFolder folder;
  write_state(folder / "s.json", {{"validation", 98.25}, {"name", "x"}});
  const std::string whole = read_file(folder / "s.json");
  // The newline at the end is no content.
  for (std::size_t i = 0; i + 1 < whole.size(); ++i) {
    for (const int bit : {0, 5}) {
      std::string changed = whole;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      write_file(folder / "s.json", changed);
      try {
        read_state(folder / "s.json", "delete it");
        ADD_FAILURE() << "accepted: " << changed;
      } catch (const Error& error) {
        EXPECT_THAT(error.what(), AllOf(HasSubstr("s.json"), HasSubstr("delete it")));
      }
    }
  }
}

TEST(StateFile, ReadsFilesOfEarlierVersions) {
  const TemporaryFolder folder;
  write_file(folder / "s.json", R"({"validation":98.25,"test":97.5})");
  EXPECT_EQ(read_state(folder / "s.json", "").at("test"), 97.5);
  const json value = {{"test", 96.5}};
  write_file(folder / "s.json",
             json{{"sha256", sha256_hex(value.dump())}, {"state", value}}.dump() + "\n");
  EXPECT_EQ(read_state(folder / "s.json", ""), value);
}

TEST(StateFile, RefusesFilesOfLaterVersions) {
  const TemporaryFolder folder;
  write_file(folder / "s.json", R"({"version":2,"sha256":"x","state":{}})");
  try {
    read_state(folder / "s.json", "start over");
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), AllOf(HasSubstr("version 2"), HasSubstr("start over")));
  }
}

}  // namespace
}  // namespace bittern
