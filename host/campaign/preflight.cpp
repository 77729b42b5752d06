#include "host/campaign/preflight.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "host/base/error.h"
#include "host/base/yaml.h"
#include "host/campaign/experience.h"
#include "host/campaign/run_directory.h"
#include "host/campaign/search_settings.h"
#include "host/cores/core.h"
#include "host/search/cost_table.h"
#include "host/search/wall.h"
#include "host/store/store.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;

constexpr const char* kUsualReference = "8/8";

/// Prices every point with a meter: a layer at a time, because planning large ones takes long.
void prefetch(RowCostModel& model, const std::vector<std::pair<std::size_t, BitPair>>& points,
              const std::shared_ptr<Phases>& phases) {
  Phase phase(phases, fmt::format("planning {} points", points.size()), {points.size(), "points"});
  for (std::size_t begin = 0; begin < points.size();) {
    std::size_t end = begin;
    while (end < points.size() && points[end].first == points[begin].first) ++end;
    model.prefetch({points.begin() + static_cast<std::ptrdiff_t>(begin),
                    points.begin() + static_cast<std::ptrdiff_t>(end)});
    phase.advance(end - begin);
    begin = end;
  }
}

/// Counts what is to be simulated, and what the store has.
Preflight::Points count_points(Measurer& measurer, const Network& network,
                               const RowCostModel& planned) {
  Preflight::Points points;
  std::set<std::string> seen;
  for (const LutRow& row : planned.lut()) {
    const LayerJob job = network_job(measurer.core(), measurer.variant(),
                                     network.layers[network.index_of(row.layer)], row.bits);
    const MeasurementKey key = measurer.key_of(job);
    if (!seen.insert(key.hex()).second) continue;
    ++points.all;
    if (measurer.stored(key)) {
      ++points.stored;
    } else {
      points.cycles += row.cycles;
    }
  }
  return points;
}

MeasurerOptions measuring(const RunOptions& options, bool may_make_store) {
  MeasurerOptions out;
  out.workers = options.workers;
  out.store = options.store;
  out.endpoints = options.endpoints;
  out.runner.phases = options.phases;
  const fs::path store = options.store.empty() ? MeasurementStore::default_path() : options.store;
  out.use_store = may_make_store || fs::exists(store);
  return out;
}

}  // namespace

Preflight preflight(const Campaign& campaign, const RunOptions& options, bool may_make_store) {
  Preflight found;
  // The quickest first: files and settings, then the directory, then what has to be computed.
  *found.network_at = load_network(campaign.network);
  found.hardware = load_hardware(campaign, found.network());
  found.search = search_options(campaign, found.hardware, found.network());
  validate(found.search);
  const BitSpace space(found.search.bits, found.network());
  RunDirectory::check(options.out, campaign_key(campaign), options.resume);

  if (!campaign.search.start.empty()) {
    found.start = read_experience(campaign.search.start_path());
    check_start(campaign.method, *found.start);
  }
  found.accuracies = campaign.evaluator.make(campaign, found.network(), options);
  found.accuracies->check_space(space);
  if (campaign.method.doubts) found.warnings = campaign.method.doubts(campaign.search.budget());
  if (campaign.method.space_doubts) {
    for (std::string& doubt : campaign.method.space_doubts(space, campaign.search.budget())) {
      found.warnings.push_back(std::move(doubt));
    }
  }
  for (std::string& doubt : found.accuracies->warnings()) found.warnings.push_back(doubt);

  found.costs =
      make_costs(campaign, found.network(), found.hardware, measuring(options, may_make_store));
  // The closed form says what the RTL will: whether the constraints can be met is known before the
  // first simulation.
  std::unique_ptr<RowCostModel> closed_form;
  RowCostModel* model = found.costs.model.get();
  if (campaign.cost == "rtl") {
    closed_form = std::make_unique<ModelCostModel>(found.network(), found.costs.measurer->planner(),
                                                   *found.hardware.energy);
    if (campaign.evaluator.codebooks) closed_form->count_codebooks();
    model = closed_form.get();
  }
  found.baselines =
      baseline_policies(space, found.hardware, *model, found.network(), campaign.policies,
                        /*floats=*/!campaign.search.fixed);
  prefetch(*model, cost_points(space, found.baselines), options.phases);
  const std::vector<Constraint> constraints = search_constraints(campaign);
  const CostTable table(*model, space);
  found.reference = table.reference_bits();
  if (found.reference != kUsualReference) {
    found.warnings.push_back(fmt::format(
        "{} has no {} for every layer: ratios refer to {}, the most bits that the "
        "search may choose",
        campaign.as_written("table", campaign.table), kUsualReference, found.reference));
  }
  const Wall wall(table, space, constraints, found.search.wall);
  for (std::size_t i = 0; i < constraints.size(); ++i) {
    found.limits.push_back({constraints[i], wall.limits()[i], wall.least()[i]});
  }
  if (found.costs.measurer) {
    found.points = count_points(*found.costs.measurer, found.network(), *model);
  } else {
    found.points.all = model->lut().size();
  }
  return found;
}

std::string preflight_text(const Campaign& campaign, const RunOptions& options,
                           const Preflight& found) {
  std::string out;
  const auto line = [&out](const char* name, const std::string& text) {
    out += fmt::format("{:<12}{}\n", name, text);
  };
  std::int64_t weights = 0;
  for (const Layer& layer : found.network().layers) weights += layer.weights();
  line("campaign", fmt::format("{} ({})", campaign.name, campaign.file.string()));
  line("network", fmt::format("{}, {} layers, {} weights", found.network().name,
                              found.network().layers.size(), weights));
  line("variant", found.hardware.variant
                      ? found.hardware.name + ": " + found.hardware.variant->description
                      : fmt::format("{}, batch {}", found.hardware.name, found.hardware.batch));
  for (const auto& layer : found.network().layers) {
    line("", fmt::format("{}  {}", layer.name, layer.key()));
  }
  for (const auto& [constraint, limit, least] : found.limits) {
    const char* unit = resource_unit(constraint.resource);
    line("constraint",
         fmt::format("{} at most {:.4g} {}{}; the search can reach {:.4g} {}",
                     resource_name(constraint.resource), limit, unit,
                     constraint.is_ratio
                         ? fmt::format(" ({:g} of {})", constraint.limit, found.reference)
                         : "",
                     least, unit));
  }
  const Preflight::Points& points = found.points;
  if (campaign.cost == "rtl") {
    line("costs",
         fmt::format("{} points of layer and bits: {} in the store, {} to simulate, {} "
                     "cycles by the closed form",
                     points.all, points.stored, points.all - points.stored, points.cycles));
  } else {
    line("costs", fmt::format("{} points of layer and bits, by {}", points.all,
                              campaign.cost == "model" ? "the closed form" : campaign.table));
  }
  const SearchSettings& search = campaign.search;
  line("search", search.evaluations > 0
                     ? fmt::format("{}, {} evaluations in at most {} episodes",
                                   campaign.method.name, search.evaluations, search.episodes)
                     : fmt::format("{}, {} episodes", campaign.method.name, search.episodes));
  if (found.start) {
    line("start", fmt::format("{} ({}, {} policies)", found.start->source, found.start->method,
                              found.start->scores.size()));
  }
  for (const auto& [name, text] : found.accuracies->outline()) line(name.c_str(), text);
  line("output", options.out.string() + "/");
  for (const std::string& warning : found.warnings) line("warning", warning);
  return out;
}

}  // namespace bittern
