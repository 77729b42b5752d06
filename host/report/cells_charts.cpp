#include "host/report/cells_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "host/analysis/campaign_curves.h"
#include "host/analysis/campaign_verdict_text.h"
#include "host/report/chart.h"
#include "host/report/line_fields.h"
#include "host/report/page.h"

namespace bittern {
namespace {

/// Unit in which a resource is drawn.
struct Unit {
  double scale;
  const char* name;
  const char* unit;
};

Unit unit_of(const std::string& resource) {
  if (resource == "latency") return {1e3, "latency", "ms"};
  if (resource == "energy") return {1e3, "energy", "mJ"};
  return {1.0 / 1024, "model size", "KiB"};
}

std::string color_of(const AnalysedCampaigns& campaigns, const std::string& method) {
  const std::vector<std::string> methods = campaigns.methods();
  const auto at = std::find(methods.begin(), methods.end(), method);
  // The first colour is that of uniform bits.
  return page::color(1 + static_cast<std::size_t>(at - methods.begin()));
}

std::vector<const AnalysedCell*> cells_of(const AnalysedCampaigns& campaigns,
                                          const std::string& problem) {
  std::vector<const AnalysedCell*> out;
  for (const AnalysedCell& cell : campaigns.cells) {
    if (cell.problem() == problem) out.push_back(&cell);
  }
  return out;
}

/// "uniform 4, ends 8/8" -> "4", "w6/a4" as it is.
std::string short_label(const std::string& label) {
  const std::string name = label.substr(0, label.find_first_of(",("));
  const std::string prefix = "uniform ";
  return name.rfind(prefix, 0) == 0 ? name.substr(prefix.size()) : name;
}

std::string curves_chart(const AnalysedCampaigns& campaigns, const std::string& problem,
                         Chart chart, MeanInterval CurvePoint::*what) {
  for (const MethodCurve& curve : method_curves(campaigns, 200)) {
    if (curve.problem != problem) continue;
    Series series{
        method_title(curve.method), color_of(campaigns, curve.method), Mark::kStep, {}, {}, {}, {}};
    for (const CurvePoint& point : curve.points) {
      const MeanInterval& value = point.*what;
      if (value.n == 0) continue;
      series.x.push_back(point.evaluation);
      series.y.push_back(value.mean);
      series.band.push_back(value.deviation);
    }
    chart.series.push_back(std::move(series));
  }
  return chart.svg();
}

/// Uniform policies by label, their accuracies averaged over cells that are judged alike.
struct UniformPoint {
  double x = 0.0;
  std::vector<double> accuracies;
};

Series uniform_series(const std::map<std::string, UniformPoint>& points) {
  Series series{"uniform bits", page::color(0), Mark::kLinePoints, {}, {}, {}, {}};
  std::vector<std::pair<double, std::string>> order;
  for (const auto& [label, point] : points) order.emplace_back(point.x, label);
  std::sort(order.begin(), order.end());
  for (const auto& [x, label] : order) {
    const double mean = mean_interval(points.at(label).accuracies).mean;
    series.x.push_back(x);
    series.y.push_back(mean);
    series.point_labels.push_back(short_label(label));
    series.tooltips.push_back(fmt::format("{}: {:.2f} %", label, mean));
  }
  return series;
}

}  // namespace

std::string frontier_chart(const AnalysedCampaigns& campaigns, const std::string& problem) {
  const std::vector<const AnalysedCell*> cells = cells_of(campaigns, problem);
  const CampaignResult& first = cells.front()->result;
  const std::string resource =
      first.constraints.empty() ? "latency" : first.constraints.front().resource;
  const Unit unit = unit_of(resource);
  Chart chart{"Frontier of all policies seen",
              fmt::format("{} ({})", unit.name, unit.unit),
              "accuracy as the search saw it (%)",
              {},
              {}};

  // Uniform bits cost up to the whole of what is limited to a part.
  chart.log_x = true;

  struct Seen {
    double cost, accuracy;
    std::string method;
    std::uint64_t seed;
  };
  std::vector<Seen> seen;
  for (const AnalysedCell* cell : cells) {
    for (const Episode& e : cell->episodes) {
      if (e.screened_images > 0) continue;  // an accuracy of other images
      seen.push_back(
          {e.value_of(resource) * unit.scale, e.accuracy, cell->result.search, cell->result.seed});
    }
  }
  std::sort(seen.begin(), seen.end(), [](const Seen& a, const Seen& b) {
    return a.cost != b.cost ? a.cost < b.cost : a.accuracy > b.accuracy;
  });
  Series frontier{"frontier", "#64748b", Mark::kStep, {}, {}, {}, {}};
  std::map<std::string, Series> by_method;
  const std::size_t every = 1 + seen.size() / kMostPoints;
  double best = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < seen.size(); ++i) {
    const bool better = seen[i].accuracy > best;
    if (better) {
      best = seen[i].accuracy;
      frontier.x.push_back(seen[i].cost);
      frontier.y.push_back(best);
    } else if (i % every != 0) {
      continue;
    }
    Series& series = by_method[seen[i].method];
    series.x.push_back(seen[i].cost);
    series.y.push_back(seen[i].accuracy);
    series.tooltips.push_back(fmt::format("{}, seed {}: {:.4f} {}, {:.2f} %", seen[i].method,
                                          seen[i].seed, seen[i].cost, unit.unit, seen[i].accuracy));
  }
  for (const std::string& method : campaigns.methods()) {
    const auto at = by_method.find(method);
    if (at == by_method.end()) continue;
    at->second.label = method_title(method);
    at->second.color = color_of(campaigns, method);
    at->second.mark = Mark::kDots;
    chart.series.push_back(at->second);
  }
  chart.series.push_back(std::move(frontier));

