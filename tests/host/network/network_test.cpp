#include "host/network/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/random.h"
#include "host/base/temporary_folder.h"
#include "tests/host/base/message_of.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class NetworkTest : public ::testing::Test {
 protected:
  /// A network of the given layers over a 3 x 8 x 6 input.
  Network load(const std::string& layers) {
    write_file(folder_ / "n.yaml", "name: n\ninput: [3, 8, 6]\nlayers:\n" + layers);
    return load_network((folder_ / "n.yaml").string());
  }
  std::string error_of(const std::string& layers) {
    return message_of(ExitStatus::kUsage, [&] { load(layers); });
  }
  std::string policy_error_of(const std::string& json) {
    write_file(folder_ / "p.json", json);
    try {
      load_policy(folder_ / "p.json", load_network("lenet"));
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::kUsage);
      return error.what();
    }
    ADD_FAILURE() << "expected an Error for\n" << json;
    return "";
  }
  TemporaryFolder temporary_;
  const fs::path folder_ = temporary_.path();
};

TEST_F(NetworkTest, LenetHasThePublishedMultiplyAccumulates) {
  const Network lenet = load_network("lenet");
  ASSERT_EQ(lenet.layers.size(), 4u);
  std::vector<std::int64_t> macs, weights;
  for (const Layer& layer : lenet.layers) {
    macs.push_back(layer.macs());
    weights.push_back(layer.weights());
  }
  EXPECT_THAT(macs, ElementsAre(288000, 1600000, 400000, 5000));
  EXPECT_THAT(weights, ElementsAre(500, 25000, 400000, 5000));
  EXPECT_EQ(lenet.macs(), 2293000);
  EXPECT_EQ(lenet.layers[2].in_channels, 800);
  EXPECT_FALSE(lenet.layers[0].signed_input);
}

TEST_F(NetworkTest, EveryNetworkOfTheZooLoads) {
  for (const std::string& name : network_names()) {
    const Network network = load_network(name);
    EXPECT_EQ(network.name, name);
    for (const Layer& layer : network.layers) EXPECT_NO_THROW(layer.validate());
  }
}

TEST_F(NetworkTest, OddNetworkHasTheShapesThatItsFileMeans) {
  const Network odd = load_network("odd");
  ASSERT_EQ(odd.layers.size(), 5u);
  EXPECT_EQ(odd.layers[0].key(), "conv i3x13x11 o10 k3x5 s2x1 p1,0,2,2 g1");
  EXPECT_EQ(odd.layers[1].key(), "depthwise i10x6x11 o10 k3x3 s1x1 p1,1,1,1 g10");
  EXPECT_EQ(odd.layers[3].key(), "conv i10x6x11 o15 k1x1 s2x2 p0,0,0,0 g1");
  EXPECT_EQ(odd.layers[4].key(), "linear i15 o7");
  EXPECT_TRUE(odd.layers[0].signed_input);   // the input is
  EXPECT_TRUE(odd.layers[2].signed_input);   // dw has no ReLU
  EXPECT_FALSE(odd.layers[3].signed_input);  // stem has one
}

TEST_F(NetworkTest, SamePaddingGivesCeilOfInputByStride) {
  const Network n = load("  - conv: {name: a, out: 4, kernel: 3, stride: 2, pad: same}\n");
  EXPECT_EQ(n.layers[0].out_height(), 4);
  EXPECT_EQ(n.layers[0].out_width(), 3);
  EXPECT_EQ(n.layers[0].pad_top, 0);
  EXPECT_EQ(n.layers[0].pad_bottom, 1);
}

TEST_F(NetworkTest, PoolStrideIsItsKernelUnlessSaid) {
  const Network n = load(
      "  - pool: {kernel: 2}\n  - conv: {name: a, out: 1, kernel: 1}\n"
      "  - pool: {kernel: 2, stride: 1}\n  - linear: {name: b, out: 1, in: [1, 3, 2]}\n");
  EXPECT_EQ(n.layers[0].in_height, 4);
  EXPECT_EQ(n.layers[1].in_channels, 6);
}

TEST_F(NetworkTest, StatedShapeIsChecked) {
  EXPECT_THAT(
      error_of("  - conv: {name: a, out: 4, kernel: 3, in: [3, 8, 8]}\n"),
      HasSubstr(
          "n.yaml:4: layers[0].conv.in: the file says [3, 8, 8], but the image is [3, 8, 6]"));
  EXPECT_THAT(error_of("  - conv: {name: a, out: 4, kernel: 3}\n"
                       "  - conv: {name: b, from: a, out: 4, kernel: 3, in: [8, 6, 4]}\n"),
              HasSubstr("the file says [8, 6, 4], but 'a' gives [4, 6, 4]"));
}

