#include "host/base/table.h"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "host/base/error.h"

namespace bittern {
namespace {

Table sample() {
  Table table;
  table.text_column("layer").integer_column("cycles").real_column("latency", "ms", 2);
  table.row({"conv1", std::int64_t{1234}, 0.125});
  table.row({"fc, \"last\"", {}, 10.0});
  return table;
}

TEST(Table, TextAlignsNumbersRightAndTextLeft) {
  EXPECT_EQ(sample().render(OutputFormat::kTable),
            "layer       cycles  latency [ms]\n"
            "----------  ------  ------------\n"
            "conv1         1234          0.12\n"
            "fc, \"last\"       -         10.00\n");
}

TEST(Table, TotalComesBelowARule) {
  Table table;
  table.text_column("layer").integer_column("n");
  table.row({"a", std::int64_t{1}});
  table.total({"total", std::int64_t{1}});
  EXPECT_EQ(table.render(OutputFormat::kTable),
            "layer  n\n-----  -\na      1\n-----  -\ntotal  1\n");
}

TEST(Table, CsvQuotesAndKeepsFullPrecision) {
  Table table = sample();
  table.row({"x", std::int64_t{-1}, 1.0 / 3.0});
  EXPECT_EQ(table.render(OutputFormat::kCsv),
            "layer,cycles,latency [ms]\n"
            "conv1,1234,0.125\n"
            "\"fc, \"\"last\"\"\",,10\n"
            "x,-1,0.3333333333333333\n");
}

TEST(Table, JsonHasTypedValuesNullsUnitsAndTotal) {
  Table table = sample();
  table.total({"total", std::int64_t{1234}, 10.125});
  const auto json = nlohmann::json::parse(table.render(OutputFormat::kJson));
  EXPECT_EQ(json["columns"][2]["unit"], "ms");
  EXPECT_EQ(json["rows"][0]["cycles"], 1234);
  EXPECT_TRUE(json["rows"][1]["cycles"].is_null());
  EXPECT_EQ(json["rows"][1]["layer"], "fc, \"last\"");
  EXPECT_DOUBLE_EQ(json["total"]["latency"], 10.125);
  EXPECT_FALSE(sample().json().contains("total"));
}

TEST(Table, ControlCharactersDoNotReachTheTerminal) {
  Table table;
  table.text_column("x");
  table.row({std::string("a\x1b[2Jb\nc")});
  EXPECT_EQ(table.render(OutputFormat::kTable), "x\n------------\na\\x1b[2Jb\\nc\n");
  EXPECT_EQ(table.render(OutputFormat::kCsv), "x\n\"a\\x1b[2Jb\nc\"\n");
  EXPECT_EQ(table.render(OutputFormat::kJson).find('\x1b'), std::string::npos);
}

TEST(Table, InvalidUtf8DoesNotBreakJson) {
  Table table;
  table.text_column("x");
  table.row({std::string("a\xff")});
  EXPECT_NO_THROW(nlohmann::json::parse(table.render(OutputFormat::kJson)));
}

TEST(Table, WrongCellsAreProgrammingErrors) {
  Table table = sample();
  EXPECT_THROW(table.row({"a"}), std::logic_error);
  EXPECT_THROW(table.row({"a", 1.5, 1.5}), std::logic_error);
  EXPECT_THROW(table.row({1.5, std::int64_t{1}, 1.5}), std::logic_error);
  EXPECT_THROW(table.text_column("late"), std::logic_error);
}

TEST(OutputFormatTest, UnknownNameIsAnError) {
  EXPECT_EQ(parse_output_format("csv"), OutputFormat::kCsv);
  try {
    parse_output_format("jsn");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "unknown output format 'jsn', did you mean 'json'?");
  }
}

TEST(Si, PicksThePrefixThatLeavesThreeDigits) {
  EXPECT_EQ(si(0.0123, "s"), "12.3 ms");
  EXPECT_EQ(si(999.6, "Hz"), "1.00 kHz");
  EXPECT_EQ(si(1.0, "J"), "1.00 J");
  EXPECT_EQ(si(0.0, "J"), "0 J");
  EXPECT_EQ(si(-2.5e6, "MAC/s"), "-2.50 MMAC/s");
  EXPECT_EQ(si(123456.0, ""), "123 k");
  EXPECT_EQ(si(NAN, "s"), "nan s");
}

}  // namespace
}  // namespace bittern
