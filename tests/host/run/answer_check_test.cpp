// Devices that lie, over the real client: nothing of it gets into a store.
#include "host/run/answer_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "host/cores/cores.h"
#include "host/run/cycle_split.h"
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

constexpr std::uint64_t kMost = ~std::uint64_t{0};

LayerJob job() {
  return network_job(*make_core(tiny_variant()), tiny_variant(), small_network().layers[0], {3, 2});
}

std::uint64_t true_cycles() {
  return plan_layer(*make_core(tiny_variant()), job()).predicted.cycles;
}

/// Index of an event in the list of counters.
std::size_t counter(const std::string& event) {
  const std::vector<std::string> names = counter_names(tiny_variant());
  const auto found = std::find(names.begin(), names.end(), event);
  EXPECT_NE(found, names.end()) << event;
  return 1 + static_cast<std::size_t>(found - names.begin());
}

/// What a measurer says of a device with this behaviour; its store stays empty.
std::string refusal(const FakeBehaviour& behaviour) {
  const TemporaryFolder folder;
  FakeDevice device(folder, "liar", behaviour);
  std::string message;
  {
    Measurer measurer(tiny_variant(), fake_options(folder, {&device}));
    message = message_of<RefusedAnswer>([&] { measurer.measure({job()}); });
  }
  EXPECT_THAT(message, AllOf(HasSubstr("liar"), HasSubstr("layer first at 3/2 bits")));
  EXPECT_TRUE(MeasurementStore(folder / "store.db").list().empty());
  return message;
}

std::string refusal(const std::function<void(RunResult&)>& lie, bool lies_in_registers = true) {
  FakeBehaviour behaviour;
  behaviour.lie = lie;
  behaviour.lies_in_registers = lies_in_registers;
  return refusal(behaviour);
}

void say_cycles(RunResult& result, std::uint64_t cycles) {
  result.cycles = result.counters[0] = cycles;
}

TEST(AnswerCheck, CyclesAreThoseOfTheShellsCounter) {
  const std::uint64_t honest = true_cycles();
  const std::string message = refusal([](RunResult& r) { say_cycles(r, r.cycles + 1); }, false);
  EXPECT_THAT(message, AllOf(HasSubstr(std::to_string(honest + 1)), HasSubstr("cycle counter"),
                             HasSubstr(std::to_string(honest))));
  refusal([](RunResult& r) { say_cycles(r, kMost); }, false);
  refusal([](RunResult& r) { ++r.cycles; });
  refusal([](RunResult& r) { ++r.counters[0]; });
}

TEST(AnswerCheck, CyclesLieBetweenOneAndTheLimitThatWasSent) {
  EXPECT_THAT(refusal([](RunResult& r) { say_cycles(r, kMost); }),
              AllOf(HasSubstr(std::to_string(kMost)), HasSubstr("limit")));
  const std::uint64_t limit = 4 * true_cycles() + 1000000;
  EXPECT_THAT(refusal([&](RunResult& r) { say_cycles(r, limit); }),
              HasSubstr(fmt::format("expected 1 to {}", limit - 1)));
  EXPECT_THAT(refusal([](RunResult& r) { say_cycles(r, 0); }), HasSubstr("0 cycles"));
}

TEST(AnswerCheck, CyclesFitTheEvents) {
  EXPECT_THAT(refusal([](RunResult& r) { say_cycles(r, 1); }), HasSubstr("in 1 cycles"));
  EXPECT_THAT(refusal([](RunResult& r) {
                std::fill(r.counters.begin(), r.counters.end(), 0);
                say_cycles(r, 1);
              }),
              HasSubstr("0 instructions besides END"));
}

TEST(AnswerCheck, EventsKeepToTheirRatesAndToEachOther) {
  for (const std::string& name : counter_names(tiny_variant())) {
    const std::string message = refusal([&](RunResult& r) { r.counters[counter(name)] = kMost; });
    EXPECT_THAT(message, HasSubstr("event " + name)) << name;
  }
  EXPECT_THAT(refusal([](RunResult& r) {
                r.counters[counter("exec_run")] = r.cycles;
                r.counters[counter("exec_wait_lhs")] = 1;
              }),
              HasSubstr("array"));
  EXPECT_THAT(refusal([](RunResult& r) { --r.counters[counter("write_beats")]; }),
              HasSubstr("its ports"));
  EXPECT_THAT(refusal([](RunResult& r) { ++r.counters[counter("instr_exec")]; }),
              HasSubstr("instructions"));
}