TEST_F(NetworkTest, AMapThatTheFileStatesAndDoesNotMakeIsMeasuredAndNotTrained) {
  const Network n = load(
      "  - conv: {name: enc, out: 8, kernel: 3, pad: 1}\n  - pool: {kernel: 2}\n"
      "  - conv: {name: dec, out: 8, kernel: 3, pad: same, in: [16, 8, 6]}\n");
  EXPECT_EQ(n.layers[1].in_channels, 16);
  EXPECT_EQ(n.layers[1].in_height, 8);
  EXPECT_FALSE(n.layers[1].signed_input);
  ASSERT_EQ(n.notes.size(), 1u);
  EXPECT_THAT(n.notes[0], HasSubstr("n.yaml:6: the file says [16, 8, 6], but the entry before it "
                                    "gives [8, 4, 3]"));
  try {
    require_trainable(n);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("states a map of 16x8x6 that nothing in the file makes"));
  }
}

TEST_F(NetworkTest, MistakesAreNamedWithFileAndLine) {
  EXPECT_THAT(error_of("  - conv: {name: a, out: 4, kernel: 3, sride: 1}\n"),
              HasSubstr("n.yaml:4: layers[0].conv: unknown key 'sride', did you mean 'stride'?"));
  EXPECT_THAT(error_of("  - conf: {name: a}\n"), HasSubstr("did you mean 'conv'?"));
  EXPECT_THAT(error_of("  - conv: {name: a, kernel: 3}\n"), HasSubstr("missing key 'out'"));
  EXPECT_THAT(
      error_of("  - conv: {name: a, out: 4, kernel: 9}\n"),
      HasSubstr(
          "n.yaml:4: layers[0].conv: layer 'a': the kernel (9x9) is larger than the padded input"));
  EXPECT_THAT(error_of("  - conv: {name: a, out: 4, kernel: 3, groups: 2}\n"),
              HasSubstr("2 groups do not divide"));
  EXPECT_THAT(error_of("  - conv: {name: a, out: 4, kernel: 3, pad: -1}\n"),
              HasSubstr("out of range"));
  EXPECT_THAT(error_of("  - depthwise: {name: a, kernel: 3, out: 4}\n"),
              HasSubstr("do not divide"));
  EXPECT_THAT(error_of("  - linear: {name: a, out: 0}\n"), HasSubstr("out of range"));
  EXPECT_THAT(error_of("  - linear: {name: a, out: 4}\n  - linear: {name: a, out: 4}\n"),
              HasSubstr("n.yaml:5: layers[1].linear: a second entry called 'a'"));
  EXPECT_THAT(error_of("  - linear: {name: 'a,b', out: 4}\n"), HasSubstr("comma"));
  EXPECT_THAT(error_of("  - linear: {name: aa, out: 4}\n  - linear: {name: b, from: ab, out: 4}\n"),
              HasSubstr("no earlier entry is called 'ab', did you mean 'aa'?"));
  EXPECT_THAT(error_of("  - conv_transpose: {name: a, out: 4, kernel: 2}\n"),
              HasSubstr("n.yaml:4: layers[0]: 'conv_transpose': transposed convolution is not "
                        "computed"));
  EXPECT_THAT(error_of("  - conv3d: {name: a, out: 4, kernel: 2}\n"), HasSubstr("3-D"));
  EXPECT_THAT(error_of("  - matmul: {from: [input, input]}\n"), HasSubstr("two activations"));
  EXPECT_THAT(error_of("  - pool: {global: true, kernel: 2}\n"), HasSubstr("not used with global"));
  EXPECT_THAT(error_of("  - pool: {kernel: 2}\n"), HasSubstr("no layer that can be quantised"));
  EXPECT_THAT(error_of("  - {conv: {}, pool: {}}\n"), HasSubstr("expected 1 to 1 keys, got 2"));
  EXPECT_THAT(error_of("  - linear: {name: a, out: 16777216}\n"
                       "  - linear: {name: b, out: 16777216}\n"),
              HasSubstr("more than 2^31 weights"));
}

TEST_F(NetworkTest, FilesWithoutAVersionAreOfTheFirst) {
  const std::string rest = "name: n\ninput: [1, 1, 4]\nlayers:\n  - linear: {name: a, out: 2}\n";
  const auto load_text = [&](const std::string& text) {
    write_file(folder_ / "n.yaml", text);
    return load_network((folder_ / "n.yaml").string());
  };
  EXPECT_EQ(load_text(rest).layers.size(), 1u);
  EXPECT_EQ(load_text("version: 1\n" + rest).layers.size(), 1u);
  try {
    load_text("version: 2\n" + rest);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("n.yaml:1: version: this Bittern reads network files of "
                                        "version 1"));
  }
}

