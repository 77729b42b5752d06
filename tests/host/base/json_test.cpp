#include "host/base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/base/file.h"
#include "host/base/temporary_folder.h"

namespace bittern {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

Error error_of(std::string_view text, const JsonOptions& options = {}) {
  try {
    parse_json(text, "f.json", options);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "taken: " << text.substr(0, 80);
  return Error("none");
}

std::string message_of(std::string_view text, const JsonOptions& options = {}) {
  return error_of(text, options).what();
}

TEST(Json, ReadsWhatTheLibraryReads) {
  for (const char* text :
       {"{}", "[]", "null", "true", " false ", "0", "-12", "18446744073709551615", "1.5e-3", "\"\"",
        R"("a\u00e9\n\ud83d\ude00")", R"({"a":{"b":[1,[2,{"c":[]}],{}]},"d":-0.0,"e":null})",
        "[[],[[]],{\"x\":[{\"y\":1}]}]\n"}) {
    EXPECT_EQ(parse_json(text, "f"), json::parse(text)) << text;
  }
  EXPECT_EQ(parse_json(R"({"b":1,"a":[2,3.25,"x"]})", "f").dump(), R"({"a":[2,3.25,"x"],"b":1})");
}

TEST(Json, SaysFileLineAndColumnOfWhatIsNoJson) {
  EXPECT_THAT(message_of("{\n  \"a\": 1,\n  \"b\" 2\n}"),
              AllOf(StartsWith("f.json:3:7: not valid JSON"), HasSubstr("object separator")));
  EXPECT_THAT(message_of(""), StartsWith("f.json:1:1: not valid JSON"));
  EXPECT_THAT(message_of("[1,]"), StartsWith("f.json:1:4: not valid JSON"));
  EXPECT_THAT(message_of("{} {}"), HasSubstr("end of input"));
  EXPECT_THAT(message_of("[NaN]"), HasSubstr("not valid JSON"));
  EXPECT_THAT(message_of("[1e999]"), HasSubstr("overflow"));
  EXPECT_THAT(message_of("[\"\xff\"]"), HasSubstr("UTF-8"));
  EXPECT_THAT(message_of("[\"\x1b[31m\"]"), HasSubstr("control character"));
  EXPECT_THAT(message_of(std::string_view("{}\0garbage", 10)), HasSubstr("zero byte"));
}

TEST(Json, AKeyGivenTwiceIsNamedWithItsLine) {
  EXPECT_THAT(message_of("{\"a\": 1,\n \"b\": {\"a\": 2},\n \"a\": 3}"),
              StartsWith("f.json:3:4: the key \"a\" is given twice"));
  EXPECT_THAT(message_of("[{\"x\": 1}, {\"x\": [{\"y\": 0,\n\"y\": 0}]}]"),
              StartsWith("f.json:2:3: the key \"y\""));
  // Written differently, but the same.
  EXPECT_THAT(message_of(R"({"a": 1, "\u0061": 2})"), HasSubstr("given twice"));
}

TEST(Json, DeepNestingIsRefusedBeforeAnythingRecurses) {
  const JsonOptions options;
  const std::string most(static_cast<std::size_t>(options.max_depth), '[');
  EXPECT_NO_THROW(parse_json(most + std::string(most.size(), ']'), "f"));
  for (const char* open : {"[", "{\"a\":", "[{\"a\":"}) {
    std::string text;
    for (int i = 0; i < 100000; ++i) text += open;
    EXPECT_THAT(message_of(text), HasSubstr("nested deeper than 64 levels")) << open;
  }
}

TEST(Json, AByteOrderMarkIsNamed) {
  EXPECT_THAT(message_of("\xef\xbb\xbf{}"), HasSubstr("byte order mark (UTF-8)"));
  EXPECT_THAT(message_of(std::string_view("\xff\xfe{\0}\0", 6)), HasSubstr("mark (UTF-16)"));
}

TEST(Json, SizeIsLimited) {
  JsonOptions options;
  options.max_bytes = 10;
  EXPECT_NO_THROW(parse_json("[1,2,3,45]", "f", options));
  EXPECT_THAT(message_of("[1,2,3,456]", options), HasSubstr("11 bytes of JSON"));
}

TEST(Json, ALongTokenDoesNotFloodTheMessage) {
  EXPECT_LT(message_of("[\"" + std::string(100000, 'x')).size(), 300u);
  EXPECT_LT(
      message_of("{\"" + std::string(100000, 'x') + "\":1,\"" + std::string(100000, 'x') + "\":1}")
          .size(),
      300u);
}

TEST(Json, TheCallerChoosesStatusFirstLineAndAdvice) {
  EXPECT_EQ(error_of("{").status(), ExitStatus::kUsage);
  JsonOptions options = JsonOptions::own_file("delete it");
  options.first_line = 7;
  const Error error = error_of("{\n", options);
  EXPECT_EQ(error.status(), ExitStatus::kFailed);
  EXPECT_THAT(error.what(), AllOf(StartsWith("f.json:8:"), ::testing::EndsWith("; delete it")));
  EXPECT_THAT(message_of("{"), Not(HasSubstr(";  ")));
}

TEST(Json, FilesAreNamedByTheirPath) {
  const TemporaryFolder folder;
  write_file(folder / "a.json", "{\"a\": [1, 2]}\n");
  EXPECT_EQ(load_json(folder / "a.json"), (json{{"a", {1, 2}}}));
  write_file(folder / "b.json", "{\"a\": [1, 2}\n");
  const auto status_of = [&](const char* name, const JsonOptions& options) {
    try {
      load_json(folder / name, options);
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), StartsWith((folder / name).string()));
      return error.status();
    }
    ADD_FAILURE() << name;
    return ExitStatus::kFailed;
  };
  EXPECT_EQ(status_of("b.json", {}), ExitStatus::kUsage);
  EXPECT_EQ(status_of("b.json", JsonOptions::own_file("")), ExitStatus::kFailed);
  EXPECT_EQ(status_of("missing.json", {}), ExitStatus::kUsage);
  JsonOptions small;
  small.max_bytes = 3;
  EXPECT_EQ(status_of("a.json", small), ExitStatus::kUsage);
}

}  // namespace
}  // namespace bittern
