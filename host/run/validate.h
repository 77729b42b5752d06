#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/run/failure_trace.h"
#include "host/run/layer_run.h"
#include "host/run/layer_runner.h"

namespace bittern {

/// What came of one layer.
struct ValidatedLayer {
  LayerJob job;
  std::string schedule;
  ResultFormat result;          ///< of its outputs
  std::uint64_t cycles = 0;     ///< of the device
  std::uint64_t predicted = 0;  ///< of the closed form
  std::optional<std::string> fault;
  std::optional<Difference> difference;
  /// The published model for the tiling that ran; nothing where the core has none.
  std::optional<PublishedResult> published;
  std::uint64_t work = 0;  ///< cycles in which the array of the device worked

  bool failed() const { return fault || difference; }
  /// |predicted - cycles| / cycles, percent.
  double cycle_error_percent() const;
};

/// Devices against the model that the authors of the architecture published, with the tilings that
/// ran, over the layers that did not fault.
struct PublishedComparison {
  std::size_t layers = 0;
  /// Layers in which the array worked for as many cycles as the model says.
  std::size_t equal_work = 0;
  std::optional<std::size_t> first_unequal;
  std::uint64_t compute = 0;  ///< of the model
  std::uint64_t stalls = 0;
  std::uint64_t cycles = 0;  ///< of the device
  /// The device's cycles by Core::cycle_split(), and "start_and_end", when the array had no
  /// instruction (below zero when events overlap, which is a fault of the RTL).
  std::vector<std::pair<std::string, std::int64_t>> split;
  /// Cycles without work in which the array was still draining (event array_drain); they overlap
  /// those in which it waited.
  std::uint64_t drain = 0;
};

/// Devices against the integer reference and against the closed form.
struct Validation {
  std::vector<ValidatedLayer> layers;  ///< in the order of the jobs
  std::size_t failed = 0;              ///< layers with a difference or a fault
  std::size_t requantised = 0;         ///< layers whose results did not leave as 32-bit sums
  std::optional<std::size_t> first_failed;
  FailureTrace trace;  ///< of the first difference

  PublishedComparison published;

  // Over the layers that did not fault.
  std::size_t exact = 0;  ///< cycles equal to the closed form's
  double max_cycle_error_percent = 0.0;
  double mean_cycle_error_percent = 0.0;
  std::optional<std::size_t> worst;  ///< layer with the largest cycle error, when there is any
};

/// Runs all jobs on the pool's devices (never answered from a store), compares outputs with the
/// integer reference and cycles with the closed form. When a layer fails, the first of them is run
/// again with a trace into `trace_folder`. Throws as devices do.
Validation validate(const Core& core, DevicePool& pool, const std::vector<LayerJob>& jobs,
                    const std::filesystem::path& trace_folder, const RunnerOptions& options = {});

}  // namespace bittern
