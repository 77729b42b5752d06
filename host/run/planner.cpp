#include "host/run/planner.h"

#include <spdlog/spdlog.h>

#include <optional>
#include <set>
#include <utility>

#include "host/base/processors.h"
#include "host/cores/cores.h"
#include "host/cores/planner_hash.h"
#include "host/run/layer_runner.h"
#include "host/store/sqlite.h"

namespace bittern {

KnownPlan known_plan(const PlannedLayer& planned) {
  KnownPlan known;
  known.schedule = planned.plan->key();
  known.program = planned.program;
  const ResultFormat& result = planned.plan->result;
  known.result_bits = result.bits;
  known.result_signed = result.bits == 32 || result.is_signed;
  known.cycles = planned.predicted.cycles;
  for (const auto& [name, count] : planned.predicted.events) known.events[name] = count;
  return known;
}

Planner::Planner(Variant variant, std::shared_ptr<MeasurementStore> store)
    : variant_(std::move(variant)), core_(make_core(variant_)), store_(std::move(store)) {}

std::size_t Planner::planned() const {
  const std::lock_guard lock(mutex_);
  return planned_;
}

PlanKey Planner::key_of(const LayerJob& job) const {
  return {planner_hash(), variant_.key(), job.layer.key(), job.precision, job.batch};
}

void Planner::make(const std::vector<LayerJob>& jobs, const std::shared_ptr<Phases>& phases) {
  if (jobs.empty()) return;
  const std::vector<PlannedLayer> planned =
      plan_layers(*core_, jobs, static_cast<std::size_t>(processors()), phases);
  std::vector<std::pair<PlanKey, KnownPlan>> fresh;
  for (const PlannedLayer& layer : planned) {
    fresh.emplace_back(key_of(layer.job), known_plan(layer));
  }
  if (store_ && store_->read_only().empty()) {
    try {
      store_->put_plans(fresh);
    } catch (const DatabaseError& error) {
      // Nothing is lost but the time to make them once more.
      spdlog::warn("{} plans are not remembered: {}", fresh.size(), error.what());
    }
  }
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < planned.size(); ++i) {
    entries_[fresh[i].first.hex()] = {std::move(fresh[i].second), planned[i].plan};
  }
  planned_ += planned.size();
}

std::vector<KnownPlan> Planner::know(const std::vector<LayerJob>& jobs,
                                     const std::shared_ptr<Phases>& phases) {
  std::vector<std::string> keys;
  std::set<std::string> looked_up;
  std::vector<LayerJob> missing;
  for (const LayerJob& job : jobs) {
    const PlanKey key = key_of(job);
    keys.push_back(key.hex());
    if (!looked_up.insert(keys.back()).second) continue;
    {
      const std::lock_guard lock(mutex_);
      if (entries_.count(keys.back()) > 0) continue;
    }
    std::optional<KnownPlan> known = store_ ? store_->find_plan(key) : std::nullopt;
    if (!known) {
      missing.push_back(job);
      continue;
    }
    const std::lock_guard lock(mutex_);
    entries_.emplace(keys.back(), Entry{std::move(*known), nullptr});
  }
  make(missing, phases);
  std::vector<KnownPlan> plans;
  const std::lock_guard lock(mutex_);
  for (const std::string& key : keys) plans.push_back(entries_.at(key).known);
  return plans;
}

std::vector<PlannedLayer> Planner::plan(const std::vector<LayerJob>& jobs,
                                        const std::shared_ptr<Phases>& phases) {
  std::vector<std::string> keys;
  std::vector<LayerJob> missing;
  {
    std::set<std::string> seen;
    const std::lock_guard lock(mutex_);
    for (const LayerJob& job : jobs) {
      keys.push_back(key_of(job).hex());
      if (!seen.insert(keys.back()).second) continue;
      const auto entry = entries_.find(keys.back());
      if (entry == entries_.end() || !entry->second.plan) missing.push_back(job);
    }
  }
  make(missing, phases);
  std::vector<PlannedLayer> planned;
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const Entry& entry = entries_.at(keys[i]);
    planned.push_back({jobs[i], entry.plan, core_->model(*entry.plan), entry.known.program});
  }
  return planned;
}

}  // namespace bittern