  std::map<std::string, UniformPoint> uniform;
  for (const AnalysedCell* cell : cells) {
    for (const PolicyOutcome& outcome : cell->result.uniform) {
      if (!outcome.search_accuracy) continue;
      UniformPoint& point = uniform[outcome.label];
      point.x = outcome.value_of(resource) * unit.scale;
      point.accuracies.push_back(*outcome.search_accuracy);
    }
  }
  if (!uniform.empty()) chart.series.push_back(uniform_series(uniform));
  for (const std::string& method : campaigns.methods()) {
    Series found{"", color_of(campaigns, method), Mark::kStar, {}, {}, {}, {}};
    for (const AnalysedCell* cell : cells) {
      const auto& accuracy = cell->result.search_accuracy;
      if (cell->result.search != method || !accuracy) continue;
      found.x.push_back(cell->result.best.value_of(resource) * unit.scale);
      found.y.push_back(*accuracy);
      found.tooltips.push_back(
          fmt::format("found by {}, seed {}: {:.2f} %", method, cell->result.seed, *accuracy));
    }
    if (!found.x.empty()) chart.series.push_back(std::move(found));
  }
  for (const ConstraintOutcome& c : first.constraints) {
    if (c.resource == resource) chart.guides.push_back({"limit", c.limit * unit.scale, true});
  }
  return chart.svg();
}

std::string best_curves_chart(const AnalysedCampaigns& campaigns, const std::string& problem) {
  return curves_chart(
      campaigns, problem,
      {"Best accuracy so far", "evaluations", "accuracy as the search saw it (%)", {}, {}},
      &CurvePoint::best);
}

std::string below_best_chart(const AnalysedCampaigns& campaigns, const std::string& problem) {
  Chart chart{"Evaluations to a quality", "evaluations", "points below the best known", {}, {}};
  chart.log_x = true;
  return curves_chart(campaigns, problem, chart, &CurvePoint::below);
}

std::string limits_chart(const AnalysedCampaigns& campaigns, const std::string& network,
                         const std::string& variant, const std::string& resource, Judge judge) {
  std::map<std::string, std::map<double, std::vector<double>>> scores;  // method, limit
  std::map<std::string, UniformPoint> uniform;
  std::set<double> limits;
  for (const AnalysedCell& cell : campaigns.cells) {
    const CampaignResult& r = cell.result;
    if (r.network != network || r.variant != variant || r.constraints.size() != 1 ||
        r.constraints.front().resource != resource || !(r.constraints.front().reference > 0)) {
      continue;
    }
    const ConstraintOutcome& c = r.constraints.front();
    // Rounded, so that one limit of many seeds is one point.
    const double limit = std::round(c.limit / c.reference * 1e9) / 1e9;
    limits.insert(limit);
    scores[r.search][limit].push_back(score(cell, judge));
    for (const PolicyOutcome& outcome : r.uniform) {
      const double accuracy = judge == Judge::kChoice ? outcome.choice_accuracy.value_or(NAN)
                                                      : outcome.validation_accuracy;
      if (!std::isfinite(accuracy)) continue;
      uniform[outcome.label].x = outcome.value_of(resource) / c.reference;
      uniform[outcome.label].accuracies.push_back(accuracy);
    }
  }
  if (limits.size() < 2) return "";
  Chart chart{fmt::format("Accuracy against the limit: {} on {}", network, variant),
              fmt::format("limit on {}, share of the reference", unit_of(resource).name),
              "accuracy (%)",
              {},
              {}};
  if (!uniform.empty()) chart.series.push_back(uniform_series(uniform));
  for (const std::string& method : campaigns.methods()) {
    const auto at = scores.find(method);
    if (at == scores.end()) continue;
    Series series{
        method_title(method), color_of(campaigns, method), Mark::kLinePoints, {}, {}, {}, {}};
    for (const auto& [limit, values] : at->second) {
      const MeanInterval mean = mean_interval(values);
      series.x.push_back(limit);
      series.y.push_back(mean.mean);
      series.errors.push_back(mean.known() ? mean.high - mean.mean : 0.0);
      series.tooltips.push_back(fmt::format("{}: {:.2f} %, {} seeds", method, mean.mean, mean.n));
    }
    chart.series.push_back(std::move(series));
  }
  return chart.svg();
}

const AnalysedCell* winner(const AnalysedCampaigns& campaigns, const std::string& problem,
                           const std::string& method, Judge judge) {
  const AnalysedCell* best = nullptr;
  for (const std::uint64_t seed : campaigns.seeds(problem, method)) {
    const AnalysedCell* cell = campaigns.find(problem, method, seed);
    if (best == nullptr || score(*cell, judge) > score(*best, judge)) best = cell;
  }
  return best;
}

}  // namespace bittern
