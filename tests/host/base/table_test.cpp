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

TEST(Table, CsvHasSumsOnlyWhenAskedSoThatNoLayerIsTakenForOne) {
  Table table;
  table.text_column("layer").integer_column("n");
  table.row({"total", std::int64_t{1}});
  table.total({"total", std::int64_t{1}});
  EXPECT_EQ(table.render(OutputFormat::kCsv), "layer,n\ntotal,1\n");
  TableView view;
  view.csv_totals = true;
  EXPECT_EQ(table.render(OutputFormat::kCsv, view), "layer,n\ntotal,1\ntotal,1\n");
}

TEST(Table, SeveralSumsAreAListInJson) {
  Table table;
  table.text_column("layer").integer_column("n");
  table.row({"a", std::int64_t{1}});
  table.subtotal({"total", std::int64_t{1}});
  EXPECT_EQ(table.json()["totals"].size(), 1u);
  table.subtotal({"total", std::int64_t{2}});
  EXPECT_EQ(table.json()["totals"][1]["n"], 2);
  EXPECT_FALSE(table.json().contains("total"));
  EXPECT_EQ(table.render(OutputFormat::kTable),
            "layer  n\n-----  -\na      1\n-----  -\ntotal  1\ntotal  2\n");
}

/// Eight columns: a long name, a detail, a spare one.
Table wide() {
  Table table;
  table.text_column("layer").integer_column("cycles").integer_column("macs").detail();
  table.real_column("energy", "uJ", 1).spare().text_column("origin");
  table.row(
      {"features.7.expand_convolution.weight", std::int64_t{1234}, std::int64_t{5}, 2.5, "rtl"});
  return table;
}

TEST(Table, ShortViewLeavesOutDetailsInTextOnly) {
  const std::string text = wide().render(OutputFormat::kTable);
  EXPECT_EQ(text,
            "layer                                 cycles  energy [uJ]  origin\n"
            "------------------------------------  ------  -----------  ------\n"
            "features.7.expand_convolution.weight    1234          2.5  rtl\n");
  EXPECT_NE(wide().render(OutputFormat::kCsv).find("macs"), std::string::npos);
  EXPECT_EQ(wide().json()["rows"][0]["macs"], 5);
}

TEST(Table, ColumnsAreChosenByNameInTheOrderGiven) {
  TableView view;
  view.columns = {"macs", "layer"};
  view.width = 20;
  EXPECT_EQ(wide().render(OutputFormat::kTable, view),
            "macs  layer\n----  ------------------------------------\n"
            "   5  features.7.expand_convolution.weight\n")
      << "what was named is neither shortened nor left out";
  view.columns = {"all"};
  EXPECT_NE(wide().render(OutputFormat::kTable, view).find("macs"), std::string::npos);
}

TEST(Table, ChoosingWhatThereIsNotIsWrongUsage) {
  const auto message = [](std::vector<std::string> columns) -> std::string {
    TableView view;
    view.columns = std::move(columns);
    try {
      wide().render(OutputFormat::kTable, view);
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::kUsage);
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(
      message({"cycle"}),
      "--columns: there is no column 'cycle', did you mean 'cycles'?; there are layer, cycles, "
      "macs, energy, origin (or all)");
  EXPECT_EQ(message({"layer", "layer"}), "--columns: 'layer' is named twice");
  EXPECT_NE(message({""}), "");
  EXPECT_NE(message({"layer", "all"}), "");
}

TEST(Table, ANarrowTerminalShortensNamesThenDoesWithoutSpareColumns) {
  TableView view;
  view.width = 50;
  view.more = "--columns all";
  EXPECT_EQ(wide().render(OutputFormat::kTable, view),
            "layer                  cycles  energy [uJ]  origin\n"
            "---------------------  ------  -----------  ------\n"
            "features.7..on.weight    1234          2.5  rtl\n"
            "(1 more column: --columns all)\n");
  view.width = 38;
  EXPECT_EQ(wide().render(OutputFormat::kTable, view),
            "layer                   cycles  origin\n"
            "----------------------  ------  ------\n"
            "features.7..ion.weight    1234  rtl\n"
            "(2 more columns: --columns all)\n");
  for (view.width = 1; view.width < 80; ++view.width) {
    const std::string text = wide().render(OutputFormat::kTable, view);
    const std::size_t heading = text.find('\n');
    if (view.width >= 20) {
      EXPECT_LE(heading, view.width);
    }
    EXPECT_EQ(text.substr(0, 5), "layer");
  }
}

TEST(Table, ColoursHeadingsAndMarkedCells) {
  Table table;
  table.text_column("layer").text_column("outputs").mark("different", Style::kBad);
  table.row({"a", "equal"});
  table.row({"b", "different"});
  TableView view;
  view.colour = true;
  EXPECT_EQ(table.render(OutputFormat::kTable, view),
            "\x1b[1mlayer\x1b[0m  \x1b[1moutputs\x1b[0m\n"
            "-----  ---------\n"
            "a      equal\n"
            "b      \x1b[1;31mdifferent\x1b[0m\n");
  EXPECT_EQ(table.render(OutputFormat::kCsv, view), "layer,outputs\na,equal\nb,different\n");
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