TEST_F(NetworkTest, NameMustBeTheFilesName) {
  write_file(folder_ / "m.yaml", "name: n\ninput: [1, 1, 1]\nlayers: []\n");
  EXPECT_THROW(load_network((folder_ / "m.yaml").string()), Error);
}

TEST(LayerTest, RandomShapesAgreeWithCountingPositions) {
  Rng rng(1);
  for (int n = 0; n < 500; ++n) {
    Layer layer;
    layer.groups = static_cast<int>(rng.integer(1, 3));
    layer.in_channels = layer.groups * static_cast<int>(rng.integer(1, 4));
    layer.out_channels = layer.groups * static_cast<int>(rng.integer(1, 4));
    layer.kernel_h = static_cast<int>(rng.integer(1, 4));
    layer.kernel_w = static_cast<int>(rng.integer(1, 4));
    layer.in_height = static_cast<int>(rng.integer(layer.kernel_h, 9));
    layer.in_width = static_cast<int>(rng.integer(layer.kernel_w, 9));
    layer.stride_h = static_cast<int>(rng.integer(1, 3));
    layer.stride_w = static_cast<int>(rng.integer(1, 3));
    layer.dilation_h = static_cast<int>(rng.integer(1, 3));
    layer.dilation_w = static_cast<int>(rng.integer(1, 3));
    layer.pad_top = static_cast<int>(rng.integer(0, layer.kernel_h * layer.dilation_h));
    layer.pad_right = static_cast<int>(rng.integer(0, layer.kernel_w * layer.dilation_w));
    const int last_row = (layer.kernel_h - 1) * layer.dilation_h;
    const int last_column = (layer.kernel_w - 1) * layer.dilation_w;
    if (last_row >= layer.in_height + layer.pad_top) continue;
    if (last_column >= layer.in_width + layer.pad_right) continue;
    ASSERT_NO_THROW(layer.validate());
    std::int64_t positions = 0;
    for (int y = -layer.pad_top; y + last_row < layer.in_height; y += layer.stride_h) {
      for (int x = 0; x + last_column < layer.in_width + layer.pad_right; x += layer.stride_w) {
        ++positions;
      }
    }
    EXPECT_EQ(layer.outputs(), positions * layer.out_channels) << layer.key();
    EXPECT_EQ(layer.macs(), layer.outputs() * (layer.in_channels / layer.groups) * layer.kernel_h *
                                layer.kernel_w);
  }
}

TEST(LayerTest, KeyLeavesOutTheNameAndNothingElse) {
  Layer layer;
  layer.name = "a";
  Layer other = layer;
  other.name = "b";
  EXPECT_EQ(layer.key(), other.key());
  for (int Layer::*field :
       {&Layer::in_channels, &Layer::in_height, &Layer::in_width, &Layer::out_channels,
        &Layer::kernel_h, &Layer::kernel_w, &Layer::stride_h, &Layer::stride_w, &Layer::pad_top,
        &Layer::pad_bottom, &Layer::pad_left, &Layer::pad_right, &Layer::groups, &Layer::dilation_h,
        &Layer::dilation_w}) {
    other = layer;
    other.*field += 1;
    EXPECT_NE(layer.key(), other.key());
  }
  other = layer;
  other.kind = LayerKind::kLinear;
  EXPECT_NE(layer.key(), other.key());
}

TEST(LayerTest, ImpossibleShapesAreErrorsThatNameTheField) {
  const auto error_of = [](auto change) -> std::string {
    Layer layer;
    layer.name = "x";
    change(layer);
    try {
      layer.validate();
    } catch (const Error& error) {
      return error.what();
    }
    return "none";
  };
  EXPECT_THAT(error_of([](Layer& l) { l.stride_w = 0; }), HasSubstr("layer 'x': stride_w is 0"));
  EXPECT_THAT(error_of([](Layer& l) { l.in_channels = -1; }), HasSubstr("in_channels is -1"));
  EXPECT_THAT(error_of([](Layer& l) { l.pad_left = -1; }), HasSubstr("pad_left is -1"));
  EXPECT_THAT(error_of([](Layer& l) { l.dilation_h = 0; }), HasSubstr("dilation_h is 0"));
  EXPECT_THAT(error_of([](Layer& l) {
                l.kernel_h = 3;
                l.in_height = 6;
                l.dilation_h = 3;
              }),
              HasSubstr("the kernel (3x1, 7x1 with its dilation) is larger than the padded input "
                        "(6x1)"));
  EXPECT_THAT(error_of([](Layer& l) { l.pad_top = l.pad_left = 1 << 24; }),
              HasSubstr("more than 2^31 inputs with their padding"));
  EXPECT_THAT(error_of([](Layer& l) {
                l.kind = LayerKind::kLinear;
                l.pad_left = 1;
              }),
              HasSubstr("no padding"));
  EXPECT_THAT(error_of([](Layer& l) {
                l.kind = LayerKind::kLinear;
                l.in_width = 2;
              }),
              HasSubstr("linear layer"));
  EXPECT_THAT(error_of([](Layer& l) {
                l.kind = LayerKind::kDepthwise;
                l.in_channels = l.out_channels = 4;
                l.groups = 2;
              }),
              HasSubstr("depthwise"));
  EXPECT_THAT(error_of([](Layer& l) { l.in_channels = l.in_height = l.in_width = 1 << 24; }),
              HasSubstr("more than 2^31 inputs"));
}

