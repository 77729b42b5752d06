#include "host/base/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "host/base/error.h"
#include "host/base/random.h"

namespace bittern {
namespace {

using Records = std::vector<std::vector<std::string>>;

Records read(const std::string& text, CsvReader::Hash hash = CsvReader::Hash::kField) {
  const std::string file = "f.csv";
  CsvReader reader(text, file, hash);
  Records all;
  for (std::vector<std::string> fields; reader.next(fields, 9);) all.push_back(fields);
  return all;
}

TEST(Csv, ReadsBackEveryFieldThatWasWritten) {
  const std::string letters = "ab, \"\n\t'#";
  Rng rng(4);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> fields;
    std::string text;
    for (int i = 0; i < 5; ++i) {
      std::string field = "x";
      for (std::int64_t n = rng.integer(0, 6); n > 0; --n) {
        field += letters[static_cast<std::size_t>(rng.integer(0, letters.size() - 1))];
      }
      fields.push_back(field);
      text += (i > 0 ? "," : "") + csv_field(field);
    }
    EXPECT_EQ(read(text + "\n"), Records{fields}) << text;
  }
}

TEST(Csv, WhatSpreadsheetsAddMeansNothing) {
  EXPECT_EQ(read("\xef\xbb\xbf"
                 "a , b\r\n\r\n\n 1,\"2\" \r\n"),
            (Records{{"a", "b"}, {"1", "2"}}));
  EXPECT_EQ(read(""), Records{});
}

TEST(Csv, LinesThatBeginWithAHashAreCommentsWhereThatIsAgreed) {
  const std::string text = "# a, \"b\n  # c\na,b # d\n";
  EXPECT_EQ(read(text, CsvReader::Hash::kComment), (Records{{"a", "b # d"}}));
  EXPECT_EQ(read("#a,b\n"), (Records{{"#a", "b"}}));
}

TEST(Csv, KnowsWhereARecordBegins) {
  const std::string file = "f.csv";
  CsvReader reader("a\n\n\"b\nc\"\nd\n", file);
  std::vector<std::string> fields;
  std::vector<std::size_t> lines;
  while (reader.next(fields, 1)) lines.push_back(reader.line());
  EXPECT_THAT(lines, testing::ElementsAre(1, 3, 5));
}

}  // namespace
}  // namespace bittern
