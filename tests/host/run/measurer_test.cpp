#include "host/run/measurer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <thread>

#include "host/base/stop.h"
#include "host/cores/cores.h"
#include "tests/host/cores/random_layers.h"
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

std::vector<LayerJob> small_jobs(BitPair bits = {3, 2}) {
  const Variant variant = tiny_variant();
  const auto core = make_core(variant);
  std::vector<LayerJob> jobs;
  for (const Layer& layer : small_network().layers) {
    jobs.push_back(network_job(*core, variant, layer, bits));
  }
  return jobs;
}

TEST(Measurer, SimulatesOnceWhatHasOneShapeAndNothingTheSecondTime) {
  const TemporaryFolder folder;
  FakeDevice device(folder, "a");
  {
    Measurer measurer(tiny_variant(), fake_options(folder, {&device}));
    const auto results = measurer.measure(small_jobs());
    ASSERT_EQ(results.size(), 3u);
    EXPECT_EQ(device.backend.runs, 2) << "two layers have one shape";
    EXPECT_EQ(results[0].key, results[1].key);
    EXPECT_NE(results[0].key, results[2].key);
    const auto core = make_core(tiny_variant());
    for (std::size_t i = 0; i < results.size(); ++i) {
      const Measurement& m = results[i];
      const PlannedLayer planned = plan_layer(*core, small_jobs()[i]);
      EXPECT_EQ(m.cycles, planned.predicted.cycles);
      for (const auto& [name, count] : planned.predicted.events)
        EXPECT_EQ(m.events.at(name), count);
      EXPECT_EQ(m.origin, Origin::kRtl);
      EXPECT_TRUE(m.checked);
      EXPECT_EQ(std::make_pair(m.bytes_read, m.bytes_written),
                bytes_moved(m.events, tiny_variant()));
      EXPECT_FALSE(m.schedule.empty());
      EXPECT_EQ(m.remote, device.served.endpoint().text());
    }
    EXPECT_EQ(measurer.simulated(), 2u);
    EXPECT_EQ(measurer.recalled(), 0u);
  }
  Measurer measurer(tiny_variant(), fake_options(folder, {&device}));
  const Measurement recalled = measurer.measure(small_jobs())[2];
  EXPECT_EQ(recalled.cycles, plan_layer(measurer.core(), small_jobs()[2]).predicted.cycles);
  EXPECT_EQ(recalled.remote, device.served.endpoint().text()) << "known as such for ever";
  EXPECT_EQ(device.backend.runs, 2);
  EXPECT_EQ(measurer.simulated(), 0u);
  EXPECT_EQ(measurer.recalled(), 2u);
  measurer.measure(small_jobs({3, 3}));
  EXPECT_EQ(device.backend.runs, 4);
}

TEST(Measurer, OtherRtlIsMeasuredAnew) {
  const TemporaryFolder folder;
  FakeDevice before(folder, "a");
  Measurer(tiny_variant(), fake_options(folder, {&before})).measure(small_jobs());
  FakeBehaviour behaviour;
  behaviour.rtl_hash = std::string(64, 'b');
  FakeDevice after(folder, "b", behaviour);
  Measurer measurer(tiny_variant(), fake_options(folder, {&after}));
  EXPECT_EQ(measurer.measure(small_jobs()).size(), 3u);
  EXPECT_EQ(after.backend.runs, 2);
}

TEST(Measurer, WithoutAStoreNothingIsKept) {
  const TemporaryFolder folder;
  FakeDevice device(folder, "a");
  MeasurerOptions options = fake_options(folder, {&device});
  options.use_store = false;
  for (int round = 1; round <= 2; ++round) {
    Measurer measurer(tiny_variant(), options);
    measurer.measure(small_jobs());
    EXPECT_EQ(device.backend.runs, 2 * round);
  }
  EXPECT_FALSE(std::filesystem::exists(options.store));
}

TEST(Measurer, RandomLayersOnSeveralDevicesAtOnceAreAllChecked) {
  const TemporaryFolder folder;
  FakeDevice a(folder, "a");
  FakeDevice b(folder, "b");
  FakeDevice c(folder, "c");
  MeasurerOptions options = fake_options(folder, {&a, &b, &c});
  options.runner.memory_budget_bytes = 20000;  // so that the limit is met, too
  Measurer measurer(tiny_variant(), options);
  Rng rng(4);
  std::vector<LayerJob> jobs;
  for (int i = 0; i < 40; ++i) {
    LayerJob job;
    job.layer = random_layer(rng, 8);
    job.precision = random_precision(rng);
    job.batch = static_cast<int>(rng.integer(1, 3));
    jobs.push_back(job);
  }
  const auto results = measurer.measure(jobs);
  std::set<std::string> keys;
  for (const Measurement& m : results) {
    EXPECT_TRUE(m.checked);
    keys.insert(m.key);
  }
  EXPECT_EQ(measurer.simulated(), keys.size());
  EXPECT_EQ(a.backend.runs + b.backend.runs + c.backend.runs, static_cast<int>(keys.size()));
}