TEST_F(NetworkTest, PolicyRoundTripsAndSizesAdd) {
  const Network lenet = load_network("lenet");
  const Policy policy = {{8, 8}, {3, 5}, {1, 2}, {4, 7}};
  save_policy(folder_ / "p.json", lenet, policy);
  EXPECT_EQ(load_policy(folder_ / "p.json", lenet), policy);
  EXPECT_DOUBLE_EQ(model_size_bytes(lenet, policy),
                   (500 * 8 + 25000 * 3 + 400000 * 1 + 5000 * 4) / 8.0);
  EXPECT_DOUBLE_EQ(model_size_bytes(lenet, uniform_policy(lenet, {8, 8})), 430500.0);
  EXPECT_THROW(model_size_bytes(lenet, {{8, 8}}), Error);
  EXPECT_THROW(save_policy(folder_ / "q.json", lenet, {{8, 8}}), Error);
}

TEST_F(NetworkTest, BadPoliciesAreErrorsThatNameTheLayer) {
  const std::string head = R"({"network": "lenet", "layers": [)";
  const auto layer = [](const std::string& name, const std::string& bits) {
    return R"({"name": ")" + name + R"(", "weight_bits": )" + bits + R"(, "activation_bits": 8})";
  };
  EXPECT_THAT(policy_error_of("{"), HasSubstr("not valid JSON"));
  EXPECT_THAT(policy_error_of("[]"), HasSubstr("expected a JSON object"));
  EXPECT_THAT(policy_error_of(R"({"version": 2, "network": "lenet", "layers": []})"),
              HasSubstr("\"version\" is 2, but this Bittern reads policies of version 1"));
  // No version: of the first, as everything before there were any.
  EXPECT_THAT(policy_error_of(R"({"network": "lenet", "layers": []})"), HasSubstr("no bits for"));
  EXPECT_THAT(policy_error_of(R"({"network": "alexnet", "layers": []})"),
              HasSubstr("a policy for network 'alexnet'"));
  EXPECT_THAT(policy_error_of(R"({"netwrk": "lenet"})"), HasSubstr("did you mean 'network'?"));
  EXPECT_THAT(policy_error_of(head + "]}"), HasSubstr("no bits for layer 'conv1'"));
  EXPECT_THAT(
      policy_error_of(head + layer("conv1", "17") + "]}"),
      HasSubstr("layers[0] (conv1): \"weight_bits\" is 17, expected an integer from 1 to 16"));
  EXPECT_THAT(policy_error_of(head + layer("conv1", "2.5") + "]}"), HasSubstr("is 2.5"));
  EXPECT_THAT(policy_error_of(head + layer("conv9", "8") + "]}"),
              HasSubstr("has no layer 'conv9'"));
  EXPECT_THAT(policy_error_of(head + layer("conv1", "8") + "," + layer("conv1", "8") + "]}"),
              HasSubstr("given twice"));
  EXPECT_THAT(policy_error_of(R"({"network": "lenet", "layers": [{"name": 3}]})"),
              HasSubstr("must be text"));
  EXPECT_THAT(policy_error_of("{\"network\": \"lenet\",\n \"layers\": [{\"name\": \"conv1\", "
                              "\"weight_bits\": 8,\n \"weight_bits\": 4}]}"),
              AllOf(HasSubstr("p.json:3:"), HasSubstr("\"weight_bits\" is given twice")));
  EXPECT_THAT(policy_error_of(head + std::string(100000, '[')), HasSubstr("nested deeper"));
  const std::string huge(100000, 'x');
  EXPECT_LT(policy_error_of(head + layer(huge, "8") + "]}").size(), 500u);
  EXPECT_LT(policy_error_of(head + layer("conv1", "\"" + huge + "\"") + "]}").size(), 500u);
  EXPECT_LT(policy_error_of("{\"network\": \"" + huge + "\", \"layers\": []}").size(), 500u);
  EXPECT_LT(policy_error_of("{\"" + huge + "\": 1}").size(), 500u);
  EXPECT_THAT(policy_error_of("\xef\xbb\xbf" + head + "]}"), HasSubstr("byte order mark"));
}

}  // namespace
}  // namespace bittern
