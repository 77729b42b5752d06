// The networks of configs/networks against multiply-accumulates that are known from elsewhere.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <map>
#include <numeric>
#include <sstream>

#include "host/base/file.h"
#include "host/network/network.h"

namespace bittern {
namespace {

using Macs = std::vector<std::int64_t>;

/// What is known of one network: multiply-accumulates of one image, layer by layer.
struct Known {
  std::string network;
  Macs macs;
  std::int64_t total;
};

std::ostream& operator<<(std::ostream& out, const Known& known) { return out << known.network; }

Macs operator+(Macs a, const Macs& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

Macs operator*(int times, const Macs& block) {
  Macs all;
  for (int i = 0; i < times; ++i) all = all + block;
  return all;
}

/// MobileNet-V2 from the table of its paper: (expansion, channels, blocks, stride of the first).
Macs mobilenet_v2_of_the_paper() {
  Macs macs = {112 * 112 * 32 * 27};
  std::int64_t side = 112, in = 32;
  for (const auto& [t, c, n, s] : std::vector<std::array<std::int64_t, 4>>{{1, 16, 1, 1},
                                                                           {6, 24, 2, 2},
                                                                           {6, 32, 3, 2},
                                                                           {6, 64, 4, 2},
                                                                           {6, 96, 3, 1},
                                                                           {6, 160, 3, 2},
                                                                           {6, 320, 1, 1}}) {
    for (int block = 0; block < n; ++block) {
      if (t > 1) macs.push_back(side * side * in * in * t);
      if (block == 0) side /= s;
      macs.push_back(side * side * in * t * 9);
      macs.push_back(side * side * in * t * c);
      in = c;
    }
  }
  return macs + Macs{7 * 7 * 320 * 1280, 1280 * 1000};
}

/// ResNet-50 from the table of its paper, with the stride in the 3x3 convolution.
Macs resnet50_of_the_paper() {
  Macs macs = {112 * 112 * 64 * 49 * 3};
  std::int64_t side = 56, in = 64;
  for (const auto& [c, n] :
       std::vector<std::array<std::int64_t, 2>>{{64, 3}, {128, 4}, {256, 6}, {512, 3}}) {
    for (int block = 0; block < n; ++block) {
      const std::int64_t before = side;
      if (block == 0 && c > 64) side /= 2;
      macs.push_back(before * before * in * c);
      macs.push_back(side * side * c * c * 9);
      macs.push_back(side * side * c * 4 * c);
      if (block == 0) macs.push_back(side * side * in * 4 * c);
      in = 4 * c;
    }
  }
  return macs + Macs{2048 * 1000};
}

std::vector<Known> known_networks() {
  const Macs dense = {37748736, 16777216, 4096000};  // AlexNet's linear layers
  return {
      {"lenet", {288000, 1600000, 400000, 5000}, 2293000},
      {"simplenet", {352800, 240000, 48000, 10080, 840}, 651720},
      {"svhn8", {884736, 9437184, 4718592, 9437184, 4718592, 9437184, 1179648, 2560}, 39815680},
      {"svhn10",
       Macs{884736, 9437184, 4718592, 9437184, 4718592, 9437184, 9437184} +
           Macs{4 * 4 * 128 * 256 * 9, 2 * 2 * 256 * 256 * 9, 2560},
       55151104},
      {"vgg11",
       {1769472, 18874368, 18874368, 37748736, 18874368, 37748736, 9437184, 9437184, 5120},
       152769536},
      {"vgg16",
       Macs{1769472, 37748736} + Macs{18874368, 37748736} + Macs{18874368, 37748736, 37748736} +
           Macs{18874368, 37748736, 37748736} + 3 * Macs{9437184} + 2 * Macs{262144} + Macs{5120},
       313725952},
      {"alexnet", Macs{70276800, 223948800, 112140288, 149520384, 99680256} + dense, 714188480},
      {"alexnet_grouped", Macs{105415200, 223948800, 149520384, 112140288, 74760192} + dense,
       724406816},
      {"resnet20",
       Macs{442368} + 6 * Macs{2359296} + 2 * (Macs{1179648, 2359296, 131072} + 4 * Macs{2359296}) +
           Macs{640},
       40813184},
      {"resnet20a",
       Macs{442368} + 6 * Macs{2359296} + 2 * (Macs{1179648} + 5 * Macs{2359296}) + Macs{640},
       40551040},
      {"mobilenet_v1",
       Macs{10838016} + Macs{3612672, 25690112, 1806336, 25690112, 3612672, 51380224} +
           Macs{903168, 25690112, 1806336, 51380224, 451584, 25690112} +
           5 * Macs{903168, 51380224} + Macs{225792, 25690112, 451584, 51380224} + Macs{1024000},
       568740352},
      {"mobilenet_v2", mobilenet_v2_of_the_paper(), 300774272},
      {"resnet50", resnet50_of_the_paper(), 4089184256},
  };
}

class ZooMacsTest : public ::testing::TestWithParam<Known> {};

TEST_P(ZooMacsTest, MultiplyAccumulatesOfEveryLayerAreTheKnownOnes) {
  const Network network = load_network(GetParam().network);
  Macs macs;
  for (const Layer& layer : network.layers) macs.push_back(layer.macs());
  EXPECT_EQ(macs, GetParam().macs);
  EXPECT_EQ(network.macs(), GetParam().total);
}

INSTANTIATE_TEST_SUITE_P(Known, ZooMacsTest, ::testing::ValuesIn(known_networks()),
                         [](const auto& info) { return info.param.network; });

TEST(ZooTest, WeightsAreThoseOfTheModels) {
  // Parameters of torchvision's models less biases and batch normalisation.
  EXPECT_EQ(load_network("alexnet").weights(), 61100840 - 10344);
  EXPECT_EQ(load_network("mobilenet_v2").weights(), 3504872 - 2 * 17056 - 1000);
  EXPECT_EQ(load_network("resnet50").weights(), 25557032 - 2 * 26560 - 1000);
}

TEST(ZooTest, LayersAreWhatTheirMeasurementsAreStoredUnder) {
  std::map<std::string, std::vector<std::string>> known;
  std::istringstream lines(read_file(home_folder() / "tests/host/network/zoo_layers.txt"));
  for (std::string line; std::getline(lines, line);) {
    if (line[0] != '#') known[line.substr(0, line.find('|'))].push_back(line);
  }
  ASSERT_GE(known.size(), 13u);
  for (const auto& [name, expected] : known) {
    std::vector<std::string> found;
    for (const Layer& layer : load_network(name).layers) {
      found.push_back(name + "|" + layer.name + "|" + layer.key() +
                      (layer.signed_input ? "|signed" : "|unsigned"));
    }
    EXPECT_EQ(found, expected);
  }
}

TEST(ZooTest, EveryNetworkCanBeTrained) {
  for (const std::string& name : network_names()) {
    EXPECT_NO_THROW(require_trainable(load_network(name))) << name;
  }
}

TEST(ZooTest, OnlyWhatFollowsALinearBottleneckIsSignedInMobileNetV2) {
  const Network network = load_network("mobilenet_v2");
  for (std::size_t i = 1; i < network.layers.size(); ++i) {
    const bool behind_projection = network.layers[i - 1].name.find("project") != std::string::npos;
    EXPECT_EQ(network.layers[i].signed_input, behind_projection) << network.layers[i].name;
  }
}

TEST(ZooTest, ReluOfResNetsIsBehindTheAddition) {
  for (const char* name : {"resnet20", "resnet50"}) {
    const Network network = load_network(name);
    for (std::size_t i = 1; i < network.layers.size(); ++i) {
      EXPECT_FALSE(network.layers[i].signed_input) << network.layers[i].name;
    }
  }
}

}  // namespace
}  // namespace bittern
