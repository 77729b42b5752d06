#include "host/analysis/measured_layers.h"

#include <memory>
#include <optional>

#include "host/cores/cores.h"

namespace bittern {
namespace {

std::vector<Measurement> measure(const Variant& variant, const std::vector<LayerJob>& jobs,
                                 const LayerSource& source, MeasuredLayers& answer) {
  if (source.model == LayerModel::kClosed) {
    std::vector<Measurement> measured;
    for (const KnownPlan& plan : Planner(variant).know(jobs, source.measurer.runner.phases)) {
      measured.push_back(model_measurement(plan, variant));
    }
    return measured;
  }
  Measurer measurer(variant, source.measurer);
  std::vector<Measurement> measured = measurer.measure(jobs);
  answer.rtl_hash = measurer.identity().rtl_hash;
  answer.store = measurer.store_path().string();
  answer.simulated = measurer.simulated();
  answer.recalled = measurer.recalled();
  return measured;
}

std::vector<Measurement> published(const Variant& variant, const Core& core,
                                   const std::vector<LayerPoint>& points) {
  std::vector<Measurement> measured;
  for (const LayerPoint& point : points) {
    const std::optional<PublishedResult> result =
        core.published(*point.layer, point.bits, variant.batch);
    if (!result) {
      fail_usage(
          "variant {}: no published model of core {} is part of this program; use the closed form "
          "(--model closed) or the RTL",
          variant.name, variant.core);
    }
    measured.push_back(published_measurement(*result));
  }
  return measured;
}

}  // namespace

MeasuredLayers measure_layers(const Variant& variant, const EnergyTable& energy,
                              const std::vector<LayerPoint>& points, const LayerSource& source) {
  const std::unique_ptr<Core> core = make_core(variant);
  std::vector<LayerJob> jobs;
  for (const LayerPoint& point : points) {
    jobs.push_back(network_job(*core, variant, *point.layer, point.bits));
  }
  MeasuredLayers answer;
  const std::vector<Measurement> measured = source.model == LayerModel::kPublished
                                                ? published(variant, *core, points)
                                                : measure(variant, jobs, source, answer);
  for (std::size_t i = 0; i < points.size(); ++i) {
    answer.layers.push_back(
        report_layer(*points[i].layer, points[i].bits, measured[i], *core, variant, energy));
  }
  return answer;
}

}  // namespace bittern
