#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "bittern/bittern.h"
#include "host/analysis/measured_layers.h"
#include "host/base/temporary_folder.h"
#include "host/cores/cores.h"
#include "host/network/network.h"

namespace bittern {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

api::MeasureOptions closed_form() {
  api::MeasureOptions options;
  options.cycles = api::Cycles::kClosedForm;
  return options;
}

/// Message of the api::Error that `body` throws; `usage` is what the error has to say of itself.
template <typename Body>
std::string message_of(bool usage, Body body) {
  try {
    body();
  } catch (const api::Error& error) {
    EXPECT_EQ(error.usage(), usage) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return "";
}

TEST(FacadeTest, ListsNetworksAndVariants) {
  const api::Session session;
  EXPECT_THAT(session.networks(), Contains("lenet"));
  EXPECT_THAT(session.variants(), Contains("bismo_tiny"));
  EXPECT_EQ(session.networks(), network_names());
}

TEST(FacadeTest, LayersAreThoseOfTheNetwork) {
  const Network network = load_network("lenet");
  const auto layers = api::Session().layers("lenet");
  ASSERT_EQ(layers.size(), network.layers.size());
  EXPECT_EQ(layers[0].name, network.layers[0].name);
  EXPECT_EQ(layers[0].kind, "conv");
  const std::int64_t macs =
      std::accumulate(layers.begin(), layers.end(), std::int64_t{0},
                      [](std::int64_t sum, const api::Layer& layer) { return sum + layer.macs; });
  EXPECT_EQ(macs, network.macs());
}

TEST(FacadeTest, CostsAreThoseOfTheHost) {
  const Network network = load_network("lenet");
  const Variant variant = load_variant("bismo_edge");
  std::vector<LayerPoint> points;
  for (const Layer& layer : network.layers) points.push_back({&layer, {4, 6}});
  LayerSource source;
  source.model = LayerModel::kClosed;
  const LayerReport total = total_report(
      measure_layers(variant, load_energy_table(variant.energy), points, source).layers);

  const auto costs = api::Session().measure("lenet", "bismo_edge", {{4, 6}}, closed_form());
  EXPECT_EQ(costs.cycles, total.cycles);
  EXPECT_DOUBLE_EQ(costs.latency_s, total.latency_s);
  EXPECT_DOUBLE_EQ(costs.energy_j, total.energy_j);
  EXPECT_DOUBLE_EQ(costs.energy_high_j, total.energy_high_j);
  ASSERT_EQ(costs.layers.size(), network.layers.size());
  EXPECT_EQ(costs.layers[1].name, network.layers[1].name);
  EXPECT_EQ(costs.layers[1].bits.weights, 4);
  EXPECT_EQ(costs.layers[1].bits.activations, 6);
  EXPECT_EQ(costs.layers[1].origin, "model");
  EXPECT_FALSE(costs.layers[1].events.empty());
  EXPECT_EQ(costs.simulated, 0u);
}

TEST(FacadeTest, BitsOfEachLayerAreItsOwn) {
  const api::Session session;
  std::vector<api::Bits> bits(session.layers("lenet").size());
  bits[0] = {2, 2};
  const auto mixed = session.measure("lenet", "bismo_tiny", bits, closed_form());
  const auto narrow = session.measure("lenet", "bismo_tiny", {{2, 2}}, closed_form());
  const auto wide = session.measure("lenet", "bismo_tiny", {{8, 8}}, closed_form());
  EXPECT_EQ(mixed.layers[0].cycles, narrow.layers[0].cycles);
  EXPECT_EQ(mixed.layers[1].cycles, wide.layers[1].cycles);
}

TEST(FacadeTest, WrongNamesAreErrorsOfUse) {
  const api::Session session;
  EXPECT_THAT(message_of(true, [&] { session.layers("lenett"); }), HasSubstr("lenet"));
  EXPECT_THAT(message_of(true,
                         [&] {
                           session.measure("lenet", "bismo_ede", {{8, 8}}, closed_form());
                         }),
              HasSubstr("bismo_edge"));
}

TEST(FacadeTest, WrongBitsAreErrorsOfUse) {
  const api::Session session;
  EXPECT_THAT(message_of(true,
                         [&] {
                           session.measure("lenet", "bismo_tiny", {{8, 8}, {4, 4}}, closed_form());
                         }),
              HasSubstr("2 bit pairs for network lenet"));
  EXPECT_THAT(message_of(true,
                         [&] {
                           session.measure("lenet", "bismo_tiny", {{9, 8}}, closed_form());
                         }),
              HasSubstr("9 bits; expected 1 to 8"));
}

TEST(FacadeTest, ADeviceThatIsNotThereIsAFailure) {
  const TemporaryFolder folder("bittern-facade");
  api::Places places;
  places.programs = folder.path().string();
  api::MeasureOptions options;
  options.store = (folder.path() / "store.db").string();
  EXPECT_THAT(message_of(false,
                         [&] {
                           api::Session(places).measure("lenet", "bismo_tiny", {{8, 8}}, options);
                         }),
              HasSubstr("no device for variant 'bismo_tiny'"));
}

TEST(FacadeTest, VersionNamesTheRevision) { EXPECT_THAT(api::version(), HasSubstr(" (")); }

}  // namespace
}  // namespace bittern
