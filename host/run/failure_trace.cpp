#include "host/run/failure_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstring>

#include "host/base/error.h"
#include "host/base/hash.h"
#include "host/base/stop.h"

namespace bittern {
namespace {

// Before the write of a wrong value lie the execution of its tile and the fetches for it.
constexpr std::uint64_t kBefore = 4096;
constexpr std::uint64_t kAfter = 256;

/// Name that is safe in a file system. Two layers have two names.
std::string file_name(const Variant& variant, const LayerJob& job) {
  constexpr std::size_t kMostBytes = 100;
  std::string layer = job.layer.name.substr(0, kMostBytes);
  for (char& c : layer) {
    const auto u = static_cast<unsigned char>(c);
    if (!std::isalnum(u) && c != '-' && c != '_' && c != '.') c = '_';
  }
  if (layer != job.layer.name) layer += "-" + sha256_hex(job.layer.name).substr(0, 8);
  return fmt::format("bittern-trace-{}-{}-w{}a{}.fst", variant.name, layer,
                     job.precision.bits.weight, job.precision.bits.activation);
}

}  // namespace

std::uint64_t result_offset(const Core& core, const PreparedLayer& layer, std::size_t index) {
  const Plan& plan = *layer.planned.plan;
  std::vector<std::uint8_t> bytes(layer.program.result_bytes, 0);
  // Halves the region in which a changed byte changes the output.
  std::uint64_t low = 0;
  std::uint64_t high = bytes.size();
  while (high - low > 1) {
    const std::uint64_t middle = low + (high - low) / 2;
    std::fill(bytes.begin() + low, bytes.begin() + middle, 0xff);
    const bool below = core.unpack(plan, bytes).at(index) != 0;
    std::fill(bytes.begin() + low, bytes.begin() + middle, 0);
    (below ? high : low) = middle;
  }
  return low;
}

std::uint64_t locate_difference(Device& device, const Core& core, const PreparedLayer& layer,
                                const LayerRun& run, std::uint64_t resolution) {
  const std::uint64_t address =
      layer.program.result_address + result_offset(core, layer, run.difference->index);
  // The byte as it was at the end of the failing run, and something else before every probe.
  const std::uint8_t wrong = device.read_memory(address, 1)[0];
  const std::uint8_t other = static_cast<std::uint8_t>(~wrong);
  for (const MemorySegment& segment : layer.program.segments) {
    device.write_memory(segment.address, segment.bytes);
  }
  RunRequest request = run_request(layer);
  std::uint64_t before = 0;
  std::uint64_t after = run.cycles;
  while (after - before > std::max<std::uint64_t>(resolution, 1)) {
    request.cycle_limit = before + (after - before) / 2;
    device.write_memory(address, Bytes(&other, 1));
    device.run(request);
    const bool written = device.read_memory(address, 1)[0] == wrong;
    (written ? after : before) = request.cycle_limit;
  }
  return after;
}

TraceRequest trace_failure(Device& device, const Core& core, const Variant& variant,
                           const PreparedLayer& layer, const std::filesystem::path& folder) {
  TraceRequest trace;
  trace.path = std::filesystem::absolute(folder / file_name(variant, layer.planned.job)).string();
  const LayerRun run = run_layer(device, core, variant, layer);
  std::uint64_t cycle = run.cycles;
  if (run.difference) {
    cycle = locate_difference(device, core, layer, run);
  } else if (!run.fault) {
    fail("{}: came out right when it was run again for a trace: the device is not deterministic",
         job_name(layer.planned.job));
  }
  trace.first_cycle = cycle > kBefore ? cycle - kBefore : 0;
  trace.last_cycle = cycle + kAfter;
  device.start_trace(trace);
  RunRequest request = run_request(layer);
  request.cycle_limit = std::min(request.cycle_limit, trace.last_cycle + 1);
  device.run(request);
  device.stop_trace();
  return trace;
}

FailureTrace trace_job(const Core& core, DevicePool& pool, const LayerJob& job,
                       const std::filesystem::path& folder, const std::shared_ptr<Phases>& phases) {
  const Phase phase(phases, "tracing " + job_name(job));
  FailureTrace out;
  try {
    const PreparedLayer layer = prepare_layer(core, plan_layer(core, job));
    pool.with_device(job_name(job) + " with a trace", [&](Device& device) {
      const TraceRequest trace = trace_failure(device, core, pool.variant(), layer, folder);
      out.path = trace.path;
      out.first_cycle = trace.first_cycle;
      out.last_cycle = trace.last_cycle;
    });
  } catch (const Stopped&) {
    throw;
  } catch (const Error& error) {
    out.problem = error.what();
  }
  return out;
}

}  // namespace bittern
