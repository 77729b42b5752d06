#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

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

}  // namespace bittern
