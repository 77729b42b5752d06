#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/cores/core.h"
#include "host/device/device.h"
#include "host/variant/variant.h"

namespace bittern {

/// One layer at one precision, to be run on a device.
struct LayerJob {
  Layer layer;
  Precision precision;
  int batch = 1;
  /// Of random data; 0: derived from shape, precision and batch, so that the same job has the same
  /// data always and everywhere.
  std::uint64_t seed = 0;
  /// What is computed with; null: random data.
  std::shared_ptr<const LayerData> data = nullptr;
};

/// "conv1 at 4/8 bits": name of a job in messages.
std::string job_name(const LayerJob& job);

/// A job with its schedule.
struct PlannedLayer {
  LayerJob job;
  std::shared_ptr<const Plan> plan;
  ModelResult predicted;  ///< the closed form's
  std::string program;    ///< ProgramOutline::digest()
};

/// Plans a job. Throws Error as Core::plan does.
PlannedLayer plan_layer(const Core& core, const LayerJob& job);

/// Upper bound (rough) of the host's memory that a prepared layer takes while it runs, in bytes.
std::uint64_t memory_estimate(const LayerJob& job);

/// A job with everything that the device needs, and what it has to answer.
struct PreparedLayer {
  PlannedLayer planned;
  Program program;
  std::vector<std::int32_t> expected;  ///< integer reference
};

/// Takes the job's data or draws it, packs it, computes the reference. The expensive part on the
/// host.
PreparedLayer prepare_layer(const Core& core, const PlannedLayer& planned);

/// Where a device's outputs differ from the integer reference.
struct Difference {
  std::size_t index = 0;  ///< of the first, in [batch][channel][height][width] order
  std::int32_t expected = 0;
  std::int32_t got = 0;
  std::size_t count = 0;  ///< how many differ
};

/// Index of an output as "[batch 0][channel 3][row 1][column 2]".
std::string output_position(const Layer& layer, std::size_t index);

/// What a device made of a layer.
struct LayerRun {
  std::uint64_t cycles = 0;
  std::map<std::string, std::uint64_t> events;  ///< all counters by name
  std::uint64_t bytes_read = 0;                 ///< of device memory, instructions included
  std::uint64_t bytes_written = 0;
  std::string device;  ///< name of the one that ran it
  std::string remote;  ///< its endpoint when it runs elsewhere, see Device::remote()
  /// Why there are no outputs: the device stopped with an error code, or did not end in time.
  std::optional<std::string> fault;
  std::optional<Difference> difference;
  /// What the device gave, [batch][channel][height][width]; empty where it faulted.
  std::vector<std::int32_t> outputs = {};
};

/// Writes a prepared layer into a device, runs it, reads the result and compares it. A fault or a
/// difference is a result; throws as Device does, and RefusedAnswer when what the device says of
/// the run cannot be true (check_answer).
LayerRun run_layer(Device& device, const Core& core, const Variant& variant,
                   const PreparedLayer& layer,
                   const std::function<void(std::uint64_t cycles)>& progress = {});

/// Request that runs a prepared layer; the cycle limit is far beyond what the closed form says.
RunRequest run_request(const PreparedLayer& layer);

/// Names of the counters of a variant's device, from counter 1 on; those of single ports as
/// "read_port_beats[0]". Throws Error for a core without a register map.
std::vector<std::string> counter_names(const Variant& variant);

/// Bytes that a run read and wrote, from its events: beats of the data ports, and 16 bytes for
/// every instruction (events "instr_...", and END). Throws Error when they are not among them.
std::pair<std::uint64_t, std::uint64_t> bytes_moved(
    const std::map<std::string, std::uint64_t>& events, const Variant& variant);

}  // namespace bittern
