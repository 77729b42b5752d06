#include "host/network/wiring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/temporary_folder.h"
#include "host/network/network.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;

class WiringTest : public ::testing::Test {
 protected:
  Network load(const std::string& layers) {
    write_file(folder_ / "n.yaml", "name: n\ninput: [1, 28, 28]\nlayers:\n" + layers);
    return load_network((folder_ / "n.yaml").string());
  }
  const TemporaryFolder folder_;
};

TEST_F(WiringTest, AChainTakesEachLayerFromTheOneBefore) {
  const Network n = load(
      "  - conv: {name: a, out: 2, kernel: 3}\n"
      "  - conv: {name: b, out: 2, kernel: 3, relu: false}\n"
      "  - pool: {kernel: 3, stride: 2, pad: [0, 1, 1, 2]}\n"
      "  - pool: {kernel: [2, 1]}\n"
      "  - linear: {name: c, out: 2}\n");
  ASSERT_EQ(n.wiring.size(), 3u);
  EXPECT_EQ(n.wiring[0].input.layer, Source::kImage);
  EXPECT_EQ(n.wiring[1].input.layer, 0);
  EXPECT_EQ(n.wiring[2].input.layer, 1);
  EXPECT_TRUE(n.wiring[0].relu);
  EXPECT_FALSE(n.wiring[1].relu);
  EXPECT_TRUE(n.wiring[0].input.pools.empty());
  ASSERT_EQ(n.wiring[2].input.pools.size(), 2u);
  const Pool& first = n.wiring[2].input.pools[0];
  EXPECT_EQ(first.kernel_h, 3);
  EXPECT_EQ(first.stride_w, 2);
  EXPECT_EQ(first.pad_top, 0);
  EXPECT_EQ(first.pad_bottom, 1);
  EXPECT_EQ(first.pad_left, 1);
  EXPECT_EQ(first.pad_right, 2);
  EXPECT_THAT(first.where, HasSubstr("n.yaml:6"));
  const Pool& second = n.wiring[2].input.pools[1];
  EXPECT_EQ(second.kernel_h, 2);
  EXPECT_EQ(second.kernel_w, 1);
  EXPECT_EQ(second.stride_h, 2);
  EXPECT_EQ(second.stride_w, 1);
  EXPECT_THAT(n.wiring[2].where, HasSubstr("n.yaml:8"));
  EXPECT_EQ(n.output.layer, 2);
  EXPECT_TRUE(n.output.pools.empty());
}

TEST_F(WiringTest, BranchesComeFromWhereTheFileSays) {
  const Network n = load(
      "  - conv: {name: stem, out: 2, kernel: 3}\n"
      "  - pool: {name: small, kernel: 2}\n"
      "  - conv: {name: left, out: 2, kernel: 3}\n"
      "  - conv: {name: right, from: stem, out: 2, kernel: 3}\n"
      "  - conv: {name: other, from: small, out: 2, kernel: 1}\n"
      "  - conv: {name: again, from: input, out: 2, kernel: 1}\n"
      "  - pool: {from: left, global: true}\n");
  EXPECT_EQ(n.wiring[1].input.layer, 0);
  EXPECT_EQ(n.wiring[1].input.pools.size(), 1u);
  EXPECT_EQ(n.wiring[2].input.layer, 0);
  EXPECT_TRUE(n.wiring[2].input.pools.empty());
  EXPECT_EQ(n.wiring[3].input.layer, 0);
  EXPECT_EQ(n.wiring[3].input.pools.size(), 1u);
  EXPECT_EQ(n.wiring[4].input.layer, Source::kImage);
  EXPECT_EQ(n.output.layer, 1);
  ASSERT_EQ(n.output.pools.size(), 1u);
  EXPECT_TRUE(n.output.pools[0].global);
}

TEST_F(WiringTest, NetworksThatComputeSomethingElseHaveOtherKeys) {
  const std::string conv = "  - conv: {name: a, out: 2, kernel: 2}\n";
  const std::string head = "  - linear: {name: h, out: 2}\n";
  std::set<std::string> keys;
  std::string layers;
  for (const char* between : {"  - pool: {kernel: 3, stride: 2}\n", "  - pool: {kernel: 2}\n",
                              "  - pool: {kernel: 2, stride: 2, pad: [0, 0, 0, 0]}\n"}) {
    const Network n = load(conv + between + head);
    keys.insert(wiring_key(n));
    // The same layers all the time: 27 pixels become 13.
    if (layers.empty()) layers = n.layers[1].key();
    EXPECT_EQ(n.layers[1].key(), layers);
  }
  EXPECT_EQ(keys.size(), 2u);
  keys.insert(wiring_key(load(conv + head)));
  keys.insert(wiring_key(load("  - conv: {name: a, out: 2, kernel: 2, relu: false}\n" + head)));
  keys.insert(wiring_key(load(conv + "  - linear: {name: h, from: input, out: 2}\n")));
  keys.insert(wiring_key(load(conv + head + "  - pool: {from: a, kernel: 2}\n")));
  EXPECT_EQ(keys.size(), 6u);
}

TEST_F(WiringTest, TooMuchToCountIsAnErrorAndNoNegativeNumber) {
  std::string layers;
  for (int i = 0; i < 200; ++i) {
    layers += "  - conv: {name: c" + std::to_string(i) +
              ", from: input, out: 1, kernel: 8192, pad: 8191}\n";
  }
  write_file(folder_ / "n.yaml", "name: n\ninput: [1, 8192, 65536]\nlayers:\n" + layers);
  Network n = load_network((folder_ / "n.yaml").string());
  EXPECT_EQ(n.layers[0].macs(), std::int64_t{16383} * 73727 * 8192 * 8192);  // 8.1e16
  try {
    ADD_FAILURE() << n.macs();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("multiply-accumulates of network n: more than 64 bits"));
  }
  n.layers.resize(100);
  EXPECT_EQ(n.macs(), 100 * n.layers[0].macs());
}

}  // namespace
}  // namespace bittern
