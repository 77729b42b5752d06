#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "host/base/file.h"
#include "host/base/temporary_folder.h"
#include "tests/apps/cli.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::string kModel = std::string(BITTERN_SOURCE_DIR) + "/docs/examples/import/digits.onnx";

TEST(Import, WritesANetworkWithItsWeightsBesideIt) {
  const TemporaryFolder folder;
  const std::string out = (folder / "digits.yaml").string();
  const CliResult imported = run_bittern("import " + kModel + " --out " + out);
  ASSERT_EQ(imported.status, 0) << imported.err;
  EXPECT_THAT(imported.out, HasSubstr("conv2"));
  EXPECT_THAT(imported.err, HasSubstr("1108 weights"));
  EXPECT_THAT(read_file(folder / "digits.yaml"), StartsWith("name: digits\n"));
  const CliResult shown = run_bittern("networks " + out + " --format json");
  EXPECT_EQ(shown.status, 0) << shown.err;
}

TEST(Import, AModelFileIsMeasuredAsTheNetworkMadeOfIt) {
  const TemporaryFolder folder;
  const std::string out = (folder / "digits.yaml").string();
  ASSERT_EQ(run_bittern("import " + kModel + " --out " + out).status, 0);
  const std::string rest = " --variant bismo_tiny --wbits 2 --abits 3 --model closed --format csv";
  const CliResult direct = run_bittern("measure --network " + kModel + rest);
  ASSERT_EQ(direct.status, 0) << direct.err;
  EXPECT_EQ(run_bittern("measure --network " + out + rest).out, direct.out);
}

TEST(Import, SaysWhatIsWrongBeforeAnythingIsWritten) {
  const TemporaryFolder folder;
  const std::string out = (folder / "x.yaml").string();
  const auto expect = [&](const std::string& arguments, const std::string& message) {
    const CliResult result = run_bittern("import " + arguments);
    EXPECT_EQ(result.status, 2) << arguments;
    EXPECT_THAT(result.err, HasSubstr(message)) << arguments;
    EXPECT_FALSE(std::filesystem::exists(out)) << arguments;
  };
  expect("", "which model?");
  expect("net.yaml", "expected a file ending in .onnx");
  expect("/nonexistent.onnx --out " + out, "/nonexistent.onnx");
  expect(kModel + " --mean 0.5 --out " + out, "one number of each");
  expect(kModel + " --mean 0.5,0.5 --deviation 1,1 --out " + out, "2 means and 2 deviations");
  expect(kModel + " --output nowhere --out " + out, "no node gives the output 'nowhere'");
  expect(kModel + " --input nowhere --out " + out, "it has no input 'nowhere'");
  expect(kModel + " --policy-out " + (folder / "p.json").string() + " --out " + out,
         "has no quantiser");
}

TEST(Import, ListsTheOperations) {
  const CliResult result = run_bittern("import --ops --format csv");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.out, HasSubstr("BatchNormalization"));
  EXPECT_THAT(result.out, HasSubstr("qonnx.custom_op.general::BipolarQuant"));
}

}  // namespace
}  // namespace bittern
