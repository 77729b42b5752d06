#include "host/base/yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/random.h"
#include "tests/host/base/message_of.h"

namespace bittern {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

YamlNode parse(const std::string& text) { return YamlNode::parse(text, "f.yaml"); }

/// Message of the Error that `action` throws; fails when there is none. All errors of configuration
/// files have exit status 2.
template <typename Action>
std::string usage_message_of(Action action) {
  return message_of(ExitStatus::kUsage, action);
}

TEST(Yaml, ReadsScalarsListsAndMappings) {
  const YamlMap map(parse("name: x\ncount: 0x10\nratio: 2.5e-1\non: true\nlist: [1, 2, 3]\n"
                          "quoted: \"12\"\n"),
                    {"name", "count", "ratio", "on", "list", "quoted"});
  EXPECT_EQ(map.text("name"), "x");
  EXPECT_EQ(map.integer("count", 0, 100), 16);
  EXPECT_DOUBLE_EQ(map.real("ratio", 0, 1), 0.25);
  EXPECT_TRUE(map.boolean("on"));
  EXPECT_THAT(map.at("list").integers(0, 9), ElementsAre(1, 2, 3));
  EXPECT_EQ(map.text("quoted"), "12");
}

TEST(Yaml, ControlCharactersCannotBeSpelledEither) {
  for (const char* text : {"a: \"x\\e[31m\"", "a: \"\\x9b\"", "a: \"\\u202e\"", "\"a\\0\": 1"}) {
    EXPECT_THAT(usage_message_of([&] { parse(text); }), HasSubstr("f.yaml:1: control characters"));
  }
  EXPECT_THAT(usage_message_of([] { parse("a: x\x1b[31m"); }), HasSubstr("byte 0x1b"));
  EXPECT_THAT(usage_message_of([] { parse("a: \xc2\x9b"); }), HasSubstr("byte 0xc2"));
  EXPECT_THAT(usage_message_of([] { parse("a: \xed\xa0\x80"); }), HasSubstr("not UTF-8"));
  EXPECT_EQ(YamlMap(parse("a: \"x\\ty\\nz\""), {"a"}).text("a"), "x\ty\nz");
}

TEST(Yaml, FallbacksApplyOnlyWhenTheKeyIsAbsent) {
  const YamlMap map(parse("a: 3\n"), {"a", "b"});
  EXPECT_EQ(map.integer("a", 0, 9, 7), 3);
  EXPECT_EQ(map.integer("b", 0, 9, 7), 7);
  EXPECT_EQ(map.text("b", "none"), "none");
  EXPECT_FALSE(map.has("b"));
}

TEST(Yaml, UnknownKeyNamesFileLineAndNearestKey) {
  const auto read = [] { YamlMap(parse("name: x\nlatncy: 3\n"), {"name", "latency"}); };
  EXPECT_EQ(usage_message_of(read), "f.yaml:2: unknown key 'latncy', did you mean 'latency'?");
}

TEST(Yaml, UnknownKeyFarFromAllListsTheKnownOnes) {
  const auto read = [] { YamlMap(parse("zzzzzz: 3\n"), {"name", "latency"}); };
  EXPECT_EQ(usage_message_of(read),
            "f.yaml:1: unknown key 'zzzzzz', expected one of name, latency");
}

TEST(Yaml, NestedErrorsCarryThePath) {
  const YamlMap root(parse("memory:\n  size: 3\n  list: [1, x]\n"), {"memory"});
  const YamlMap memory(root.at("memory"), {"size", "list"});
  EXPECT_EQ(usage_message_of([&] { memory.integer("size", 10, 20); }),
            "f.yaml:2: memory.size: 3 is out of range, expected 10 to 20");
  EXPECT_EQ(usage_message_of([&] { memory.at("list").integers(0, 9); }),
            "f.yaml:3: memory.list[1]: expected an integer from 0 to 9, got 'x'");
}

TEST(Yaml, MissingAndEmptyKeysAreErrors) {
  const YamlMap map(parse("a:\nb: 1\n"), {"a", "b", "c"});
  EXPECT_EQ(usage_message_of([&] { map.text("c"); }), "f.yaml:1: missing key 'c'");
  EXPECT_EQ(usage_message_of([&] { map.integer("a", 0, 1, 0); }),
            "f.yaml:1: a: has no value (nothing, null and ~ mean that; quotes make "
            "them text); give one or remove the key");
}

TEST(Yaml, UndeclaredKeyIsAProgrammingError) {
  const YamlMap map(parse("a: 1\n"), {"a"});
  EXPECT_THROW(map.text("b"), std::logic_error);
}

TEST(Yaml, WrongTypesAreErrors) {
  const YamlMap map(parse("i: 1.5\nq: '7'\nb: yes\nr: 0x10\nn: .nan\ns: [1]\ninf: 1e999\n"),
                    {"i", "q", "b", "r", "n", "s", "inf"});
  EXPECT_THAT(usage_message_of([&] { map.integer("i", 0, 9); }), HasSubstr("expected an integer"));
  EXPECT_THAT(usage_message_of([&] { map.integer("q", 0, 9); }), HasSubstr("got \"7\""));
  EXPECT_THAT(usage_message_of([&] { map.boolean("b"); }), HasSubstr("expected true or false"));
  EXPECT_THAT(usage_message_of([&] { map.real("r", 0, 99); }), HasSubstr("expected a number"));
  EXPECT_THAT(usage_message_of([&] { map.real("n", 0, 99); }), HasSubstr("expected a number"));
  EXPECT_THAT(usage_message_of([&] { map.real("inf", 0, 99); }), HasSubstr("out of range"));
  EXPECT_THAT(usage_message_of([&] { map.text("s"); }), HasSubstr("expected text, got a list"));
  EXPECT_THAT(usage_message_of([&] { map.at("i").items(); }), HasSubstr("expected a list"));
  EXPECT_THAT(usage_message_of([&] { map.at("s").items(2, 3); }),
              HasSubstr("2 to 3 elements, got 1"));
  EXPECT_THAT(usage_message_of([&] {
                map.choice("b", {"no", "maybe", "yess"});
              }),
              HasSubstr("did you mean 'yess'?"));
}

TEST(Yaml, IntegersBeyond64BitsAreOutOfRange) {
  const YamlMap map(parse("a: 99999999999999999999\nb: -9223372036854775808\n"), {"a", "b"});
  EXPECT_THAT(usage_message_of([&] { map.integer("a", INT64_MIN, INT64_MAX); }),
              HasSubstr("out of range"));
  EXPECT_EQ(map.integer("b", INT64_MIN, INT64_MAX), INT64_MIN);
}

TEST(Yaml, DuplicateKeyIsAnError) {
  EXPECT_EQ(usage_message_of([] { parse("a: 1\nb: 2\na: 3\n"); }), "f.yaml:3: duplicate key 'a'");
}

TEST(Yaml, AliasesAnchorsAndTagsAreRefused) {
  EXPECT_THAT(usage_message_of([] { parse("a: &x [1]\nb: *x\n"); }), HasSubstr("anchors"));
  EXPECT_THAT(usage_message_of([] { parse("a: !!python/object:os.system x\n"); }),
              HasSubstr("tags"));
}

TEST(Yaml, HostileInputIsRefusedQuickly) {
  // A bomb of aliases, deep nesting, too many elements, binary, a second document, nothing at all.
  std::string bomb = "a0: &a0 [x, x]\n";
  for (int i = 1; i < 40; ++i) {
    bomb += fmt::format("a{}: &a{} [*a{}, *a{}]\n", i, i, i - 1, i - 1);
  }
  EXPECT_THAT(usage_message_of([&] { parse(bomb); }), HasSubstr("not accepted"));
  const std::string nested = "a: " + std::string(400, '[') + std::string(400, ']') + "\n";
  EXPECT_THAT(usage_message_of([&] { parse(nested); }), HasSubstr("nested deeper than 32"));
  EXPECT_NE(usage_message_of([] { parse(std::string(100000, '[')); }), "");
  EXPECT_NE(usage_message_of([] { parse(std::string(100000, '{')); }), "");
  std::string stairs;
  for (int i = 0; i < 400; ++i) stairs += std::string(static_cast<std::size_t>(i), ' ') + "a:\n";
  EXPECT_THAT(usage_message_of([&] { parse(stairs); }), HasSubstr("nested deeper than 32"));
  std::string many = "a: [";
  for (int i = 0; i < 200000; ++i) many += "1,";
  EXPECT_THAT(usage_message_of([&] { parse(many + "1]\n"); }),
              HasSubstr("more than 100000 elements"));
  EXPECT_THAT(usage_message_of([] { parse(std::string("a: \0b", 5)); }), HasSubstr("byte 0x00"));
  EXPECT_THAT(usage_message_of([] { parse("a: 1\nb: \xff\xfe\n"); }),
              HasSubstr("f.yaml:2: byte 0xff"));
  EXPECT_THAT(usage_message_of([] { parse("a: 1\n---\nb: 2\n"); }), HasSubstr("second document"));
  EXPECT_THAT(usage_message_of([] { parse(""); }), HasSubstr("empty"));
  EXPECT_THAT(usage_message_of([] { parse("a: [1, 2\n"); }), HasSubstr("not valid YAML"));
  YamlLimits limits;
  limits.max_bytes = 10;
  EXPECT_THAT(usage_message_of([&] { YamlNode::parse("a: 12345678\n", "f.yaml", limits); }),
              HasSubstr("larger than 10 bytes"));
  EXPECT_THAT(usage_message_of([] { YamlNode::load("/nonexistent/x.yaml"); }),
              HasSubstr("/nonexistent/x.yaml"));
  EXPECT_THAT(usage_message_of([] { YamlNode::load("/dev/zero"); }), HasSubstr("larger than"));
}

TEST(Yaml, RandomGarbageNeverCrashes) {
  Rng rng(20240611);
  const std::string alphabet = "ab:1-[]{},\n  \t\"'#&*!|>%@`?.~\\x\xc3\xa9\x80";
  int accepted = 0;
  for (int n = 0; n < 20000; ++n) {
    std::string text;
    const auto size = rng.integer(0, 40);
    for (int i = 0; i < size; ++i) {
      text += alphabet[static_cast<std::size_t>(
          rng.integer(0, static_cast<std::int64_t>(alphabet.size()) - 1))];
    }
    try {
      const YamlNode node = parse(text);
      if (node.is_mapping()) node.entries();
      ++accepted;
    } catch (const Error&) {
    }
  }
  EXPECT_GT(accepted, 0);
}

TEST(Nearest, PrefersTheFewestEditsAndStaysSilentWhenFar) {
  EXPECT_EQ(nearest("bismo_egde", {"bismo_cloud", "bismo_edge"}), "bismo_edge");
  EXPECT_EQ(nearest("xyz", {"latency", "energy"}), "");
  EXPECT_EQ(nearest("ab", {"cd"}), "");
  EXPECT_EQ(nearest("", {"cd"}), "");
  EXPECT_EQ(suggestion("q", {}), "");
}

}  // namespace
}  // namespace bittern
