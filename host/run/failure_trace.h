#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "host/base/phase.h"
#include "host/device/device_pool.h"
#include "host/run/layer_run.h"

namespace bittern {

/// First byte of the device's result region that an output depends on.
std::uint64_t result_offset(const Core& core, const PreparedLayer& layer, std::size_t index);

/// Cycle, to within `resolution`, by which the wrong value of an output has arrived in device
/// memory: found by running the layer again and again with a cycle limit. The device has just run
/// the layer, with `run` and its difference.
std::uint64_t locate_difference(Device& device, const Core& core, const PreparedLayer& layer,
                                const LayerRun& run, std::uint64_t resolution = 256);

/// Runs a layer that failed once more with tracing switched on around the difference (or before the
/// fault). Returns the window of cycles and the path of the FST file, which lies in `folder`.
/// Throws DeviceRefusal when the device cannot trace, Error when the layer comes out right this
/// time.
TraceRequest trace_failure(Device& device, const Core& core, const Variant& variant,
                           const PreparedLayer& layer, const std::filesystem::path& folder);

/// What came of tracing a failure.
struct FailureTrace {
  std::string path;  ///< FST file around the difference; empty when there is none
  std::uint64_t first_cycle = 0;
  std::uint64_t last_cycle = 0;
  std::string problem;  ///< why there is none
};

/// Plans, prepares and runs a job that failed once more, with a trace, on a device of the pool.
/// Throws Stopped only.
FailureTrace trace_job(const Core& core, DevicePool& pool, const LayerJob& job,
                       const std::filesystem::path& folder, const std::shared_ptr<Phases>& phases);

}  // namespace bittern
