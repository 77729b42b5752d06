#include "host/store/store_gc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "host/base/temporary_folder.h"

namespace bittern {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

StoredMeasurement row(const std::string& key, const std::string& variant, const std::string& hash) {
  StoredMeasurement row;
  row.measurement.key = key;
  row.key.variant = variant;
  row.key.rtl_hash = hash;
  return row;
}

const std::vector<BuiltDevice> kBuilt = {
    {"tiny", "aaaa", ""}, {"copy", "bbbb", ""}, {"mute", "", "exited with status 5"}};

TEST(StoreGc, KeepsWhatAnyBuiltRtlCanAnswerFor) {
  // Another memory model, another name, another program: the RTL is the same.
  StoredMeasurement other_memory = row("1", "tiny", "aaaa");
  other_memory.key.variant_key = "memory latency 99";
  StoredMeasurement other_program = row("2", "tiny", "aaaa");
  other_program.key.program = "ffff";
  const GcPlan plan =
      plan_gc({other_memory, other_program, row("3", "renamed", "aaaa"), row("4", "tiny", "bbbb")},
              GcScope::kStale, kBuilt);
  EXPECT_THAT(plan.keys, IsEmpty());
  EXPECT_THAT(gc_text(plan), HasSubstr("the RTL of bittern-device-copy, which is built"));
}

TEST(StoreGc, RemovesWhatNoneCanAndSaysWhy) {
  const GcPlan plan = plan_gc({row("1", "tiny", "cccc"), row("2", "tiny", "cccc"),
                               row("3", "tiny", "dddd"), row("4", "tiny", "aaaa")},
                              GcScope::kStale, kBuilt);
  EXPECT_THAT(plan.keys, ElementsAre("1", "2", "3"));
  ASSERT_EQ(plan.groups.size(), 3u);
  EXPECT_TRUE(plan.groups[0].removed);
  EXPECT_EQ(plan.groups[0].rows, 2u);
  EXPECT_EQ(plan.groups[0].rtl_hash, "cccc");
  EXPECT_FALSE(plan.groups[2].removed);
  EXPECT_THAT(
      gc_text(plan),
      AllOf(HasSubstr("remove      2  tiny, RTL cccc: bittern-device-tiny has RTL aaaa now"),
            HasSubstr("keep        1  tiny, RTL aaaa")));
}

TEST(StoreGc, KeepsWhatCannotBeKnown) {
  StoredMeasurement board = row("1", "tiny", "cccc");
  board.key.origin = Origin::kBoard;
  StoredMeasurement remote = row("2", "tiny", "cccc");
  remote.measurement.remote = "tcp:far:4000";
  const GcPlan plan =
      plan_gc({board, remote, row("3", "elsewhere", "cccc"), row("4", "mute", "cccc")},
              GcScope::kStale, kBuilt);
  EXPECT_THAT(plan.keys, IsEmpty());
  EXPECT_THAT(gc_text(plan),
              AllOf(HasSubstr("on a board"), HasSubstr("measured at tcp:far:4000"),
                    HasSubstr("bittern-device-elsewhere is not built here"),
                    HasSubstr("bittern-device-mute does not say which RTL it has: exited")));
}

TEST(StoreGc, RemovesDamagedRowsOnlyOrEverythingWhenAskedTo) {
  StoredMeasurement damaged = row("1", "tiny", "aaaa");
  damaged.damaged = true;
  const std::vector<StoredMeasurement> rows = {damaged, row("2", "tiny", "cccc")};
  EXPECT_THAT(plan_gc(rows, GcScope::kDamaged, {}).keys, ElementsAre("1"));
  EXPECT_THAT(plan_gc(rows, GcScope::kAll, {}).keys, ElementsAre("1", "2"));
  EXPECT_THAT(plan_gc(rows, GcScope::kStale, kBuilt).keys, ElementsAre("1", "2"));
  EXPECT_THAT(plan_gc({}, GcScope::kStale, kBuilt).groups, IsEmpty());
}

TEST(BuiltDevices, AreAskedWhoTheyAre) {
  const TemporaryFolder folder;
  std::filesystem::create_symlink(BITTERN_BINARY_DIR "/tests/fakes/bittern-device-fake",
                                  folder / "bittern-device-fake");
  std::filesystem::create_symlink("/bin/false", folder / "bittern-device-broken");
  std::filesystem::create_directory(folder / "bittern-device-folder");
  const auto built = built_devices(folder.path());
  ASSERT_EQ(built.size(), 2u);
  EXPECT_EQ(built[0].variant, "broken");
  EXPECT_EQ(built[0].rtl_hash, "");
  EXPECT_THAT(built[0].problem, HasSubstr("exited with status 1"));
  EXPECT_EQ(built[1].variant, "fake");
  EXPECT_EQ(built[1].rtl_hash, "0123456789abcdef00");
  EXPECT_THAT(built_devices(folder / "nowhere"), IsEmpty());
}

}  // namespace
}  // namespace bittern
