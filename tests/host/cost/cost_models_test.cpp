#include "host/cost/cost_models.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "host/analysis/layer_report.h"
#include "host/cores/cores.h"
#include "tests/host/run/fake_bismo.h"

namespace bittern {
namespace {

using ::testing::AllOf;
using testing::fake_options;
using testing::FakeBehaviour;
using testing::FakeDevice;
using ::testing::HasSubstr;
using testing::small_network;
using testing::tiny_variant;

EnergyTable energy() {
  return load_energy_table(std::string(BITTERN_SOURCE_DIR) + "/configs/energy/fpga_28nm.yaml");
}

TEST(RtlCostModel, AnswersWithMeasurementsAndKeepsThemForTheLut) {
  const TemporaryFolder folder;
  FakeDevice device(folder, "a");
  auto measurer = std::make_shared<Measurer>(tiny_variant(), fake_options(folder, {&device}));
  RtlCostModel model(small_network(), measurer, energy());
  EXPECT_EQ(device.backend.runs, 0) << "making it simulates nothing";
  model.prefetch({{0, {4, 4}}, {2, {4, 4}}, {0, {4, 4}}});
  EXPECT_EQ(device.backend.runs, 2);
  const LayerCost cost = model.layer_cost(1, {4, 4});
  EXPECT_EQ(device.backend.runs, 2) << "layer 1 has the shape of layer 0";
  EXPECT_GT(cost.cycles, 100u);
  EXPECT_DOUBLE_EQ(cost.latency_s, static_cast<double>(cost.cycles) / 200e6);
  EXPECT_EQ(cost.origin, Origin::kRtl);
  EXPECT_DOUBLE_EQ(cost.weight_bytes, 4 * 27 * 4 / 8.0);
  EXPECT_GT(cost.energy_j, 0.0);
  EXPECT_GT(cost.energy_high_j, cost.energy_j);
  const auto rows = model.lut();
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].layer, "first");
  EXPECT_EQ(rows[1].layer, "second");
  EXPECT_EQ(rows[0].key, rows[1].key);
  EXPECT_TRUE(rows[2].activation_signed);
}

TEST(RtlCostModel, FailsWhenTheDeviceDoesAndNeverFallsBack) {
  const TemporaryFolder folder;
  FakeBehaviour behaviour;
  behaviour.deaths = 100;
  FakeDevice device(folder, "a", behaviour);
  auto measurer = std::make_shared<Measurer>(tiny_variant(), fake_options(folder, {&device}));
  RtlCostModel model(small_network(), measurer, energy());
  EXPECT_THROW(model.layer_cost(0, {8, 8}), DeviceError);
  EXPECT_TRUE(model.lut().empty());
}

TEST(CostModels, PointsOutsideAreErrorsThatNameLayerAndBits) {
  ModelCostModel model(small_network(), tiny_variant(), energy());
  EXPECT_THAT(message_of<Error>([&] {
                model.layer_cost(0, {0, 8});
              }),
              AllOf(HasSubstr("first"), HasSubstr("0/8")));
  EXPECT_THAT(message_of<Error>([&] { model.layer_cost(0, {8, 9}); }), HasSubstr("8/9"));
  EXPECT_THAT(message_of<Error>([&] { model.layer_cost(3, {8, 8}); }), HasSubstr("layer 3"));
}

TEST(ModelCostModel, IsTheClosedFormAndSaysSo) {
  const Variant variant = tiny_variant();
  ModelCostModel model(small_network(), variant, energy());
  const auto core = make_core(variant);
  for (std::size_t i = 0; i < 3; ++i) {
    const LayerJob job = network_job(*core, variant, small_network().layers[i], {2, 7});
    const LayerCost cost = model.layer_cost(i, {2, 7});
    EXPECT_EQ(cost.cycles, plan_layer(*core, job).predicted.cycles);
    EXPECT_EQ(cost.origin, Origin::kModel);
  }
}

TEST(ModelCostModel, PlansNothingThatItsPlannerKnows) {
  const auto planner = std::make_shared<Planner>(tiny_variant());
  ModelCostModel first(small_network(), planner, energy());
  first.prefetch({{0, {2, 3}}, {1, {2, 3}}, {2, {2, 3}}});
  EXPECT_EQ(planner->planned(), 2u) << "two layers have one shape";
  ModelCostModel second(small_network(), planner, energy());
  EXPECT_EQ(second.layer_cost(2, {2, 3}).cycles, first.layer_cost(2, {2, 3}).cycles);
  EXPECT_EQ(planner->planned(), 2u);
}

TEST(CostModels, PolicyCostIsTheSumWithTheWeakestOrigin) {
  ModelCostModel model(small_network(), tiny_variant(), energy());
  const Policy policy = {{8, 8}, {2, 3}, {4, 4}};
  LayerCost sum;
  for (std::size_t i = 0; i < 3; ++i) {
    const LayerCost cost = model.layer_cost(i, policy[i]);
    sum.cycles += cost.cycles;
    sum.energy_high_j += cost.energy_high_j;
    sum.weight_bytes += cost.weight_bytes;
  }
  const LayerCost total = policy_cost(model, policy);
  EXPECT_EQ(total.cycles, sum.cycles);
  EXPECT_DOUBLE_EQ(total.energy_high_j, sum.energy_high_j);
  EXPECT_DOUBLE_EQ(total.weight_bytes, model_size_bytes(small_network(), policy));
  EXPECT_EQ(total.origin, Origin::kModel);
  EXPECT_THAT(message_of<Error>([&] { policy_cost(model, {{8, 8}}); }), HasSubstr("1 layers"));
}

