#include "host/cost/lut.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <sstream>

#include "host/base/random.h"
#include "tests/host/run/fake_bismo.h"

namespace bittern {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::vector<LutRow> random_rows(Rng& rng, int count) {
  const std::string letters = "abc,\"\n\r '0\xc3\xa9";
  const auto word = [&] {
    std::string out = "x";
    for (std::int64_t i = rng.integer(0, 12); i > 0; --i) {
      out += letters[static_cast<std::size_t>(rng.integer(0, letters.size() - 1))];
    }
    return out;
  };
  std::vector<LutRow> rows;
  for (int i = 0; i < count; ++i) {
    LutRow row;
    row.variant = word();
    row.layer = word();
    row.shape = word() + std::to_string(i);
    row.bits = {static_cast<int>(rng.integer(1, 8)), static_cast<int>(rng.integer(1, 8))};
    row.activation_signed = rng.integer(0, 1) == 1;
    row.batch = static_cast<int>(rng.integer(1, 16));
    row.cycles = rng.next() >> 3 | 1;
    row.latency_s = rng.uniform() * 1e-3;
    row.energy_j = i == 0 ? std::numeric_limits<double>::denorm_min() : rng.uniform();
    row.energy_high_j = row.energy_j * 3;
    row.bytes_read = rng.next() >> 4;
    row.bytes_written = static_cast<std::uint64_t>(rng.integer(0, 9));
    row.origin = static_cast<Origin>(rng.integer(0, 3));
    row.schedule = rng.integer(0, 1) == 1 ? word() : "";
    row.key = rng.integer(0, 1) == 1 ? "ab12" : "";
    rows.push_back(row);
  }
  return rows;
}

TEST(Lut, ReadsBackWhatWasWritten) {
  Rng rng(3);
  for (int round = 0; round < 50; ++round) {
    const std::vector<LutRow> rows = random_rows(rng, 1 + round % 7);
    EXPECT_EQ(parse_lut(lut_csv(rows), "x.csv"), rows);
  }
}

TEST(Lut, FilesCanHaveWindowsLineEnds) {
  LutRow row;
  row.variant = row.layer = row.shape = "a";
  row.cycles = 7;
  std::string text;
  for (const char c : lut_csv({row})) text += c == '\n' ? "\r\n" : std::string(1, c);
  EXPECT_EQ(parse_lut(text, "x.csv"), std::vector<LutRow>{row});
}

TEST(Lut, TakesWhatSpreadsheetsMakeOfIt) {
  LutRow row;
  row.variant = "my npu";
  row.layer = row.shape = "a";
  row.cycles = 7;
  const std::string heading = lut_csv({});
  const std::string csv = lut_csv({row});
  const std::string line = csv.substr(heading.size());
  const std::vector<LutRow> rows = {row};
  EXPECT_EQ(parse_lut("\xef\xbb\xbf" + csv, "x.csv"), rows) << "byte order mark";
  EXPECT_EQ(parse_lut("\n  \n" + heading + "\r\n" + line + " \n\n", "x.csv"), rows)
      << "blank lines";
  EXPECT_EQ(parse_lut(csv.substr(0, csv.size() - 1), "x.csv"), rows) << "no end of the last line";
  std::string spaced;
  for (const char c : csv) spaced += c == ',' ? " ,\t" : c == '\n' ? "  \n" : std::string(1, c);
  EXPECT_EQ(parse_lut(spaced, "x.csv"), rows) << "spaces around fields";
  std::string quoted;
  for (const char c : csv)
    quoted += c == ',' ? "\" , \"" : c == '\n' ? "\"\n\"" : std::string(1, c);
  quoted = "\"" + quoted.substr(0, quoted.size() - 1);
  EXPECT_EQ(parse_lut(quoted, "x.csv"), rows) << "every field quoted";
  EXPECT_EQ(parse_lut("\n\n" + csv, "x.csv")[0].line, 4u) << "lines are those of the file";
}

TEST(Lut, ColumnsMayComeInAnyOrder) {
  LutRow row;
  row.variant = "v";
  row.layer = "l";
  row.shape = "s";
  row.cycles = 7;
  row.key = "k";
  const std::string csv = lut_csv({row});
  std::string turned;  // the last column first
  std::istringstream in(csv);
  for (std::string line; std::getline(in, line);) {
    const std::size_t last = line.rfind(',');
    turned += line.substr(last + 1) + "," + line.substr(0, last) + "\n";
  }
  EXPECT_EQ(parse_lut(turned, "x.csv"), std::vector<LutRow>{row});
}

class HostileLut : public ::testing::Test {
 protected:
  /// Message for a file whose second row has `value` in `column`.
  std::string message(std::size_t column, const std::string& value) {
    std::vector<std::string> fields = {
        "bismo_edge", "conv1", "linear i2 o3", "4",  "5",   "0", "1", "100", "1e-6",
        "2",          "3",     "64",           "32", "rtl", "s", "k", "1"};
    std::string text = head();
    for (int row = 0; row < 2; ++row) {
      if (row == 1) {
        fields[2] = "linear i3 o3";
        fields[column] = value;
      }
      text += fmt::format("{}\n", fmt::join(fields, ","));
    }
    return message_of<Error>([&] { parse_lut(text, "hostile.csv"); });
  }
  static std::string head() { return lut_csv({}); }
};

TEST_F(HostileLut, EveryBadFieldIsAnErrorWithLineAndColumn) {
  const auto expect = [this](std::size_t column, const std::string& value,
                             const std::string& named) {
    EXPECT_THAT(message(column, value), AllOf(HasSubstr("hostile.csv:3"), HasSubstr(named)))
        << value;
  };
  expect(0, "", "variant");
  expect(3, "0", "weight_bits");
  expect(3, "17", "weight_bits");
  expect(3, "4.5", "weight_bits");
  expect(4, "-1", "activation_bits");
  expect(4, "eight", "activation_bits");
  expect(5, "2", "signed");
  expect(6, "0", "batch");
  expect(7, "0", "cycles");
  expect(7, "99999999999999999999999", "cycles");
  expect(7, "1 5", "cycles");
  expect(7, "-5", "cycles");
  expect(7, "1e3", "cycles");
  expect(8, "nan", "latency_s");
  expect(8, "inf", "latency_s");
  expect(8, "-1e-9", "latency_s");
  expect(8, "1e999", "latency_s");
  expect(8, "", "latency_s");
  expect(9, "0x10", "energy_j");
  expect(10, "1", "energy_high_j");  // less than energy_j
  expect(11, "1.0", "bytes_read");
  expect(13, "rlt", "origin");
  expect(14, "a\"b", "quote");
  expect(14, "\"ab", "quote");
  expect(14, "\"a\"b", "quoted");
  expect(14, "a\rb", "carriage return");
  expect(14, "a,b", "more than 17 columns, from '1' on");
  expect(14, std::string(5000, 's'), "5000");
  expect(14, std::string("a\0b", 3), "zero byte");
  expect(16, "2", "version: '2', this program reads tables of version 1");
}

TEST(Lut, ReadsWhatWasWrittenBeforeTablesHadAVersion) {
  const std::vector<LutRow> rows = parse_lut(
      "variant,layer,shape,weight_bits,activation_bits,signed,batch,cycles,latency_s,energy_j,"
      "energy_high_j,bytes_read,bytes_written,origin,schedule,key\n"
      "bismo_edge,fc2,linear i500 o10,4,4,0,1,2011,1.34e-05,2e-07,3e-07,4096,64,rtl,k1,ab\n",
      "yesterday.csv");
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].cycles, 2011u);
  EXPECT_EQ(rows[0].key, "ab");
}

