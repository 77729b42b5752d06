#include "host/run/layer_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "host/base/error.h"
#include "host/base/hash.h"
#include "host/integer/layer_data.h"
#include "host/integer/reference.h"
#include "host/protocol/registers.h"
#include "host/run/answer_check.h"

namespace bittern {
namespace {

/// Fills the result region before a run, so that what a device failed to write is not taken for
/// what an earlier run wrote.
constexpr std::uint8_t kPoison = 0xa5;

std::uint64_t data_seed(const LayerJob& job) {
  if (job.seed != 0) return job.seed;
  const Precision& p = job.precision;
  const std::string text =
      fmt::format("{} w{}{} a{}{} b{}", job.layer.key(), p.bits.weight, p.weight_signed,
                  p.bits.activation, p.activation_signed, job.batch);
  return std::stoull(sha256_hex(text).substr(0, 16), nullptr, 16);
}

std::uint64_t count_of(const std::map<std::string, std::uint64_t>& events, const std::string& name,
                       const Variant& variant) {
  const auto found = events.find(name);
  if (found != events.end()) return found->second;
  fail("variant {}: event '{}' was not counted; every core has to count it", variant.name, name);
}

std::optional<Difference> compare(const PreparedLayer& layer,
                                  const std::vector<std::int32_t>& got) {
  const std::vector<std::int32_t>& expected = layer.expected;
  if (got.size() != expected.size()) {
    fail("{}: {} outputs were unpacked, expected {}", job_name(layer.planned.job), got.size(),
         expected.size());
  }
  if (got == expected) return std::nullopt;
  Difference difference;
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (got[i] == expected[i]) continue;
    if (difference.count++ == 0) {
      difference.index = i;
      difference.expected = expected[i];
      difference.got = got[i];
    }
  }
  return difference;
}

}  // namespace

std::string job_name(const LayerJob& job) {
  return fmt::format("layer {} at {}/{} bits", job.layer.name, job.precision.bits.weight,
                     job.precision.bits.activation);
}

PlannedLayer plan_layer(const Core& core, const LayerJob& job) {
  PlannedLayer planned;
  planned.job = job;
  planned.plan = core.plan(job.layer, job.precision, job.batch);
  planned.predicted = core.model(*planned.plan);
  planned.program = core.outline(*planned.plan).digest();
  return planned;
}

std::uint64_t memory_estimate(const LayerJob& job) {
  const Layer& layer = job.layer;
  // In real numbers: those of huge layers do not fit 64 bits.
  const auto real = [](std::int64_t count) { return static_cast<double>(count); };
  const double pixels = real(layer.out_height()) * layer.out_width() * job.batch;
  const double outputs = real(layer.outputs()) * job.batch;
  // Tensors, packed operands (held twice while they are sent), results and reference.
  const double packed =
      pixels * real(layer.reduction()) * layer.groups * job.precision.bits.activation / 8 +
      real(layer.weights()) * job.precision.bits.weight / 8;
  constexpr double kMost = 1e18;
  return static_cast<std::uint64_t>(std::min(kMost, 2 * real(layer.inputs()) * job.batch +
                                                        2 * real(layer.weights()) + 2 * packed +
                                                        16 * outputs));
}

PreparedLayer prepare_layer(const Core& core, const PlannedLayer& planned) {
  const LayerJob& job = planned.job;
  const std::shared_ptr<const LayerData> kept =
      job.data ? job.data
               : std::make_shared<const LayerData>(
                     random_layer_data(job.layer, job.precision, job.batch, data_seed(job)));
  const LayerData& data = *kept;
  PreparedLayer prepared;
  prepared.planned = planned;
  prepared.program = core.build(*planned.plan, data);
  prepared.expected = reference_outputs(job.layer, job.batch, data);
  requantise(prepared.expected, planned.plan->result);
  return prepared;
}

