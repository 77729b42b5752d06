#include "host/base/text.h"

#include <gtest/gtest.h>

#include "host/base/json.h"
#include "host/base/random.h"

namespace bittern {
namespace {

TEST(Text, OrdinaryTextStaysAsItIs) {
  for (const char* text : {"", "conv1", "/features/features.0/Conv [1:2]",
                           "Größe 3×3 — 测试 🙂", "a\\b \"c\""}) {
    EXPECT_EQ(printable(text), text);
    EXPECT_EQ(printable_lines(text), text);
  }
}

TEST(Text, WhatSteersATerminalIsWrittenOut) {
  EXPECT_EQ(printable("\x1b[31mred\x1b[0m"), "\\x1b[31mred\\x1b[0m");
  EXPECT_EQ(printable(std::string("a\0b\x07\x7f\r", 6)), "a\\x00b\\x07\\x7f\\r");
  EXPECT_EQ(printable("\xc2\x9b"
                      "2J"),
            "\\u009b2J");                                           // CSI as one character
  EXPECT_EQ(printable("\xe2\x80\xae gnp.exe"), "\\u202e gnp.exe");  // turns the rest around
  EXPECT_EQ(printable("a\xe2\x80\xa8 b\xe2\x81\xa6"), "a\\u2028 b\\u2066");
}

TEST(Text, OnlyMessagesHaveLines) {
  EXPECT_EQ(printable("a\n\tb"), "a\\n\\tb");
  EXPECT_EQ(printable_lines("a\n\tb\r\x1b"), "a\n\tb\\r\\x1b");
}

TEST(Text, WhatIsNotUtf8IsReplaced) {
  constexpr const char* kReplaced = "\xef\xbf\xbd";
  EXPECT_EQ(printable("a\xff"
                      "b"),
            std::string("a") + kReplaced + "b");
  const auto count = [&](const std::string& text) {
    std::size_t n = 0;
    const std::string shown = printable(text);
    for (std::size_t at = 0; (at = shown.find(kReplaced, at)) != std::string::npos; at += 3) ++n;
    return n;
  };
  EXPECT_EQ(count("\xc0\x80"), 2u);          // overlong
  EXPECT_EQ(count("\xe0\x80\x80"), 3u);      // overlong
  EXPECT_EQ(count("\xed\xa0\x80"), 3u);      // a surrogate
  EXPECT_EQ(count("\xf4\x90\x80\x80"), 4u);  // above U+10FFFF
  EXPECT_EQ(count("\xf0\x9f\x99"), 3u);      // cut off
  EXPECT_EQ(count("\x9b"), 1u);              // C1 in Latin-1
}

TEST(Text, RandomBytesNeverReachTheTerminal) {
  Rng rng(3);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(static_cast<std::size_t>(rng.integer(0, 40)), ' ');
    for (char& c : bytes) c = static_cast<char>(rng.next());
    const std::string json = printed_json({{bytes, bytes}});
    EXPECT_NO_THROW(parse_json(json, "json"));
    for (const std::string& shown : {printable(bytes), printable_lines(bytes), json}) {
      for (std::size_t i = 0; i < shown.size();) {
        const Utf8 c = utf8_at(shown, i);
        ASSERT_GT(c.bytes, 0u);
        ASSERT_TRUE(!steers_terminal(c.code) || c.code == '\n' || c.code == '\t');
        i += c.bytes;
      }
    }
    EXPECT_EQ(printable(bytes).find('\n'), std::string::npos);
  }
}

TEST(Text, WhatIsTooLongIsCutBetweenCharacters) {
  EXPECT_EQ(shortened("abc", 3), "abc");
  EXPECT_EQ(shortened("abcd", 3), "abc...");
  EXPECT_EQ(shortened("ab\xc3\xa9z", 3), "ab...");
  EXPECT_EQ(shortened(std::string(10, '\x80'), 3), "...");
}

TEST(Text, JsonKeepsItsValueWhenItIsPrinted) {
  const nlohmann::json value = {{"name", "a\x1b\n\x7f\xc2\x9b é"}, {"list", {1, 2.5, nullptr}}};
  EXPECT_EQ(parse_json(printed_json(value), "json"), value);
  EXPECT_EQ(printed_json(value).find('\x7f'), std::string::npos);
}

}  // namespace
}  // namespace bittern