TEST_F(HostileLut, WrongColumnsAreAnError) {
  EXPECT_THAT(message_of<Error>([] { parse_lut("", "f.csv"); }), HasSubstr("f.csv:1"));
  EXPECT_THAT(message_of<Error>([] { parse_lut("layer,cycles\nconv1,5\n", "f.csv"); }),
              AllOf(HasSubstr("f.csv:1"), HasSubstr("no column variant"),
                    HasSubstr("variant,layer,shape")));
  EXPECT_THAT(message_of<Error>([&] { parse_lut("note," + head() + "a\n", "f.csv"); }),
              AllOf(HasSubstr("f.csv:1"), HasSubstr("'note' is not known")));
  EXPECT_THAT(message_of<Error>([&] { parse_lut("key," + head(), "f.csv"); }),
              HasSubstr("two columns key"));
  std::string semicolons = head();
  std::replace(semicolons.begin(), semicolons.end(), ',', ';');
  EXPECT_THAT(message_of<Error>([&] { parse_lut(semicolons, "f.csv"); }), HasSubstr("';'"));
  EXPECT_THAT(message_of<Error>([&] { parse_lut("\xff\xfev\0", "f.csv"); }), HasSubstr("UTF-16"));
  EXPECT_THAT(message_of<Error>([&] { parse_lut(head(), "f.csv"); }), HasSubstr("no rows"));
  EXPECT_THAT(message_of<Error>([&] { parse_lut(head() + "a,b,c\n", "f.csv"); }),
              AllOf(HasSubstr("f.csv:2"), HasSubstr("3 columns")));
}

