#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "host/base/phase.h"
#include "host/cores/core.h"
#include "host/run/layer_run.h"
#include "host/store/store.h"
#include "host/variant/variant.h"

namespace bittern {

/// What is known of a plan once it was made.
KnownPlan known_plan(const PlannedLayer& planned);

/// Plans layers for a variant, and remembers what it planned: here, and in a store for other
/// processes of the same planner. Thread-safe.
class Planner {
 public:
  /// `store`: null where nothing is to be kept. One that may only be read answers and keeps
  /// nothing.
  explicit Planner(Variant variant, std::shared_ptr<MeasurementStore> store = nullptr);

  /// What is known of the plans of jobs, in their order. Plans, on several threads, what neither
  /// this object nor the store knows, each shape at a precision and batch once. Throws as
  /// Core::plan and MeasurementStore do.
  std::vector<KnownPlan> know(const std::vector<LayerJob>& jobs,
                              const std::shared_ptr<Phases>& phases = nullptr);

  /// The plans themselves. Those that only the store knows are made again, and take the place of
  /// what it knew.
  std::vector<PlannedLayer> plan(const std::vector<LayerJob>& jobs,
                                 const std::shared_ptr<Phases>& phases = nullptr);

  const Variant& variant() const { return variant_; }
  const Core& core() const { return *core_; }
  /// How many plans were made so far.
  std::size_t planned() const;

 private:
  struct Entry {
    KnownPlan known;
    std::shared_ptr<const Plan> plan;  ///< null while only the store knows it
  };
  PlanKey key_of(const LayerJob& job) const;
  /// Makes plans of jobs that are all different, and keeps them.
  void make(const std::vector<LayerJob>& jobs, const std::shared_ptr<Phases>& phases);

  const Variant variant_;
  const std::unique_ptr<Core> core_;
  const std::shared_ptr<MeasurementStore> store_;
  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;  ///< by PlanKey::hex()
  std::size_t planned_ = 0;
};

}  // namespace bittern
