#include "agent/nn/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>

#include "agent/nn/input_scaling.h"
#include "agent/nn/model.h"
#include "agent/torch.h"
#include "host/base/error.h"
#include "host/base/temporary_folder.h"
#include "tests/host/base/message_of.h"
#include "tests/host/network/tiny_network.h"

namespace bittern {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

/// A convolution with a batch norm, and a classifier that checkpoints call `linear`.
Network named_network(const std::string& tensors = "tensors: {fc: linear}\n",
                      const std::string& first = "") {
  return parse_network(
      YamlNode::parse("name: tiny\ninput: [1, 6, 6]\n" + tensors + "layers:\n" + first +
                          "  - conv: {name: conv1, out: 2, kernel: 3, batch_norm: bn1}\n"
                          "  - pool: {global: true, kind: average}\n"
                          "  - linear: {name: fc, out: 3, relu: false}\n",
                      "tiny.yaml"));
}

/// The network's own weights under other names.
TensorFile renamed(const Network& network, const std::map<std::string, std::string>& names = {},
                   const std::string& prefix = "") {
  const Model model(network);
  TensorFile file;
  for (const auto& [name, tensor] : model.write_weights(model.random_weights(Rng(1))).tensors) {
    const auto other = names.find(name);
    file.tensors[prefix + (other == names.end() ? name : other->second)] = tensor;
  }
  return file;
}

const std::map<std::string, std::string> kLinear = {{"fc.weight", "linear.weight"},
                                                    {"fc.bias", "linear.bias"}};

TEST(FittedCheckpoint, TakesTensorsByAnyOfTheirNames) {
  const Network network = named_network();
  const std::string expected = content_hash(renamed(network));
  std::map<std::string, std::string> keras = kLinear;
  keras["bn1.weight"] = "bn1.gamma";
  keras["bn1.bias"] = "bn1.beta";
  keras["bn1.running_mean"] = "bn1.moving_mean";
  keras["bn1.running_var"] = "bn1.moving_variance";
  for (const TensorFile& file :
       {renamed(network), renamed(network, kLinear), renamed(network, kLinear, "module."),
        renamed(network, {}, "model."), renamed(network, keras)}) {
    EXPECT_EQ(content_hash(fitted_checkpoint(network, file, "x")), expected);
  }
}

TEST(FittedCheckpoint, CountersAndExtentsOfOneDoNotMatter) {
  const Network network = named_network();
  TensorFile file = renamed(network);
  const std::string expected = content_hash(file);
  file.tensors["fc.weight"].shape = {3, 2, 1, 1};
  StoredTensor counter;
  counter.type = TensorType::kI64;
  counter.data.resize(8);
  file.tensors["bn1.num_batches_tracked"] = counter;
  EXPECT_EQ(content_hash(fitted_checkpoint(network, file, "x")), expected);
}

TEST(FittedCheckpoint, WhatIsMissingIsNamedWithWhatMayBeMeant) {
  const Network network = named_network("");
  EXPECT_THAT(
      message_of([&] { fitted_checkpoint(network, renamed(network, kLinear), "f.st"); }),
      AllOf(HasSubstr("f.st: there is no tensor 'fc.weight' (3x2) for network tiny, nor 1 others"),
            HasSubstr("write tensors: {fc: linear}")));
  EXPECT_THAT(message_of([&] {
                fitted_checkpoint(network, renamed(network, {{"bn1.weight", "bn2.weight"}}), "f");
              }),
              AllOf(HasSubstr("'bn1.weight' (2)"), HasSubstr("tensors: {bn1: bn2}")));
  EXPECT_THAT(message_of([&] { fitted_checkpoint(network, {}, "f"); }),
              HasSubstr("'conv1.weight' (2x1x3x3) for network tiny, nor 6 others"));
}

TEST(FittedCheckpoint, WhatIsThereTwiceOrOfAnotherShapeIsAnError) {
  const Network network = named_network();
  TensorFile file = renamed(network);
  file.tensors["linear.weight"] = file.tensors["fc.weight"];
  EXPECT_THAT(message_of([&] { fitted_checkpoint(network, file, "f"); }),
              HasSubstr("both 'fc.weight' and 'linear.weight' could be 'fc.weight'"));
  file = renamed(network);
  file.tensors["conv1.weight"].shape = {2, 1, 9};
  EXPECT_THAT(message_of([&] { fitted_checkpoint(network, file, "f"); }),
              HasSubstr("'conv1.weight' has shape 2x1x9, network tiny needs 2x1x3x3"));
  EXPECT_THAT(message_of([] { named_network("tensors: {fcc: linear}\n"); }),
              HasSubstr("no layer or batch norm is called 'fcc', did you mean 'fc'?"));
}

TEST(FittedCheckpoint, FilesAreReadWithTheSameRules) {
  const TemporaryFolder folder;
  const Network network = named_network();
  TensorFile file = renamed(network, kLinear);
  write_safetensors(folder / "x.st", file);
  EXPECT_EQ(content_hash(read_checkpoint(network, folder / "x.st")),
            content_hash(renamed(network)));
  file.tensors["linear.bias"].data[3] = 0x7f;
  file.tensors["linear.bias"].data[2] = 0x80;
  write_safetensors(folder / "x.st", file);
  EXPECT_THAT(message_of([&] { read_checkpoint(network, folder / "x.st"); }),
              AllOf(HasSubstr("x.st"), HasSubstr("fc.bias"), HasSubstr("element 0")));
}

TEST(InputScaling, FormsOfOtherFilesAreRead) {
  const auto at = [](const std::string& text, double pixel, std::size_t channel) {
    const std::optional<InputScaling> scaling = parse_scaling(text);
    EXPECT_TRUE(scaling) << text;
    return scaling ? scaling->value(pixel, channel) : 0.0;
  };
  EXPECT_DOUBLE_EQ(at("pixel / 255", 51, 0), 0.2);
  EXPECT_DOUBLE_EQ(at("RGB/127.5-1, TF SAME padding, ReLU6", 255, 2), 1.0);
  EXPECT_DOUBLE_EQ(at("(x/255-0.1307)/0.3081", 0, 0), -0.1307 / 0.3081);
  EXPECT_DOUBLE_EQ(at("x/255 then mean 0.485,0.456,0.406 std 0.229,0.224,0.225", 255, 1),
                   (1 - 0.456) / 0.224);
  for (const char* other : {"", "as it comes", "x/255 then mean 0.5,0.5 std 0.5", "x"}) {
    EXPECT_FALSE(parse_scaling(other)) << other;
  }
  EXPECT_FALSE(parse_scaling(std::string(100000, '1')));
}

TEST(InputScaling, WhatANetworkDoesIsWhatItsCheckpointsState) {
  const Network network = named_network("", "  - normalise: {mean: [0.25], deviation: [0.5]}\n");
  const std::optional<InputScaling> scaling = scaling_of(network.graph);
  ASSERT_TRUE(scaling);
  EXPECT_DOUBLE_EQ(scaling->value(255, 0), 1.5);
  EXPECT_EQ(parse_scaling(input_text(network.graph))->value(255, 0), 1.5);
  EXPECT_EQ(input_text(named_network().graph), "pixel / 255");
}

TEST(InputScaling, AContradictionIsAnErrorThatHasTheEntryToWrite) {
  const Network network = named_network();
  TensorFile file = renamed(network);
  for (const char* same : {"x/255", "pixel / 255", "something else"}) {
    file.metadata["input"] = same;
    EXPECT_NO_THROW(fitted_checkpoint(network, file, "f")) << same;
  }
  file.metadata["input"] = "(x/255-0.25)/0.5";
  EXPECT_THAT(message_of([&] { fitted_checkpoint(network, file, "f.st"); }),
              AllOf(HasSubstr("f.st: says that images enter as \"(x/255-0.25)/0.5\""),
                    HasSubstr("normalise: {mean: [0.25], deviation: [0.5]}")));
  EXPECT_NO_THROW(fitted_checkpoint(
      named_network("", "  - normalise: {mean: [0.25], deviation: [0.5]}\n"), file, "f"));
  // Older files of Bittern state what enters the graph.
  file.metadata = {{"format", "bittern-checkpoint-1"}, {"input", "pixel / 255"}};
  EXPECT_NO_THROW(fitted_checkpoint(
      named_network("", "  - normalise: {mean: [0.25], deviation: [0.5]}\n"), file, "f"));
}

TEST(FirstClass, AnswersBeforeItTakeNoPart) {
  const auto network = [](const std::string& key) {
    return parse_network(YamlNode::parse("name: tiny\ninput: [1, 2, 1]\n" + key +
                                             "layers:\n"
                                             "  - linear: {name: fc, out: 4, relu: false}\n",
                                         "tiny.yaml"));
  };
  const Network all = network("");
  const Network classes = network("first_class: 1\n");
  EXPECT_EQ(classes_of(all.graph), 4);
  EXPECT_EQ(classes_of(classes.graph), 3);
  EXPECT_NE(graph_key(all.graph), graph_key(classes.graph));
  const Model model(all);
  const Weights weights = model.random_weights(Rng(3));
  const torch::Tensor images = torch::full({5, 1, 2, 1}, 100, torch::kUInt8);
  const torch::Tensor expected = model.forward(images, weights).narrow(1, 1, 3);
  EXPECT_TRUE(torch::equal(Model(classes).forward(images, weights), expected));
  EXPECT_THAT(message_of([&] { network("first_class: 4\n"); }), HasSubstr("first_class"));
}

}  // namespace
}  // namespace bittern
