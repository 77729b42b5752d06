#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "host/base/phase.h"
#include "host/device/device_pool.h"
#include "host/run/layer_run.h"

namespace bittern {

/// How a batch of layers is run.
struct RunnerOptions {
  /// Prepared layers may take so much memory of the host together (a larger one goes alone).
  std::uint64_t memory_budget_bytes = std::uint64_t{2} << 30;
  /// Says what is being done; null: nobody wants to know.
  std::shared_ptr<Phases> phases;
};

/// Runs layers on all devices of a pool at once. Data of the next layers is drawn and packed while
/// the devices run the former; the longest layers go first. A layer whose device is lost runs once
/// more on a fresh one. `done(i, prepared, run)` is called for layers[i], one at a time, in no
/// particular order, from any thread. The first exception (of a device, of `done`, Stopped) stops
/// everything and is thrown: what still runs is not waited for, its devices are given up.
void run_layers(const Core& core, DevicePool& pool, const std::vector<PlannedLayer>& layers,
                const std::function<void(std::size_t, const PreparedLayer&, const LayerRun&)>& done,
                const RunnerOptions& options = {});

/// Plans jobs, on several threads; equal ones once. Result i belongs to jobs[i].
std::vector<PlannedLayer> plan_layers(const Core& core, const std::vector<LayerJob>& jobs,
                                      std::size_t threads,
                                      const std::shared_ptr<Phases>& phases = nullptr);

}  // namespace bittern
