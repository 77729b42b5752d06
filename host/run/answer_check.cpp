#include "host/run/answer_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/protocol/registers.h"

namespace bittern {
namespace {

/// Width of an event's increment: see rtl/shell/register_map.json.
constexpr std::uint64_t kMostPerCycle = 15;

bool ends_with(const std::string& text, std::string_view end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool starts_with(const std::string& text, std::string_view begin) {
  return text.compare(0, begin.size(), begin) == 0;
}

[[noreturn]] void refuse(const std::string& device, const LayerJob& job, const std::string& why) {
  throw RefusedAnswer(fmt::format("device {}: {}: {}; the answer is refused and not stored", device,
                                  job_name(job), why));
}

/// Events that depend on how fast memory answers, besides cycles: waiting, and cycles in which at
/// least one of several ports had a beat.
bool depends_on_memory(const std::string& event) {
  return event.find("_wait_") != std::string::npos || starts_with(event, "fetch_") ||
         event == "result_run" || event == "array_drain";
}

/// Sum of the events whose names begin so; saturates.
std::uint64_t sum_of(const std::map<std::string, std::uint64_t>& events, std::string_view begin) {
  std::uint64_t sum = 0;
  for (const auto& [name, count] : events) {
    if (!starts_with(name, begin)) continue;
    sum = count > ~sum ? ~std::uint64_t{0} : sum + count;
  }
  return sum;
}

}  // namespace

std::uint64_t greatest_rate(const std::string& event, const Variant& variant) {
  if (event == "read_beats") return static_cast<std::uint64_t>(variant.parameter("NumReadPorts"));
  if (event == "write_beats") return static_cast<std::uint64_t>(variant.parameter("NumWritePorts"));
  if (ends_with(event, "_writes") || ends_with(event, "_reads") || ends_with(event, "_planes")) {
    return kMostPerCycle;
  }
  return 1;
}

void check_counter(Device& device, const PlannedLayer& layer, const RunResult& result) {
  const std::vector<std::uint32_t> words =
      device.read_registers({registers::kCounterBase, registers::kCounterBase + 4});
  const std::uint64_t counter = std::uint64_t{words[1]} << 32 | words[0];
  if (result.cycles != counter || result.counters.at(0) != counter) {
    refuse(
        device.name(), layer.job,
        fmt::format("it answers {} cycles ({} in its list of counters), but the cycle counter of "
                    "its shell says {}",
                    result.cycles, result.counters.at(0), counter));
  }
}

void check_answer(const LayerRun& run, const PreparedLayer& layer, const RunRequest& request,
                  const Core& core, const Variant& variant) {
  const LayerJob& job = layer.planned.job;
  if (run.cycles == 0 || run.cycles >= request.cycle_limit) {
    refuse(run.device, job,
           fmt::format("it answers {} cycles, expected 1 to {}, the limit that it was given",
                       run.cycles, request.cycle_limit - 1));
  }
  for (const auto& [name, count] : run.events) {
    const std::uint64_t rate = greatest_rate(name, variant);
    // The limit is far below 2^64 / rate.
    if (count > rate * run.cycles) {
      refuse(run.device, job,
             fmt::format("event {} is {}, expected at most {} in {} cycles", name, count,
                         rate * run.cycles, run.cycles));
    }
  }
  std::uint64_t busy = 0;
  for (const auto& [heading, event] : core.cycle_split()) {
    const auto found = run.events.find(event);
    if (found != run.events.end()) busy += found->second;
  }
  if (busy > run.cycles) {
    refuse(run.device, job,
           fmt::format("the events of its array add up to {} of {} cycles", busy, run.cycles));
  }
  for (const char* direction : {"read", "write"}) {
    const std::string all = std::string(direction) + "_beats";
    const std::uint64_t ports = sum_of(run.events, std::string(direction) + "_port_beats[");
    const auto found = run.events.find(all);
    if (found != run.events.end() && found->second != ports) {
      refuse(run.device, job,
             fmt::format("event {} is {}, but those of its ports add up to {}", all, found->second,
                         ports));
    }
  }
  const std::uint64_t instructions = sum_of(run.events, "instr_");
  if (instructions + 1 != layer.program.instruction_count) {
    refuse(run.device, job,
           fmt::format("it counts {} instructions besides END, the program has {}", instructions,
                       layer.program.instruction_count - 1));
  }
}

void check_closed_form(const LayerRun& run, const PlannedLayer& layer, DeviceKind kind) {
  const auto differs = [&](const std::string& what, std::uint64_t got, std::uint64_t expected) {
    refuse(run.device, layer.job,
           fmt::format("{} is {}, the closed form says {}; of a device that runs elsewhere nothing "
                       "else is believed ('bittern validate' compares without storing)",
                       what, got, expected));
  };
  const ModelResult& model = layer.predicted;
  const bool board = kind == DeviceKind::kBoard;
  if (!board && run.cycles != model.cycles) differs("cycles", run.cycles, model.cycles);
  for (const auto& [name, expected] : model.events) {
    if (board && depends_on_memory(name)) continue;
    const auto found = run.events.find(name);
    if (found == run.events.end() || found->second != expected) {
      differs("event " + name, found == run.events.end() ? 0 : found->second, expected);
    }
  }
}

}  // namespace bittern