TEST(AnswerCheck, GreatestRatesAreThoseOfTheRegisterMap) {
  Variant variant = tiny_variant();
  variant.rtl["NumReadPorts"] = 4;
  variant.rtl["NumWritePorts"] = 2;
  EXPECT_EQ(greatest_rate("read_beats", variant), 4u);
  EXPECT_EQ(greatest_rate("write_beats", variant), 2u);
  EXPECT_EQ(greatest_rate("read_port_beats[3]", variant), 1u);
  EXPECT_EQ(greatest_rate("lhs_buffer_writes", variant), 15u);
  EXPECT_EQ(greatest_rate("array_upper_planes", variant), 15u);
  EXPECT_EQ(greatest_rate("exec_wait_lhs", variant), 1u);
}

TEST(AnswerCheck, WhatComesFromElsewhereIsWhatTheClosedFormSays) {
  // Within all limits, off by one: cycles and each event that no other check holds.
  EXPECT_THAT(refusal([](RunResult& r) { say_cycles(r, r.cycles + 1); }),
              AllOf(HasSubstr(fmt::format("cycles is {}", true_cycles() + 1)),
                    HasSubstr(fmt::format("closed form says {}", true_cycles()))));
  for (const std::string& name : counter_names(tiny_variant())) {
    if (name.find("_beats") != std::string::npos || name.compare(0, 6, "instr_") == 0) continue;
    const std::string message = refusal([&](RunResult& r) {
      std::uint64_t& count = r.counters[counter(name)];
      count += count > 0 ? -1 : 1;
    });
    EXPECT_THAT(message, HasSubstr("event " + name)) << name;
  }
  EXPECT_THAT(refusal([](RunResult& r) {
                ++r.counters[counter("instr_exec")];
                --r.counters[counter("instr_result")];
              }),
              HasSubstr("event instr_exec"));
  EXPECT_THAT(refusal([](RunResult& r) {
                ++r.counters[counter("read_beats")];
                ++r.counters[counter("read_port_beats[0]")];
              }),
              HasSubstr("event read_beats"));
}

TEST(AnswerCheck, ABoardsMemoryIsAsFastAsItIs) {
  FakeBehaviour behaviour;
  behaviour.kind = DeviceKind::kBoard;
  behaviour.lie = [](RunResult& r) {
    say_cycles(r, r.cycles + 17);
    r.counters[counter("exec_wait_lhs")] += 3;
    ++r.counters[counter("fetch_lhs_run")];
  };
  const TemporaryFolder folder;
  FakeDevice device(folder, "board", behaviour);
  Measurer measurer(tiny_variant(), fake_options(folder, {&device}));
  const Measurement m = measurer.measure({job()})[0];
  EXPECT_EQ(m.cycles, true_cycles() + 17);
  EXPECT_EQ(m.origin, Origin::kBoard);

  behaviour.lie = [](RunResult& r) { --r.counters[counter("exec_run")]; };
  EXPECT_THAT(refusal(behaviour), HasSubstr("event exec_run"));
}

TEST(AnswerCheck, RowsOfDevicesElsewhereAreKnownAsSuch) {
  const TemporaryFolder folder;
  FakeDevice device(folder, "far", {});
  Measurer(tiny_variant(), fake_options(folder, {&device})).measure({job()});
  const auto rows = MeasurementStore(folder / "store.db").list();
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].measurement.remote, device.served.endpoint().text());
  EXPECT_THAT(rows[0].tools, AllOf(::testing::StartsWith("remote unix:"), HasSubstr("; bittern ")));
  EXPECT_FALSE(rows[0].damaged);
}

TEST(SplitCycles, EventsThatOverlapLeaveLessThanNothing) {
  const auto core = make_core(tiny_variant());
  std::map<std::string, std::uint64_t> events;
  for (const auto& [heading, event] : core->cycle_split()) events[event] = 30;
  const auto parts = static_cast<std::int64_t>(events.size());
  const auto split = split_cycles(*core, events, 100, "rest");
  ASSERT_EQ(split.size(), events.size() + 1);
  EXPECT_EQ(split.back(), (std::pair<std::string, std::int64_t>("rest", 100 - 30 * parts)));
  EXPECT_LT(split.back().second, 0);
  events.erase(events.begin());
  EXPECT_THAT(message_of<Error>([&] { split_cycles(*core, events, 100, "rest"); }),
              HasSubstr("was not counted"));
}

}  // namespace
}  // namespace bittern
