// Names of layers as commands take and print them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/apps/cli.h"

namespace bittern {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class Names : public ::testing::Test {
 protected:
  /// A network of small layers with these names, measured by the closed form.
  CliResult measure(const std::vector<std::string>& names, const std::string& more) const {
    std::string text = "name: n\ninput: [1, 8, 8]\nlayers:\n";
    for (const std::string& name : names) {
      text += "  - conv: {name: " + name + ", out: 2, kernel: 1}\n";
    }
    write_file(folder_ / "n.yaml", text);
    return run_bittern("measure --network " + (folder_ / "n.yaml").string() +
                       " --variant bismo_tiny --wbits 2 --abits 2 --model " + more);
  }
  std::vector<std::string> layers_of(const CliResult& result) const {
    EXPECT_EQ(result.status, 0) << result.err;
    std::vector<std::string> names;
    const json answer = json::parse(result.out);
    for (const json& row : answer.at("layers").at("rows")) {
      names.push_back(row.at("layer"));
    }
    return names;
  }
  const TemporaryFolder folder_;
};

TEST_F(Names, ExportersNamesGoThroughEveryFormat) {
  const std::vector<std::string> names = {"'/features/features.0/Conv'", "'b[1]:0'", "'a \"b\"'"};
  EXPECT_EQ(layers_of(measure(names, "--format json")),
            (std::vector<std::string>{"/features/features.0/Conv", "b[1]:0", "a \"b\""}));
  EXPECT_THAT(measure(names, "").out, HasSubstr("/features/features.0/Conv "));
  EXPECT_THAT(measure(names, "--format csv").out, HasSubstr("\n\"a \"\"b\"\"\",2,2,"));
  EXPECT_EQ(layers_of(measure(names, "--format json --layers 'b[1]:0,/features/features.0/Conv'")),
            (std::vector<std::string>{"b[1]:0", "/features/features.0/Conv"}));
}

TEST_F(Names, AWordThatIsTwoLayersIsRefusedWithBothWaysToWriteIt) {
  const std::vector<std::string> names = {"2", "0", "1"};
  const CliResult result = measure(names, "--format json --layers 1");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("write @2 for the layer called '1'"),
                                HasSubstr("@1 for the one at index 1 ('0')")));
  EXPECT_EQ(layers_of(measure(names, "--format json --layers @2,@1")),
            (std::vector<std::string>{"1", "0"}));
  // Where name and place agree, or only one of them is there, nothing is in doubt.
  EXPECT_EQ(layers_of(measure({"0", "b"}, "--format json --layers 0,1")),
            (std::vector<std::string>{"0", "b"}));
  EXPECT_EQ(layers_of(measure({"7", "b"}, "--format json --layers 7,@1")),
            (std::vector<std::string>{"7", "b"}));
}

TEST_F(Names, ALayerCountsOnce) {
  const CliResult result = measure({"a", "b"}, "--layers a,0");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("layer 'a' is given twice"));
}

TEST_F(Names, TheSumIsNeverALayer) {
  const CliResult result = measure({"total", "b"}, "--format json");
  EXPECT_EQ(layers_of(result), (std::vector<std::string>{"total", "b"}));
  EXPECT_EQ(json::parse(result.out).at("layers").at("total").at("layer"), "sum: total");
  EXPECT_EQ(json::parse(measure({"a"}, "--format json").out).at("layers").at("total").at("layer"),
            "total");
}

TEST_F(Names, SumsBeyond32BitsAreSaid) {
  write_file(folder_ / "e.yaml",
             "name: e\ninput: [138000, 1, 1]\nlayers:\n  - linear: {name: user, out: 8}\n");
  const std::string command = "measure --network " + (folder_ / "e.yaml").string() +
                              " --variant bismo_edge --abits 8 --model --wbits ";
  EXPECT_THAT(run_bittern(command + "8").out,
              AllOf(HasSubstr("Sums can exceed 32 bits"), HasSubstr("user (8/8 bits: 34)"),
                    HasSubstr("Not timed: ")));
  EXPECT_THAT(run_bittern(command + "6").out, Not(HasSubstr("exceed")));
  const json answer = json::parse(run_bittern(command + "8 --format json").out);
  EXPECT_EQ(answer.at("layers").at("rows")[0].at("sum_bits"), 34);
  EXPECT_FALSE(answer.at("not_timed").empty());
  EXPECT_THAT(run_bittern("compare --network " + (folder_ / "e.yaml").string() +
                          " --variants bismo_edge --wbits 8 --abits 8 --model")
                  .out,
              AllOf(HasSubstr("bismo_edge, w8a8: Sums can exceed"), HasSubstr("Not timed: ")));
}

TEST_F(Names, ErrorsDoNotSteerTheTerminal) {
  const CliResult result = run_bittern("measure --network $(printf 'a\\033[2Jb\\377') --variant x");
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("a\\x1b[2Jb\xef\xbf\xbd"), Not(HasSubstr("\x1b"))));
}

}  // namespace
}  // namespace bittern
