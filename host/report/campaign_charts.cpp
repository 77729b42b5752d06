#include "host/report/campaign_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "host/report/chart.h"
#include "host/report/line_fields.h"
#include "host/report/page.h"

namespace bittern {
namespace {

using nlohmann::json;

const std::string& uniform_color() {
  static const std::string color = page::color(0);
  return color;
}
const std::string& found_color() {
  static const std::string color = page::color(1);
  return color;
}
const std::string& cost_color() {
  static const std::string color = page::color(2);
  return color;
}
const std::string& episode_color() {
  static const std::string color = page::color(7);
  return color;
}

/// One value of every episode, with the episodes of the warm-up as rings.
struct EpisodeSeries {
  Series warmup;
  Series agent;

  EpisodeSeries(const std::string& what, const std::string& color)
      : warmup{what + ", warm-up", color, Mark::kRings, {}, {}, {}, {}},
        agent{what, color, Mark::kPoints, {}, {}, {}, {}} {}

  void add(const json& line, double x, double y) {
    Series& series = line_is_warmup(line) ? warmup : agent;
    series.x.push_back(x);
    series.y.push_back(y);
    series.tooltips.push_back(fmt::format("episode {:.0f}{}: {:.4g}", line_number(line, "episode"),
                                          line_is_warmup(line) ? " (warm-up)" : "", y));
  }
  /// Those of the two that have points.
  std::vector<Series> parts() const {
    std::vector<Series> out;
    for (const Series& series : {warmup, agent}) {
      if (!series.x.empty()) out.push_back(series);
    }
    return out;
  }
};

/// Unit in which a resource is drawn.
struct Axis {
  double scale;
  const char* name;
  const char* unit;
  const char* cost_key;  ///< in the object `cost` of an episode
};

Axis axis_of(const std::string& resource) {
  if (resource == "latency") return {1e3, "latency", "ms", "latency_s"};
  if (resource == "energy") return {1e3, "energy", "mJ", "energy_j"};
  return {1.0 / 1024, "model size", "KiB", "weight_bytes"};
}

}  // namespace

int warmup_episodes(const std::vector<json>& episodes) {
  return static_cast<int>(std::count_if(episodes.begin(), episodes.end(), line_is_warmup));
}

std::string reward_chart(const std::vector<json>& episodes) {
  EpisodeSeries each("episode", episode_color());
  Series best{"best so far", found_color(), Mark::kStep, {}, {}, {}, {}};
  double top = -std::numeric_limits<double>::infinity();
  for (const json* drawn : lines_to_draw(episodes)) {
    const json& line = *drawn;
    const double reward = line_number(line, "reward");
    if (!std::isfinite(reward)) continue;
    top = std::max(top, reward);
    each.add(line, line_number(line, "episode"), reward);
    best.x.push_back(line_number(line, "episode"));
    best.y.push_back(top);
  }
  Chart chart{"Reward", "episode", "reward", each.parts(), {}};
  chart.series.push_back(best);
  return chart.svg();
}

std::string cost_chart(const CampaignResult& result, const ConstraintOutcome& constraint,
                       const std::vector<json>& episodes) {
  const Axis axis = axis_of(constraint.resource);
  // Without a reference (it costs nothing) there are no ratios: absolute values then.
  const bool ratio = constraint.reference > 0;
  EpisodeSeries each(std::string(axis.name) + " that ran", cost_color());
  for (const json* drawn : lines_to_draw(episodes)) {
    const json& line = *drawn;
    each.add(line, line_number(line, "episode"),
             ratio ? line_number(line, "ratio", constraint.resource)
                   : line_number(line, "cost", axis.cost_key) * axis.scale);
  }
  const double limit =
      ratio ? constraint.limit / constraint.reference : constraint.limit * axis.scale;
  const std::string y_label =
      ratio ? fmt::format("{} / that of {} bits", axis.name, result.reference.bits)
            : fmt::format("{} ({})", axis.name, axis.unit);
  return Chart{fmt::format("Cost behind the constraint wall: {}", axis.name),
               "episode",
               y_label,
               each.parts(),
               {{fmt::format("limit {:.4g}", limit), limit, false}}}
      .svg();
}

std::string accuracy_chart(const CampaignResult& result, const std::string& resource,
                           const std::vector<json>& episodes) {
  const Axis axis = axis_of(resource);
  const bool test = result.best.test_accuracy.has_value();
  const std::size_t images = test ? result.test_images : result.validation_images;
  const auto add = [&](Series& series, const PolicyOutcome& o, const std::string& label) {
    const double accuracy = test ? o.test_accuracy.value_or(NAN) : o.validation_accuracy;
    series.x.push_back(o.value_of(resource) * axis.scale);
    series.y.push_back(accuracy);
    series.errors.push_back(images > 0 ? accuracy_standard_error(accuracy, images) : 0.0);
    series.point_labels.push_back(label);
    series.tooltips.push_back(fmt::format("{}: {:.4f} {}, {:.2f} %", o.label,
                                          o.value_of(resource) * axis.scale, axis.unit, accuracy));
  };
  Series uniform{"uniform bits", uniform_color(), Mark::kLinePoints, {}, {}, {}, {}};
  Series mixed{"mixed bits", uniform_color(), Mark::kRings, {}, {}, {}, {}};
  for (const auto& outcome : result.uniform) {
    // "uniform 4, ends 8/8" -> "4"; "w6/a4, ends 8/8" -> "w6/a4".
    const std::string name = outcome.label.substr(0, outcome.label.find_first_of(",("));
    const std::string prefix = "uniform ";
    const bool is_uniform = name.rfind(prefix, 0) == 0;
    add(is_uniform ? uniform : mixed, outcome, is_uniform ? name.substr(prefix.size()) : name);
  }
  for (const auto& outcome : result.given) add(mixed, outcome, outcome.label);
  Series found{"found", found_color(), Mark::kStar, {}, {}, {}, {}};
  add(found, result.best, "");
  Chart chart{fmt::format("Accuracy against {}", axis.name),
              fmt::format("{} ({})", axis.name, axis.unit),
              test ? "test accuracy (%)" : "validation accuracy (%)",
              {uniform},
              {}};
  if (!mixed.x.empty()) chart.series.push_back(mixed);
  chart.series.push_back(found);
  if (!test) {
    // Episodes were scored on the validation split: they belong in the chart only when the other
    // points were, too.
    EpisodeSeries explored("episode", episode_color());
    for (const json* drawn : lines_to_draw(episodes)) {
      const json& episode = *drawn;
      explored.add(episode, line_number(episode, "cost", axis.cost_key) * axis.scale,
                   line_number(episode, "accuracy"));
    }
    const std::vector<Series> parts = explored.parts();
    chart.series.insert(chart.series.begin(), parts.begin(), parts.end());
  }
  for (const auto& constraint : result.constraints) {
    if (constraint.resource == resource) {
      chart.guides.push_back({"limit", constraint.limit * axis.scale, true});
    }
  }
  return chart.svg();
}

namespace {

BarChart bits_bars(const PolicyOutcome& policy, const std::string& title) {
  BarChart chart{title,
                 "bits",
                 {},
                 {{"weights", uniform_color(), {}}, {"activations", found_color(), {}}},
                 8.0};
  for (const auto& layer : policy.layers) {
    chart.categories.push_back(layer.name);
    chart.series[0].values.push_back(layer.bits.weight);
    chart.series[1].values.push_back(layer.bits.activation);
    chart.y_max = std::max({chart.y_max, static_cast<double>(layer.bits.weight),
                            static_cast<double>(layer.bits.activation)});
  }
  return chart;
}

}  // namespace

std::string bits_and_intensity_chart(const PolicyOutcome& policy, const std::string& title,
                                     bool narrow) {
  BarChart bits = bits_bars(policy, title);
  BarChart intensity{"", "op / byte", {}, {{"", cost_color(), {}}}, 0.0};
  bool known = !policy.layers.empty();
  for (const auto& layer : policy.layers) {
    intensity.categories.push_back(layer.name);
    intensity.series[0].values.push_back(layer.intensity());
    known = known && layer.intensity() > 0.0;
  }
  bits.narrow = intensity.narrow = narrow;
  if (!known) return bits.svg();
  bits.names = false;
  bits.height = 150;
  intensity.height = 110;
  intensity.log_y = true;
  return bits.svg() + intensity.svg();
}

const PolicyOutcome* reference_outcome(const CampaignResult& result) {
  for (const PolicyOutcome& outcome : result.uniform) {
    const bool same = std::all_of(
        outcome.layers.begin(), outcome.layers.end(), [&result](const LayerOutcome& layer) {
          return fmt::format("{}/{}", layer.bits.weight, layer.bits.activation) ==
                 result.reference.bits;
        });
    if (same && !outcome.layers.empty()) return &outcome;
  }
  return nullptr;
}

std::string layer_cost_chart(const CampaignResult& result, const std::string& resource) {
  const Axis axis = axis_of(resource);
  const auto value = [&](const LayerOutcome& layer) {
    return (resource == "latency" ? layer.latency_s : layer.energy_j) * axis.scale;
  };
  BarChart chart{fmt::format("{} by layer", resource == "latency" ? "Latency" : "Energy"),
                 fmt::format("{} ({})", axis.name, axis.unit),
                 {},
                 {},
                 0.0};
  if (const PolicyOutcome* reference = reference_outcome(result)) {
    chart.series.push_back({result.reference.bits + " bits", uniform_color(), {}});
    for (const auto& layer : reference->layers) chart.series[0].values.push_back(value(layer));
  }
  chart.series.push_back({"found", found_color(), {}});
  for (const auto& layer : result.best.layers) {
    chart.categories.push_back(layer.name);
    chart.series.back().values.push_back(value(layer));
  }
  return chart.svg();
}

std::string roofline_before_after(const CampaignResult& result) {
  const PolicyOutcome* before = reference_outcome(result);
  const double bandwidth = result.bandwidth.all_bytes_per_s;
  const auto known = [](const PolicyOutcome& policy) {
    return std::all_of(policy.layers.begin(), policy.layers.end(), [](const LayerOutcome& layer) {
      return layer.intensity() > 0.0 && layer.latency_s > 0.0 && layer.peak_ops_per_s > 0.0;
    });
  };
  if (before == nullptr || !(bandwidth > 0.0) || !known(*before) || !known(result.best) ||
      before->layers.size() != result.best.layers.size()) {
    return "";
  }
  Chart chart{"Roofline before and after",
              "operations per byte of device memory",
              "operations per second",
              {},
              {}};
  chart.log_x = chart.log_y = true;
  Series old_points{result.reference.bits + " bits", uniform_color(), Mark::kRings, {}, {}, {}, {}};
  Series new_points{"found", found_color(), Mark::kPoints, {}, {}, {}, {}};
  double low = std::numeric_limits<double>::infinity();
  double high = 0.0;
  const auto add = [&](Series& series, const LayerOutcome& layer) {
    series.x.push_back(layer.intensity());
    series.y.push_back(layer.operations / layer.latency_s);
    series.tooltips.push_back(fmt::format(
        "{} at {}/{}: {:.3g} operations per byte, {:.3g} operations per second", layer.name,
        layer.bits.weight, layer.bits.activation, series.x.back(), series.y.back()));
    low = std::min(low, layer.intensity());
    high = std::max(high, layer.intensity());
  };
  for (std::size_t i = 0; i < before->layers.size(); ++i) {
    add(old_points, before->layers[i]);
    add(new_points, result.best.layers[i]);
    new_points.point_labels.push_back(result.best.layers[i].name);
    chart.series.push_back({"",
                            "#94a3b8",
                            Mark::kDashed,
                            {old_points.x.back(), new_points.x.back()},
                            {old_points.y.back(), new_points.y.back()},
                            {},
                            {}});
  }
  double old_peak = 0.0;
  double new_peak = 0.0;
  for (const LayerOutcome& layer : before->layers) {
    old_peak = std::max(old_peak, layer.peak_ops_per_s);
  }
  for (const LayerOutcome& layer : result.best.layers) {
    new_peak = std::max(new_peak, layer.peak_ops_per_s);
  }
  const auto roof = [&](const std::string& label, const std::string& color, double peak) {
    const double knee = peak / bandwidth;
    chart.series.push_back({label,
                            color,
                            Mark::kLine,
                            {std::min(low / 2, knee / 2), knee, std::max(high, knee) * 2},
                            {std::min(low / 2, knee / 2) * bandwidth, peak, peak},
                            {},
                            {}});
  };
  roof(fmt::format("roof at {} bits", result.reference.bits), uniform_color(), old_peak);
  roof("roof at the narrowest bits found", found_color(), new_peak);
  chart.series.push_back(std::move(old_points));
  chart.series.push_back(std::move(new_points));
  return chart.svg();
}

}  // namespace bittern