/// Address of the first result byte of the first small job.
std::int64_t first_result_address() {
  const auto core = make_core(tiny_variant());
  return static_cast<std::int64_t>(
      prepare_layer(*core, plan_layer(*core, small_jobs()[0])).program.result_address);
}

TEST(Measurer, AWrongResultIsAnErrorThatSaysWhereAndIsNotKept) {
  const TemporaryFolder folder;
  FakeBehaviour behaviour;
  behaviour.flip_address = first_result_address();
  FakeDevice device(folder, "a", behaviour);
  Measurer measurer(tiny_variant(), fake_options(folder, {&device}));
  const std::string message = message_of<WrongResult>([&] { measurer.measure({small_jobs()[0]}); });
  const auto core = make_core(tiny_variant());
  const PreparedLayer layer = prepare_layer(*core, plan_layer(*core, small_jobs()[0]));
  const int expected = layer.expected[0];
  EXPECT_THAT(message, AllOf(HasSubstr("layer first at 3/2 bits"), HasSubstr("bismo_tiny"),
                             HasSubstr("output 0 [batch 0][channel 0][row 0][column 0]"),
                             HasSubstr(fmt::format("is {}, expected {}", expected ^ 1, expected)),
                             HasSubstr(fmt::format("1 of {}", layer.expected.size())),
                             HasSubstr("bittern validate")));
  EXPECT_TRUE(MeasurementStore(folder / "store.db").list().empty());
}

TEST(Measurer, ResultsOfAnEarlierRunAreNotTakenForNewOnes) {
  const TemporaryFolder folder;
  FakeDevice good(folder, "a");
  FakeBehaviour behaviour;
  behaviour.forget_results = true;
  FakeDevice device(folder, "b", behaviour);
  const Variant variant = tiny_variant();
  const auto core = make_core(variant);
  const PreparedLayer layer = prepare_layer(*core, plan_layer(*core, small_jobs()[0]));
  // The right result lies there already.
  const auto client = connect_device(device.served.endpoint(), variant);
  const auto bytes = [&] {
    const auto other = connect_device(good.served.endpoint(), variant);
    EXPECT_FALSE(run_layer(*other, *core, variant, layer).difference);
    return other->read_memory(layer.program.result_address, layer.program.result_bytes);
  }();
  client->write_memory(layer.program.result_address, bytes);
  EXPECT_TRUE(run_layer(*client, *core, variant, layer).difference);
}

TEST(Measurer, AFaultAndAnEndlessRunAreErrors) {
  const TemporaryFolder folder;
  FakeBehaviour behaviour;
  behaviour.fault = true;
  FakeDevice faulty(folder, "a", behaviour);
  Measurer first(tiny_variant(), fake_options(folder, {&faulty}));
  EXPECT_THAT(message_of<WrongResult>([&] { first.measure(small_jobs()); }),
              AllOf(HasSubstr("address_out_of_range"), HasSubstr("after 3 instructions")));
  behaviour.fault = false;
  behaviour.never_ends = true;
  FakeDevice endless(folder, "b", behaviour);
  Measurer second(tiny_variant(), fake_options(folder, {&endless}));
  EXPECT_THAT(message_of<WrongResult>([&] { second.measure(small_jobs()); }),
              HasSubstr("still busy"));
}

TEST(Measurer, ADeviceThatDiesIsReplacedOnce) {
  const TemporaryFolder folder;
  FakeBehaviour behaviour;
  behaviour.deaths = 1;
  FakeDevice device(folder, "a", behaviour);
  Measurer measurer(tiny_variant(), fake_options(folder, {&device}));
  EXPECT_EQ(measurer.measure(small_jobs()).size(), 3u);
  EXPECT_EQ(measurer.pool().lost(), 1u);
  EXPECT_EQ(device.backend.runs, 3);
}

TEST(Measurer, WhatWasMeasuredBeforeADeathIsKept) {
  const TemporaryFolder folder;
  FakeDevice good(folder, "a");
  Measurer(tiny_variant(), fake_options(folder, {&good})).measure({small_jobs()[0]});
  FakeBehaviour behaviour;
  behaviour.deaths = 100;
  FakeDevice device(folder, "b", behaviour);
  Measurer measurer(tiny_variant(), fake_options(folder, {&device}));
  EXPECT_NE(message_of<DeviceError>([&] { measurer.measure(small_jobs()); }), "");
  EXPECT_EQ(MeasurementStore(folder / "store.db").list().size(), 1u);
  EXPECT_EQ(measurer.recalled(), 1u);
}

