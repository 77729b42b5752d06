#include "host/run/planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <memory>
#include <string>
#include <vector>

#include "host/base/temporary_folder.h"
#include "host/cores/planner_hash.h"
#include "host/run/layer_runner.h"
#include "tests/host/run/fake_bismo.h"

namespace bittern {
namespace {

using testing::fake_options;
using testing::FakeDevice;
using testing::small_network;
using testing::tiny_variant;

std::vector<LayerJob> small_jobs(BitPair bits = {3, 2}) {
  const Variant variant = tiny_variant();
  const auto core = make_core(variant);
  std::vector<LayerJob> jobs;
  for (const Layer& layer : small_network().layers) {
    jobs.push_back(network_job(*core, variant, layer, bits));
  }
  return jobs;
}

void tamper(const std::filesystem::path& path, const std::string& sql) {
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sql;
  sqlite3_close(db);
}

TEST(PlannerHash, IsThatOfTheBuild) {
  EXPECT_THAT(planner_hash(), ::testing::MatchesRegex("[0-9a-f]{64}"));
}

TEST(Planner, PlansOneShapeOnceAndKnowsWhatThePlanSays) {
  Planner planner(tiny_variant());
  const std::vector<KnownPlan> known = planner.know(small_jobs());
  EXPECT_EQ(planner.planned(), 2u) << "two of three layers have one shape";
  ASSERT_EQ(known.size(), 3u);
  EXPECT_EQ(known[0], known[1]);
  for (std::size_t i = 0; i < known.size(); ++i) {
    const PlannedLayer planned = plan_layer(planner.core(), small_jobs()[i]);
    EXPECT_EQ(known[i], known_plan(planned));
    EXPECT_EQ(known[i].schedule, planned.plan->key());
    EXPECT_EQ(known[i].program, planner.core().outline(*planned.plan).digest());
    EXPECT_EQ(known[i].cycles, planned.predicted.cycles);
    EXPECT_EQ(known[i].events.size(), planned.predicted.events.size());
    EXPECT_EQ(known[i].result_bits, 32);
    EXPECT_TRUE(known[i].result_signed);
  }
  planner.know(small_jobs());
  const std::vector<PlannedLayer> planned = planner.plan(small_jobs());
  EXPECT_EQ(planner.planned(), 2u);
  ASSERT_EQ(planned.size(), 3u);
  EXPECT_EQ(planned[1].job.layer.name, "second");
  EXPECT_EQ(planned[1].plan, planned[0].plan);
  EXPECT_EQ(planned[2].predicted.cycles, known[2].cycles);
  planner.know(small_jobs({4, 4}));
  EXPECT_EQ(planner.planned(), 4u);
}

TEST(Planner, NamesTheFormatOfNarrowResults) {
  Variant variant = tiny_variant();
  variant.rtl["Dm"] = variant.rtl["Dn"] = 8;  // narrow results of a tile are whole beats
  variant.rtl["MinResultBits"] = 2;
  variant.lowering["requantise"] = 1;
  Planner planner(variant);
  const std::vector<KnownPlan> known = planner.know(small_jobs({3, 4}));
  EXPECT_EQ(known[0].result_bits, 4);
  EXPECT_FALSE(known[0].result_signed);
  EXPECT_TRUE(known[2].result_signed);
}

TEST(Planner, AnotherOneOfTheSameStorePlansNothing) {
  const TemporaryFolder folder;
  std::vector<KnownPlan> first;
  {
    Planner planner(tiny_variant(), std::make_shared<MeasurementStore>(folder / "store.db"));
    first = planner.know(small_jobs());
  }
  Planner planner(tiny_variant(), std::make_shared<MeasurementStore>(folder / "store.db"));
  EXPECT_EQ(planner.know(small_jobs()), first);
  EXPECT_EQ(planner.planned(), 0u);
  EXPECT_EQ(planner.plan({small_jobs()[2]})[0].plan->key(), first[2].schedule);
  EXPECT_EQ(planner.planned(), 1u) << "the plan itself is not in the store";

  Variant other = tiny_variant();
  other.memory.latency_cycles += 1;
  Planner of_other(other, std::make_shared<MeasurementStore>(folder / "store.db"));
  of_other.know(small_jobs());
  EXPECT_EQ(of_other.planned(), 2u);
}

TEST(Planner, WhatIsDamagedOrOfAnotherPlannerIsPlannedAnew) {
  const TemporaryFolder folder;
  const auto path = folder / "store.db";
  const auto plans_of_a_new_one = [&] {
    Planner planner(tiny_variant(), std::make_shared<MeasurementStore>(path));
    planner.know(small_jobs());
    return planner.planned();
  };
  EXPECT_EQ(plans_of_a_new_one(), 2u);
  EXPECT_EQ(plans_of_a_new_one(), 0u);
  tamper(path, "UPDATE plans SET cycles = cycles + 1");
  EXPECT_EQ(plans_of_a_new_one(), 2u);
  EXPECT_EQ(plans_of_a_new_one(), 0u) << "and mended";
  tamper(path, "UPDATE plans SET key = 'x' || key, planner = 'other'");
  EXPECT_EQ(plans_of_a_new_one(), 2u);
  EXPECT_EQ(MeasurementStore(path).remove_plans(planner_hash()), 2u);
  EXPECT_EQ(plans_of_a_new_one(), 0u);
}

TEST(Measurer, AWarmStoreAnswersWithoutPlanning) {
  const TemporaryFolder folder;
  FakeDevice device(folder, "a");
  std::vector<Measurement> first;
  {
    Measurer measurer(tiny_variant(), fake_options(folder, {&device}));
    first = measurer.measure(small_jobs());
    EXPECT_EQ(measurer.planner()->planned(), 2u) << "each once, to know and to run it";
  }
  Measurer measurer(tiny_variant(), fake_options(folder, {&device}));
  const std::vector<Measurement> second = measurer.measure(small_jobs());
  EXPECT_EQ(measurer.planner()->planned(), 0u);
  EXPECT_EQ(measurer.simulated(), 0u);
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(second[i].key, first[i].key);
    EXPECT_EQ(second[i].cycles, first[i].cycles);
    EXPECT_EQ(second[i].schedule, first[i].schedule);
    EXPECT_EQ(measurer.key_of(small_jobs()[i]).hex(), first[i].key);
  }
  EXPECT_EQ(measurer.planner()->planned(), 0u);
}

TEST(Measurer, KeepsWhatRanUnderItsOwnProgramWhateverTheStoreKnew) {
  const TemporaryFolder folder;
  const LayerJob job = small_jobs()[2];
  {
    MeasurementStore store(folder / "store.db");
    KnownPlan wrong = Planner(tiny_variant()).know({job})[0];
    wrong.program = std::string(64, '0');
    store.put_plans(
        {{{planner_hash(), tiny_variant().key(), job.layer.key(), job.precision, job.batch},
          wrong}});
  }
  FakeDevice device(folder, "a");
  Measurer measurer(tiny_variant(), fake_options(folder, {&device}));
  const std::string right = Measurer(tiny_variant(),
                                     [&] {
                                       MeasurerOptions options = fake_options(folder, {&device});
                                       options.use_store = false;
                                       return options;
                                     }())
                                .key_of(job)
                                .hex();
  const Measurement measured = measurer.measure({job})[0];
  EXPECT_EQ(measured.key, right);
  EXPECT_EQ(MeasurementStore(folder / "store.db").list()[0].measurement.key, right);
  EXPECT_EQ(measurer.key_of(job).hex(), right) << "and the wrong row is gone";
}

TEST(PlanLayers, EqualJobsShareAPlan) {
  const auto core = make_core(tiny_variant());
  const std::vector<PlannedLayer> planned = plan_layers(*core, small_jobs(), 2);
  ASSERT_EQ(planned.size(), 3u);
  EXPECT_EQ(planned[0].plan, planned[1].plan);
  EXPECT_NE(planned[0].plan, planned[2].plan);
  EXPECT_EQ(planned[1].job.layer.name, "second");
}

}  // namespace
}  // namespace bittern
