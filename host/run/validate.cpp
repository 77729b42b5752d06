#include "host/run/validate.h"

#include <algorithm>

#include "host/run/cycle_split.h"

namespace bittern {
namespace {

void summarise(Validation& out) {
  double sum = 0.0;
  std::size_t counted = 0;
  for (std::size_t i = 0; i < out.layers.size(); ++i) {
    const ValidatedLayer& layer = out.layers[i];
    if (layer.failed() && out.failed++ == 0) out.first_failed = i;
    if (layer.result.bits != 32) ++out.requantised;
    if (layer.fault) continue;
    const double error = layer.cycle_error_percent();
    ++counted;
    sum += error;
    if (layer.cycles == layer.predicted) ++out.exact;
    if (error > out.max_cycle_error_percent) {
      out.max_cycle_error_percent = error;
      out.worst = i;
    }
  }
  if (counted > 0) out.mean_cycle_error_percent = sum / static_cast<double>(counted);
}

/// Adds a layer that did not fault to the comparison with the published model.
void compare_published(const Core& core, const LayerRun& run, std::size_t index, const Plan& plan,
                       ValidatedLayer& layer, PublishedComparison& out) {
  layer.published = core.published_for(plan);
  if (!layer.published) return;
  const auto split = split_cycles(core, run.events, run.cycles, "start_and_end");
  if (out.split.empty())
    out.split = split;
  else
    for (std::size_t i = 0; i < split.size(); ++i) out.split[i].second += split[i].second;
  if (const auto drain = run.events.find("array_drain"); drain != run.events.end()) {
    out.drain += drain->second;
  }
  layer.work = run.events.at(core.cycle_split().front().second);
  ++out.layers;
  out.compute += layer.published->compute;
  out.stalls += layer.published->stalls;
  out.cycles += run.cycles;
  if (layer.work == layer.published->compute) {
    ++out.equal_work;
  } else if (!out.first_unequal || index < *out.first_unequal) {
    out.first_unequal = index;
  }
}

}  // namespace

double ValidatedLayer::cycle_error_percent() const {
  if (cycles == predicted) return 0.0;
  const double difference = predicted > cycles ? static_cast<double>(predicted - cycles)
                                               : static_cast<double>(cycles - predicted);
  return 100.0 * difference / static_cast<double>(std::max<std::uint64_t>(cycles, 1));
}

Validation validate(const Core& core, DevicePool& pool, const std::vector<LayerJob>& jobs,
                    const std::filesystem::path& trace_folder, const RunnerOptions& options) {
  Validation out;
  const std::vector<PlannedLayer> planned = plan_layers(core, jobs, pool.size(), options.phases);
  out.layers.resize(jobs.size());
  run_layers(
      core, pool, planned,
      [&](std::size_t i, const PreparedLayer& layer, const LayerRun& run) {
        ValidatedLayer& result = out.layers[i];
        result.job = jobs[i];
        result.schedule = layer.planned.plan->key();
        result.result = layer.planned.plan->result;
        result.cycles = run.cycles;
        result.predicted = layer.planned.predicted.cycles;
        result.fault = run.fault;
        result.difference = run.difference;
        if (!run.fault) compare_published(core, run, i, *layer.planned.plan, result, out.published);
      },
      options);
  summarise(out);
  if (out.first_failed) {
    out.trace = trace_job(core, pool, jobs[*out.first_failed], trace_folder, options.phases);
  }
  return out;
}

}  // namespace bittern
