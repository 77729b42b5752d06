#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/base/error.h"
#include "host/base/yaml.h"
#include "tests/host/base/message_of.h"

namespace bittern {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kText = R"(name: a
search:
  episodes: 3
  hidden: [16, 8]
list:
  - {ratio: 0.5}
)";

class YamlSetting : public ::testing::Test {
 protected:
  static YamlNode root() { return YamlNode::parse(kText, "folder/file.yaml"); }
  static YamlNode set(const std::string& key, const std::string& value) {
    return root().with(key, value, "--set " + key);
  }
  static YamlMap search_of(const YamlNode& node) {
    return {YamlMap(node, {"name", "search", "list"}).at("search"),
            {"episodes", "hidden", "noise"}};
  }
  /// Message of the error that reading the search's keys gives.
  static std::string error_of(const std::string& key, const std::string& value) {
    return message_of(ExitStatus::kUsage, [&] {
      const YamlMap search = search_of(set(key, value));
      search.integer("episodes", 1, 100);
      search.real("noise", 0, 1, 0.5);
      search.at("hidden").integers(1, 100, 2, 2);
    });
  }
};

TEST_F(YamlSetting, ReplacesAddsAndReachesIntoLists) {
  EXPECT_EQ(search_of(set("search.episodes", "7")).integer("episodes", 1, 100), 7);
  EXPECT_EQ(search_of(set("search.noise", "0.25")).real("noise", 0, 1), 0.25);
  const auto sizes = search_of(set("search.hidden[1]", "9")).at("hidden").integers(1, 100);
  EXPECT_EQ(sizes, (std::vector<std::int64_t>{16, 9}));
  EXPECT_EQ(search_of(set("search.hidden", "[1, 2]")).at("hidden").integers(1, 100),
            (std::vector<std::int64_t>{1, 2}));
  const YamlNode longer = set("list[1].ratio", "0.25");
  const auto items = YamlMap(longer, {"name", "search", "list"}).at("list").items();
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(YamlMap(items[1], {"ratio"}).real("ratio", 0, 1), 0.25);
}

TEST_F(YamlSetting, LeavesTheRestAndTheOriginalAsTheyWere) {
  const YamlNode before = root();
  const YamlNode after = before.with("search.episodes", "7", "--set search.episodes");
  EXPECT_EQ(search_of(before).integer("episodes", 1, 100), 3);
  EXPECT_EQ(YamlMap(after, {"name", "search", "list"}).text("name"), "a");
}

TEST_F(YamlSetting, ErrorsNameTheSettingInsteadOfFileAndLine) {
  EXPECT_THAT(error_of("search.episodes", "many"),
              AllOf(HasSubstr("--set search.episodes: expected an integer"), HasSubstr("'many'"),
                    Not(HasSubstr("file.yaml"))));
  EXPECT_THAT(error_of("search.episodes", "101"),
              HasSubstr("--set search.episodes: 101 is out of"));
  EXPECT_THAT(error_of("search.episodes", ""), HasSubstr("--set search.episodes: has no value"));
  EXPECT_THAT(error_of("search.hidden", "[1, x]"),
              HasSubstr("--set search.hidden: search.hidden[1]"));
  EXPECT_THAT(error_of("search.episodes", "[1"), HasSubstr("--set search.episodes"));
}

TEST_F(YamlSetting, SuggestsTheNearestKeyForAnUnknownOne) {
  EXPECT_THAT(error_of("search.episdes", "7"),
              AllOf(HasSubstr("--set search.episdes"), HasSubstr("did you mean 'episodes'?")));
}

TEST_F(YamlSetting, RefusesKeysThatLeadNowhere) {
  EXPECT_THAT(error_of("name.first", "7"), HasSubstr("name is not a mapping"));
  EXPECT_THAT(error_of("search[0]", "7"), HasSubstr("search is not a list"));
  EXPECT_THAT(error_of("list[3].ratio", "7"), HasSubstr("an index of 0 to 1"));
  for (const char* key : {"", ".", "a.", ".a", "a..b", "[0]", "a[", "a[]", "a[x]", "a[0]b", "a]"}) {
    EXPECT_THAT(error_of(key, "7"), HasSubstr("expected a key like")) << key;
  }
}

TEST_F(YamlSetting, RelativePathsCountFromTheFileOrFromTheCurrentFolder) {
  const YamlNode node = set("name", "b");
  const YamlMap map(node, {"name", "search", "list"});
  EXPECT_EQ(map.at("name").folder(), "");
  EXPECT_EQ(map.at("search").folder(), "folder");
}

}  // namespace
}  // namespace bittern