std::string output_position(const Layer& layer, std::size_t index) {
  const auto width = static_cast<std::size_t>(layer.out_width());
  const auto height = static_cast<std::size_t>(layer.out_height());
  const auto channels = static_cast<std::size_t>(layer.out_channels);
  return fmt::format("[batch {}][channel {}][row {}][column {}]",
                     index / (width * height * channels), index / (width * height) % channels,
                     index / width % height, index % width);
}

std::vector<std::string> counter_names(const Variant& variant) {
  const registers::CoreMap* map = registers::core_map(variant.core);
  if (map == nullptr) {
    fail("variant {}: the register map has no events for core '{}'", variant.name, variant.core);
  }
  std::vector<std::string> names(map->events, map->events + map->num_events);
  for (std::size_t i = 0; i < map->num_per_port_events; ++i) {
    const std::string_view event = map->per_port_events[i];
    const bool reads = event.substr(0, 4) == "read";
    const std::int64_t ports = variant.parameter(reads ? "NumReadPorts" : "NumWritePorts");
    for (std::int64_t port = 0; port < ports; ++port) {
      names.push_back(fmt::format("{}[{}]", event, port));
    }
  }
  return names;
}

std::pair<std::uint64_t, std::uint64_t> bytes_moved(
    const std::map<std::string, std::uint64_t>& events, const Variant& variant) {
  const std::uint64_t beat = static_cast<std::uint64_t>(variant.parameter("PortWidth")) / 8;
  constexpr std::uint64_t kInstructionBytes = 16;
  std::uint64_t instructions = 1;  // END
  for (const auto& [name, count] : events) {
    if (name.compare(0, 6, "instr_") == 0) instructions += count;
  }
  return {count_of(events, "read_beats", variant) * beat + instructions * kInstructionBytes,
          count_of(events, "write_beats", variant) * beat};
}

RunRequest run_request(const PreparedLayer& layer) {
  RunRequest request;
  request.program_address = layer.program.program_address;
  request.instruction_count = layer.program.instruction_count;
  request.mem_limit = layer.program.memory_end;
  request.cycle_limit = 4 * layer.planned.predicted.cycles + 1000000;
  return request;
}

LayerRun run_layer(Device& device, const Core& core, const Variant& variant,
                   const PreparedLayer& layer, const std::function<void(std::uint64_t)>& progress) {
  const Program& program = layer.program;
  {
    const std::vector<std::uint8_t> poison(program.result_bytes, kPoison);
    device.write_memory(program.result_address, poison);
  }
  for (const MemorySegment& segment : program.segments) {
    device.write_memory(segment.address, segment.bytes);
  }
  const RunRequest request = run_request(layer);
  const RunResult result = device.run(request, progress);

  LayerRun run;
  run.device = device.name();
  run.remote = device.remote();
  run.cycles = result.cycles;
  const std::vector<std::string> names = counter_names(variant);
  if (result.counters.size() != names.size() + 1) {
    fail("device {} has {} counters, expected {} for core {}: rebuild it", device.name(),
         result.counters.size(), names.size() + 1, variant.core);
  }
  for (std::size_t i = 0; i < names.size(); ++i) run.events[names[i]] = result.counters[i + 1];
  if (result.status == RunStatus::kDone) {
    check_counter(device, layer.planned, result);
    check_answer(run, layer, request, core, variant);
  }
  std::tie(run.bytes_read, run.bytes_written) = bytes_moved(run.events, variant);
  if (result.status == RunStatus::kFault) {
    run.fault =
        fmt::format("the shell stopped with error {} ({}) after {} instructions and {} cycles",
                    result.error_code,
                    registers::error_name(static_cast<registers::ErrorCode>(result.error_code)),
                    result.error_info, result.cycles);
  } else if (result.status != RunStatus::kDone) {
    run.fault = fmt::format("still busy after {} cycles, the closed form says {}", result.cycles,
                            layer.planned.predicted.cycles);
  } else {
    const auto bytes = device.read_memory(program.result_address, program.result_bytes);
    run.outputs = core.unpack(*layer.planned.plan, bytes);
    run.difference = compare(layer, run.outputs);
  }
  return run;
}

}  // namespace bittern
