#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/apps/cli.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;

class Export : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  CliResult exported(const std::string& options) const {
    CliResult result = run_bittern("export " + options, 240);
    if (result.err.find("no agent") != std::string::npos) skip_ = true;
    return result;
  }

  TemporaryFolder folder_;
  mutable bool skip_ = false;
};

TEST_F(Export, SlipsAreSaidBeforeTheWork) {
  const auto expect_wrong = [this](const std::string& options, const std::string& words) {
    const CliResult result = exported(options);
    if (skip_) return;
    EXPECT_EQ(result.status, 2) << options;
    EXPECT_THAT(result.err, HasSubstr(words)) << options;
  };
  expect_wrong("--network lenet --wbits 4 --abits 4", "--format is required");
  expect_wrong("--network lenet --format qonxx", "qonxx");
  expect_wrong("--network lenet --format haq-lut", "--variant");
  expect_wrong("--network lenet --format haq-lut --variant bismo_tiny --wbits 4 --abits 4",
               "every pair of bits");
  expect_wrong("--network lenet --format json", "--policy");
  expect_wrong("--network lenet --wbits 4 --abits 4 --format json",
               "network lenet came without weights");
  write_file(path("file"), "");
  expect_wrong("--network lenet --wbits 4 --abits 4 --format packed --out " + path("file"),
               "is a folder of files");
  if (skip_) GTEST_SKIP() << "built without LibTorch";
}

TEST_F(Export, ATableOfCostsHasTheCyclesOfMeasure) {
  const CliResult result = exported(
      "--network lenet --variant stripes_tiny --model --format haq-lut --out " + path("lut.npy"));
  if (skip_) GTEST_SKIP() << result.err;
  ASSERT_EQ(result.status, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("model")) << "where the cycles are from";
  const std::string table = read_file(path("lut.npy"));
  const std::string numbers = table.substr(table.size() - 4 * 64 * 8);
  const auto at = [&numbers](int layer, int weight, int activation) {
    std::uint64_t cycles = 0;
    for (int byte = 7; byte >= 0; --byte) {
      const std::size_t place = ((layer * 8 + weight - 1) * 8 + activation - 1) * 8 + byte;
      cycles = cycles << 8 | static_cast<unsigned char>(numbers[place]);
    }
    return cycles;
  };
  const CliResult measured = run_bittern(
      "measure --network lenet --variant stripes_tiny --model --wbits 3 --abits 5 --format json");
  const nlohmann::json layers = nlohmann::json::parse(measured.out)["layers"]["rows"];
  ASSERT_EQ(layers.size(), 4u);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(at(i, 3, 5), layers[static_cast<std::size_t>(i)]["cycles"].get<std::uint64_t>());
  }
}

}  // namespace
}  // namespace bittern
