#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/apps/cli.h"

namespace bittern {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const char kCompare[] = "compare --model --network lenet --variants ";

/// policy.json for LeNet with these bits (weights and activations alike).
void write_lenet_policy(const std::filesystem::path& file, const std::vector<int>& bits) {
  nlohmann::json layers;
  const char* names[] = {"conv1", "conv2", "fc1", "fc2"};
  for (std::size_t i = 0; i < bits.size(); ++i) {
    layers.push_back({{"name", names[i]}, {"weight_bits", bits[i]}, {"activation_bits", bits[i]}});
  }
  write_file(file, nlohmann::json{{"network", "lenet"}, {"layers", layers}}.dump());
}

TEST(Compare, ShowsVariantsSideBySide) {
  const CliResult result = run_bittern(std::string(kCompare) +
                                       "bismo_edge,bismo_cloud --wbits 4 "
                                       "--abits 8");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("lenet: policy w4a8 on 2 variants"), HasSubstr("layers, policy w4a8"),
                    HasSubstr("roofline"), HasSubstr("for one image"), Not(HasSubstr("transfer"))));
}

TEST(Compare, JsonAgreesWithMeasure) {
  const CliResult result = run_bittern(std::string(kCompare) +
                                       "bismo_tiny,bismo_cloud --wbits 2 --abits 3 --format json");
  ASSERT_EQ(result.status, 0) << result.err;
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json.at("format"), "bittern-compare-1");
  for (const auto& variant : json.at("variants")) {
    const std::string name = variant.at("name");
    const auto measured = nlohmann::json::parse(
        run_bittern("measure --model --network lenet --wbits 2 --abits 3 --format json --variant " +
                    name)
            .out);
    const double batch = variant.at("batch");
    EXPECT_EQ(measured.at("batch"), batch);
    std::vector<nlohmann::json> rows = measured.at("layers").at("rows");
    rows.push_back(measured.at("layers").at("total"));
    std::size_t found = 0;
    std::vector<nlohmann::json> compared = json.at("results").at("rows");
    for (const auto& total : json.at("results").at("totals")) compared.push_back(total);
    for (const auto& row : compared) {
      if (row.at("variant") != name) continue;
      const auto& same = rows.at(found++);
      EXPECT_EQ(row.at("layer"), same.at("layer"));
      EXPECT_EQ(row.at("cycles"), same.at("cycles"));
      EXPECT_NEAR(row.at("latency_us").get<double>() * batch, same.at("latency_us"), 1e-6);
      EXPECT_NEAR(row.at("energy_high_uj").get<double>() * batch, same.at("energy_high_uj"), 1e-6);
      EXPECT_NEAR(row.at("edp_pj_s").get<double>(),
                  row.at("latency_us").get<double>() * row.at("energy_uj").get<double>(), 1e-6);
      EXPECT_EQ(row.at("utilisation_pct"), same.at("utilisation_pct"));
      EXPECT_EQ(row.at("wait_rhs_pct"), same.at("wait_rhs_pct"));
      EXPECT_EQ(row.at("origin"), "model");
      EXPECT_LE(row.at("achieved_gops"), row.at("attainable_gops"));
    }
    EXPECT_EQ(found, rows.size());
  }
}

TEST(Compare, ShowsTheBitsThatRunAndThePartsOfEveryCore) {
  const auto json = nlohmann::json::parse(
      run_bittern(std::string(kCompare) +
                  "bismo_tiny,stripes_tiny,bitfusion_tiny --wbits 3 --abits 5 --format json")
          .out);
  std::size_t rounded = 0;
  for (const auto& row : json.at("results").at("rows")) {
    const bool rounds = row.at("variant") == "bitfusion_tiny";
    rounded += rounds;
    EXPECT_EQ(row.at("wbits"), 3);
    EXPECT_EQ(row.at("wbits_run"), rounds ? 4 : 3);
    EXPECT_EQ(row.at("abits_run"), rounds ? 8 : 5);
    EXPECT_GT(row.at("run_pct"), 0.0);
    EXPECT_LE(row.at("achieved_gops"), row.at("attainable_gops"));
  }
  EXPECT_EQ(rounded, 4u);
}

TEST(Compare, CsvHasALineForEveryPolicyLayerAndVariantAndWhenAskedForTheSums) {
  const TemporaryFolder folder("bittern-cli");
  write_lenet_policy(folder.path() / "mine.json", {8, 4, 2, 8});
  const CliResult result =
      run_bittern(std::string(kCompare) + "bismo_edge,bismo_tiny --wbits 8 --abits 8 --policy " +
                  (folder.path() / "mine.json").string() + " --layers fc1,0 --format csv --total");
  EXPECT_EQ(result.status, 0) << result.err;
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 1 + 2 * (2 + 1) * 2);
  EXPECT_THAT(result.out, AllOf(HasSubstr("\nmine,fc1,bismo_edge,1,2,2,2,2,400000,"),
                                HasSubstr("\nw8a8,total,bismo_tiny,1,,,,,")));
}