TEST(Measurer, DevicesOfDifferentRtlAreAnError) {
  const TemporaryFolder folder;
  FakeDevice a(folder, "a");
  FakeBehaviour behaviour;
  behaviour.rtl_hash = std::string(64, 'b');
  FakeDevice b(folder, "b", behaviour);
  MeasurerOptions options = fake_options(folder, {&a, &b});
  Measurer measurer(tiny_variant(), options);
  // Both at once: while one is in use, the pool has to take the other.
  const auto both = [&] {
    measurer.pool().with_device(
        "a layer", [&](Device&) { measurer.pool().with_device("another layer", [](Device&) {}); });
  };
  EXPECT_THAT(message_of<Error>(both), HasSubstr("RTL hash"));
}

TEST(Measurer, NobodyAtTheEndpointIsAnErrorAndNotAnotherOrigin) {
  const TemporaryFolder folder;
  FakeDevice device(folder, "a");
  MeasurerOptions options = fake_options(folder, {&device});
  options.endpoints[0].path += "-nobody";
  Measurer measurer(tiny_variant(), options);
  EXPECT_THAT(message_of<Error>([&] { measurer.measure(small_jobs()); }), HasSubstr("-nobody"));
}

TEST(Measurer, AfterTheFirstFailureNobodyWaitsForWhatStillRuns) {
  const TemporaryFolder folder;
  FakeBehaviour behaviour;
  behaviour.runs_for_ever = true;
  FakeDevice endless(folder, "a", behaviour);
  behaviour.runs_for_ever = false;
  behaviour.fault = true;
  FakeDevice faulty(folder, "b", behaviour);
  Measurer measurer(tiny_variant(), fake_options(folder, {&endless, &faulty}));
  // Whichever device has which layer: one runs for ever, the other one fails.
  EXPECT_THAT(message_of<WrongResult>([&] { measurer.measure(small_jobs()); }),
              HasSubstr("address_out_of_range"));
  EXPECT_EQ(endless.backend.runs, 1);
}

TEST(Measurer, AStopEndsWhatStillRuns) {
  const TemporaryFolder folder;
  FakeBehaviour behaviour;
  behaviour.runs_for_ever = true;
  FakeDevice a(folder, "a", behaviour);
  FakeDevice b(folder, "b", behaviour);
  Measurer measurer(tiny_variant(), fake_options(folder, {&a, &b}));
  std::thread stopper([&] {
    while (a.backend.runs + b.backend.runs < 2) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    request_stop();
  });
  EXPECT_THROW(measurer.measure(small_jobs()), Stopped);
  stopper.join();
  request_stop(false);
}

TEST(Measurer, ADeadEndpointBesideALivingOneIsNoError) {
  const TemporaryFolder folder;
  FakeDevice device(folder, "a");
  MeasurerOptions options = fake_options(folder, {&device});
  options.endpoints.insert(options.endpoints.begin(),
                           Endpoint::parse("unix:" + (folder / "nobody").string()));
  Measurer measurer(tiny_variant(), options);
  EXPECT_EQ(measurer.measure(small_jobs()).size(), 3u);
}

TEST(LayerRun, DataDependsOnShapePrecisionAndBatchOnly) {
  const auto core = make_core(tiny_variant());
  LayerJob job = small_jobs()[0];
  const auto expected = [&](const LayerJob& of) {
    return prepare_layer(*core, plan_layer(*core, of)).expected;
  };
  const auto first = expected(job);
  job.layer.name = "renamed";
  EXPECT_EQ(expected(job), first);
  job.precision.activation_signed = true;
  EXPECT_NE(expected(job), first);
  job.seed = 5;
  const auto seeded = expected(job);
  job.seed = 6;
  EXPECT_NE(expected(job), seeded);
}

TEST(LayerRun, CountersHaveTheNamesOfTheRegisterMap) {
  const auto names = counter_names(tiny_variant());
  ASSERT_EQ(names.size(), 24u);
  EXPECT_EQ(names.front(), "fetch_lhs_run");
  EXPECT_EQ(names[22], "read_port_beats[0]");
  EXPECT_EQ(names.back(), "write_port_beats[0]");
  Variant other = tiny_variant();
  other.core = "abacus";
  EXPECT_THAT(message_of<Error>([&] { counter_names(other); }), HasSubstr("abacus"));
}

}  // namespace
}  // namespace bittern