TEST(TableCostModel, GivesBackWhatAnotherModelWrote) {
  const TemporaryFolder folder;
  ModelCostModel model(small_network(), tiny_variant(), energy());
  model.prefetch({{0, {4, 4}}, {0, {8, 8}}, {2, {4, 4}}});
  save_lut(folder / "lut.csv", model.lut());
  TableCostModel table(small_network(), folder / "lut.csv", tiny_variant().name);
  for (const auto& [layer, bits] : std::vector<std::pair<std::size_t, BitPair>>{
           {0, {4, 4}}, {0, {8, 8}}, {1, {8, 8}}, {2, {4, 4}}}) {
    const LayerCost expected = model.layer_cost(layer, bits);
    const LayerCost cost = table.layer_cost(layer, bits);
    EXPECT_EQ(cost.cycles, expected.cycles);
    EXPECT_EQ(cost.latency_s, expected.latency_s);
    EXPECT_EQ(cost.energy_j, expected.energy_j);
    EXPECT_EQ(cost.energy_high_j, expected.energy_high_j);
    EXPECT_EQ(cost.weight_bytes, expected.weight_bytes);
    EXPECT_EQ(cost.origin, Origin::kTable);
  }
  EXPECT_EQ(table.lut()[0].origin, Origin::kModel) << "rows keep where they came from";
  EXPECT_THAT(message_of<Error>([&] {
                table.layer_cost(2, {8, 8});
              }),
              AllOf(HasSubstr("lut.csv"), HasSubstr("head"), HasSubstr("8/8"), HasSubstr("signed"),
                    HasSubstr("it has 4/4")));
}

/// Rows of the closed form at 4/4 bits for all layers, as of another machine.
std::vector<LutRow> foreign_rows() {
  ModelCostModel model(small_network(), tiny_variant(), energy());
  for (std::size_t layer = 0; layer < 3; ++layer) model.layer_cost(layer, {4, 4});
  std::vector<LutRow> rows = model.lut();
  for (LutRow& row : rows) {
    row.variant = "my_npu";
    row.batch = 16;
  }
  return rows;
}

TEST(TableCostModel, IsOfTheHardwareThatItsRowsName) {
  const TemporaryFolder folder;
  save_lut(folder / "npu.csv", foreign_rows());
  const TableCostModel table(small_network(), folder / "npu.csv");
  EXPECT_EQ(table.variant(), "my_npu");
  EXPECT_EQ(table.batch(), 16);
  EXPECT_NO_THROW(TableCostModel(small_network(), folder / "npu.csv", "my_npu"));
  EXPECT_THAT(
      message_of<Error>([&] { TableCostModel(small_network(), folder / "npu.csv", "bismo_tiny"); }),
      AllOf(HasSubstr("npu.csv"), HasSubstr("my_npu"), HasSubstr("`variant: bismo_tiny`"),
            HasSubstr("leave `variant` out")));
}

TEST(TableCostModel, RefusesATableOfSeveralVariantsOrBatches) {
  const TemporaryFolder folder;
  auto rows = foreign_rows();
  rows[2].batch = 1;
  save_lut(folder / "batch.csv", rows);
  EXPECT_THAT(message_of<Error>([&] { TableCostModel(small_network(), folder / "batch.csv"); }),
              AllOf(HasSubstr("batch.csv:4"), HasSubstr("batch 16"), HasSubstr("batch 1")));
  rows[2].batch = 16;
  rows[2].variant = "bismo_edge";
  save_lut(folder / "edge.csv", rows);
  EXPECT_THAT(message_of<Error>([&] { TableCostModel(small_network(), folder / "edge.csv"); }),
              AllOf(HasSubstr("edge.csv:4"), HasSubstr("bismo_edge"), HasSubstr("line 2")));
}

TEST(TableCostModel, KnowsThePointsOfItsRowsOnly) {
  const TemporaryFolder folder;
  auto rows = foreign_rows();
  rows.push_back(rows[0]);
  rows.back().bits = {6, 4};
  rows.push_back(rows[0]);
  rows.back().shape = "of no layer";
  rows.back().bits = {3, 3};
  save_lut(folder / "npu.csv", rows);
  const TableCostModel table(small_network(), folder / "npu.csv");
  EXPECT_TRUE(table.knows(0, {6, 4}));
  EXPECT_FALSE(table.knows(2, {6, 4}));
  EXPECT_TRUE(knows_policy(table, Policy(3, BitPair{4, 4})));
  EXPECT_FALSE(knows_policy(table, {{4, 4}, {4, 4}, {8, 8}}));
  EXPECT_EQ(table.widths(&BitPair::weight), (std::vector<int>{4, 6}));
  EXPECT_EQ(table.widths(&BitPair::activation), (std::vector<int>{4}));
}

