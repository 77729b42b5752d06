#pragma once

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "host/run/layer_run.h"
#include "host/run/layer_runner.h"
#include "host/run/planner.h"
#include "host/store/store.h"

namespace bittern {

/// Where measurements come from and go to.
struct MeasurerOptions {
  std::size_t workers = 0;  ///< simulations at once; 0: one for each processor
  /// Store; empty: MeasurementStore::default_path().
  std::filesystem::path store;
  /// false: everything is run anew and nothing is kept.
  bool use_store = true;
  /// Devices that run elsewhere, instead of simulations of ours.
  std::vector<Endpoint> endpoints;
  DeviceOptions device;
  RunnerOptions runner;
};

/// A layer did not compute what the integer reference says, or did not end. The message says which
/// layer, where, what was expected and what came.
class WrongResult : public Error {
 public:
  WrongResult(const PreparedLayer& layer, const LayerRun& run, const Variant& variant);
};

/// Measures layers on devices of a variant: answers from the store what was measured before
/// (without planning it again, where the store knows the plan), runs the rest in parallel, compares
/// every output with the integer reference, and stores what is right. Nothing else than a checked
/// run of the device is ever an answer. Thread-safe.
class Measurer {
 public:
  /// Starts nothing yet, but opens the store.
  Measurer(Variant variant, MeasurerOptions options);
  ~Measurer();

  /// Measurements of jobs, in their order; equal ones are run once. Throws WrongResult, Error of
  /// the store, and as Device does; what was measured by then is in the store.
  std::vector<Measurement> measure(const std::vector<LayerJob>& jobs);

  /// Content key of a job, and whether the store has its answer. Nothing is run; identity() is
  /// asked, and what is not known of its plan is planned.
  MeasurementKey key_of(const LayerJob& job);
  bool stored(const MeasurementKey& key) { return store_ && store_->find(key).has_value(); }

  const Variant& variant() const { return planner_->variant(); }
  const Core& core() const { return planner_->core(); }
  /// What plans for it, and remembers in its store.
  const std::shared_ptr<Planner>& planner() const { return planner_; }
  /// Identity of the devices; starts one when none runs yet. Nothing is simulated.
  const DeviceIdentity& identity();
  /// The devices.
  DevicePool& pool() { return *pool_; }
  /// File of the store; empty when none is used.
  std::filesystem::path store_path() const;

  /// Layers that were run on a device so far, and answers that came from the store.
  std::size_t simulated() const { return simulated_; }
  std::size_t recalled() const { return recalled_; }

 private:
  MeasurementKey key_of(const LayerJob& job, const KnownPlan& plan);

  const MeasurerOptions options_;
  std::shared_ptr<MeasurementStore> store_;
  std::shared_ptr<Planner> planner_;
  std::unique_ptr<DevicePool> pool_;
  std::mutex mutex_;
  std::optional<DeviceIdentity> identity_;
  std::atomic<std::size_t> simulated_{0};
  std::atomic<std::size_t> recalled_{0};
};

/// Job for a layer of a network on a variant: its batch, signed weights, the layer's own sign of
/// activations, bits rounded to what the core supports.
LayerJob network_job(const Core& core, const Variant& variant, const Layer& layer, BitPair bits);

/// Number of simulations that run at once when nothing is said.
std::size_t default_workers();

/// What took part in a measurement, for people: "bittern 0.1.0 (a1b2c3d), verilator 5.006 ...".
std::string tools_text(const DeviceIdentity& identity);

}  // namespace bittern