TEST(Compare, TransferMatrixRefersToPoliciesNamedLikeVariants) {
  const TemporaryFolder folder("bittern-cli");
  std::filesystem::create_directory(folder.path() / "found");
  write_lenet_policy(folder.path() / "edge.json", {8, 4, 4, 8});
  write_lenet_policy(folder.path() / "found/policy.json", {8, 2, 2, 8});
  const std::string line = std::string(kCompare) + "bismo_edge,bismo_tiny --policy bismo_edge=" +
                           (folder.path() / "edge.json").string() + " --policy " +
                           (folder.path() / "found/policy.json").string();
  const CliResult text = run_bittern(line);
  EXPECT_THAT(text.out, AllOf(HasSubstr("2 policies on 2 variants"), HasSubstr("(1.000x)")));
  const auto transfer = nlohmann::json::parse(run_bittern(line + " --format json").out)["transfer"];
  ASSERT_EQ(transfer.size(), 4u);
  EXPECT_EQ(transfer[0]["penalty"], 1.0);
  EXPECT_TRUE(transfer[1]["penalty"].is_null()) << "no policy was made for bismo_tiny";
  EXPECT_EQ(transfer[2]["policy"], "found") << "policy.json is called like its folder";
  EXPECT_LT(transfer[2]["penalty"], 1.0);
}

TEST(Compare, ReportIsOnePageThatFetchesNothing) {
  const TemporaryFolder folder("bittern-cli");
  const std::string file = (folder.path() / "report.html").string();
  const CliResult result = run_bittern(
      std::string(kCompare) + "bismo_edge,bismo_cloud --wbits 4 --abits 4 --report " + file);
  EXPECT_EQ(result.status, 0) << result.err;
  const std::string html = read_file(file);
  EXPECT_THAT(html,
              AllOf(HasSubstr("Roofline of bismo_cloud"), HasSubstr("all model"),
                    Not(HasSubstr("<script")), Not(HasSubstr("http")), Not(HasSubstr("nan"))));
}

TEST(Compare, SaysWhatIsWrongWithItsArguments) {
  const TemporaryFolder folder("bittern-cli");
  const auto policy = [&](const std::string& name) { return (folder.path() / name).string(); };
  write_lenet_policy(policy("good.json"), {4, 4, 4, 4});
  write_lenet_policy(policy("short.json"), {4, 4, 4});
  write_file(policy("other.json"), R"({"network": "odd", "layers": []})");
  const auto expect = [](const std::string& arguments, const std::string& text) {
    const CliResult result = run_bittern("compare " + arguments);
    EXPECT_EQ(result.status, 2) << arguments;
    EXPECT_THAT(result.err, HasSubstr(text)) << arguments;
    EXPECT_EQ(result.out, "") << arguments;
  };
  const std::string bits = " --wbits 4 --abits 4 --model";
  expect("--network lenet" + bits, "--variants is required");
  expect("--network lenet --variants ''" + bits, "--variants: expected something");
  expect("--network lenet --variants bismo_edge,bismo_edge" + bits, "bismo_edge is given twice");
  expect("--network lenet --variants bismo_edeg" + bits, "did you mean 'bismo_edge'");
  expect("--network lenett --variants bismo_edge" + bits, "did you mean 'lenet'");
  expect("--variants bismo_edge" + bits, "--network is required");
  const std::string lenet = "--model --network lenet --variants bismo_edge ";
  expect(lenet, "--wbits and --abits, or --policy");
  expect(lenet + "--wbits 4", "--abits");
  expect(lenet + "--wbits 17 --abits 4", "--wbits");
  expect(lenet + "--wbits 9 --abits 4", "expected 1 to 8 on variant bismo_edge");
  expect("--network lenet --variants bitfusion_tiny,bismo_tiny --wbits 16 --abits 8 --model",
         "expected 1 to 8 on variant bismo_tiny");
  expect("--model published --network lenet --variants bismo_edge --wbits 4 --abits 4",
         "no published model");
  expect("--model publishd --network lenet --variants bismo_edge --wbits 4 --abits 4",
         "did you mean 'published'");
  expect(lenet + "--wbits 4 --abits 4 --format xml", "xml");
  expect(lenet + "--wbits 4 --abits 4 --layers conv9", "did you mean 'conv1'");
  expect(lenet + "--policy " + policy("short.json"), "no bits for layer 'fc2'");
  expect(lenet + "--policy " + policy("other.json"), "for network 'odd', not for 'lenet'");
  expect(lenet + "--policy =" + policy("good.json"), "expected name=file");
  expect(lenet + "--policy mine=", "expected name=file");
  expect(lenet + "--policy " + policy("good.json") + " --policy " + policy("good.json"),
         "two policies are called 'good'");
  expect("--network lenet --variants bismo_edge,bismo_tiny --wbits 4 --abits 4 --device a:1",
         "a device is one variant");
}

TEST(Compare, CannotWriteTheReportIsAFailure) {
  const CliResult result = run_bittern(std::string(kCompare) +
                                       "bismo_tiny --wbits 4 --abits 4 --report /dev/null/x.html");
  EXPECT_EQ(result.status, 1);
  EXPECT_THAT(result.err, HasSubstr("/dev/null"));
}

}  // namespace
}  // namespace bittern