TEST(TableCostModel, SaysWhatIsThereInsteadOfARow) {
  const TemporaryFolder folder;
  auto rows = foreign_rows();
  rows[0].shape = "conv of other size";
  rows[1].shape = rows[0].shape;
  rows[2].activation_signed = false;
  save_lut(folder / "npu.csv", rows);
  TableCostModel table(small_network(), folder / "npu.csv");
  EXPECT_THAT(message_of<Error>([&] {
                table.layer_cost(0, {4, 4});
              }),
              HasSubstr("its rows of that name are conv of other size"));
  EXPECT_THAT(message_of<Error>([&] {
                table.layer_cost(2, {4, 4});
              }),
              HasSubstr("its rows of this shape have signed 0"));
}

TEST(CostModels, FingerprintsTellEverythingApartThatChangesCosts) {
  const TemporaryFolder folder;
  FakeDevice device(folder, "a");
  FakeBehaviour behaviour;
  behaviour.rtl_hash = std::string(64, 'b');
  FakeDevice rebuilt(folder, "b", behaviour);
  std::vector<std::string> prints;
  for (const FakeDevice* fake : {&device, &rebuilt}) {
    auto measurer = std::make_shared<Measurer>(tiny_variant(), fake_options(folder, {fake}));
    prints.push_back(RtlCostModel(small_network(), measurer, energy()).fingerprint());
  }
  const auto model_print = [](const Network& network, const Variant& variant,
                              const EnergyTable& table) {
    return ModelCostModel(network, variant, table).fingerprint();
  };
  prints.push_back(model_print(small_network(), tiny_variant(), energy()));
  EXPECT_EQ(prints.back(), model_print(small_network(), tiny_variant(), energy()));
  Network network = small_network();
  network.layers[0].pad_left = 1;
  prints.push_back(model_print(network, tiny_variant(), energy()));
  Network signs = small_network();
  signs.layers[0].signed_input = true;
  prints.push_back(model_print(signs, tiny_variant(), energy()));
  Variant variant = tiny_variant();
  variant.clock_mhz = 100;
  prints.push_back(model_print(small_network(), variant, energy()));
  Variant memory = tiny_variant();
  memory.memory.latency_cycles = 17;
  prints.push_back(model_print(small_network(), memory, energy()));
  EnergyTable table = energy();
  table.hash = "x";
  prints.push_back(model_print(small_network(), tiny_variant(), table));
  EXPECT_EQ(std::set<std::string>(prints.begin(), prints.end()).size(), prints.size());
}

TEST(LayerReport, SplitsAllCyclesAndRelatesThemToThePeak) {
  const Variant variant = tiny_variant();
  const auto core = make_core(variant);
  std::vector<LayerReport> reports;
  for (const Layer& layer : small_network().layers) {
    const LayerJob job = network_job(*core, variant, layer, {4, 2});
    const Measurement m = model_measurement(known_plan(plan_layer(*core, job)), variant);
    reports.push_back(report_layer(layer, {4, 2}, m, *core, variant, energy()));
    const LayerReport& r = reports.back();
    std::uint64_t sum = 0;
    for (const auto& [heading, cycles] : r.split) sum += cycles;
    EXPECT_EQ(sum, r.cycles);
    EXPECT_EQ(r.split.front().second, m.events.at("exec_run"));
    EXPECT_EQ(r.macs, layer.macs());
    // 2 x 2 units of 64 bits, 8 bit products a MAC.
    EXPECT_DOUBLE_EQ(r.utilisation(), static_cast<double>(r.macs) * 8 / (256.0 * r.cycles));
    EXPECT_LE(r.utilisation(), r.share(0)) << "the array cannot do more work than it runs";
  }
  const LayerReport total = total_report(reports);
  EXPECT_EQ(total.cycles, reports[0].cycles + reports[1].cycles + reports[2].cycles);
  EXPECT_EQ(total.macs, small_network().macs());
  std::uint64_t sum = 0;
  for (const auto& [heading, cycles] : total.split) sum += cycles;
  EXPECT_EQ(sum, total.cycles);
}

TEST(LayerReport, EventsThatOverlapOrAreMissingAreErrors) {
  const Variant variant = tiny_variant();
  const auto core = make_core(variant);
  const Layer layer = small_network().layers[0];
  Measurement m = model_measurement(
      known_plan(plan_layer(*core, network_job(*core, variant, layer, {4, 2}))), variant);
  m.events["exec_wait_lhs"] = m.cycles;
  EXPECT_THAT(message_of<Error>([&] {
                report_layer(layer, {4, 2}, m, *core, variant, energy());
              }),
              HasSubstr("overlap"));
  m.events.erase("exec_wait_lhs");
  EXPECT_THAT(message_of<Error>([&] {
                report_layer(layer, {4, 2}, m, *core, variant, energy());
              }),
              HasSubstr("exec_wait_lhs"));
}

}  // namespace
}  // namespace bittern