TEST_F(HostileLut, OneShapeWithTwoCostsIsAnError) {
  LutRow a;
  a.variant = a.shape = "s";
  a.layer = "first";
  a.cycles = 5;
  LutRow b = a;
  b.layer = "second";
  EXPECT_EQ(parse_lut(lut_csv({a, b}), "f.csv").size(), 2u);
  const auto message = [&a](const LutRow& other) {
    return message_of<Error>([&] { parse_lut(lut_csv({a, other}), "f.csv"); });
  };
  b.cycles = 6;
  EXPECT_THAT(message(b), AllOf(HasSubstr("f.csv:3"), HasSubstr("second"), HasSubstr("first"),
                                HasSubstr("cycles 6 here and 5 above (line 2")));
  // The field that differs is named, not another one.
  b = a;
  b.latency_s = 2e-6;
  EXPECT_THAT(message(b), HasSubstr("latency_s 2e-06 here and 0 above"));
  b = a;
  b.energy_high_j = 3.5;
  EXPECT_THAT(message(b), HasSubstr("energy_high_j 3.5 here and 0 above"));
  b.energy_j = 2;
  EXPECT_THAT(message(b), HasSubstr("energy_j 2 here and 0 above"));
}

TEST_F(HostileLut, MutatedFilesNeverDoWorseThanAnError) {
  Rng rng(9);
  const std::string good = lut_csv(random_rows(rng, 4));
  int errors = 0;
  for (int round = 0; round < 2000; ++round) {
    std::string text = good;
    for (std::int64_t n = rng.integer(1, 4); n > 0; --n) {
      const auto at = static_cast<std::size_t>(rng.integer(0, text.size() - 1));
      switch (rng.integer(0, 2)) {
        case 0:
          text[at] = static_cast<char>(rng.integer(0, 255));
          break;
        case 1:
          text.erase(at, static_cast<std::size_t>(rng.integer(1, 40)));
          break;
        default:
          text.insert(at, text.substr(at / 2, 20));
      }
      if (text.empty()) text = ",";
    }
    try {
      parse_lut(text, "f.csv");
    } catch (const Error& error) {
      ++errors;
      EXPECT_THAT(error.what(), HasSubstr("f.csv"));
    }
  }
  EXPECT_GT(errors, 500);
}

TEST(Lut, MissingFileIsAnError) {
  const TemporaryFolder folder;
  EXPECT_THAT(message_of<Error>([&] { load_lut(folder / "no.csv"); }), HasSubstr("no.csv"));
}

}  // namespace
}  // namespace bittern
