#include "host/report/campaign_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "host/report/chart.h"
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

double field(const json& line, const std::string& key) {
  const auto it = line.find(key);
  return it != line.end() && it->is_number() ? it->get<double>()
                                             : std::numeric_limits<double>::quiet_NaN();
}

/// Value of `key` in the object `part` of an episode line, not a number when it is not there.
double field(const json& line, const std::string& part, const std::string& key) {
  const auto it = line.find(part);
  return it != line.end() && it->is_object() ? field(*it, key)
                                             : std::numeric_limits<double>::quiet_NaN();
}

bool is_warmup(const json& line) {
  const auto it = line.find("warmup");
  return it != line.end() && it->is_boolean() && it->get<bool>();
}

/// One value of every episode, with the episodes of the warm-up as rings.
struct EpisodeSeries {
  Series warmup;
  Series agent;

  EpisodeSeries(const std::string& what, const std::string& color)
      : warmup{what + ", warm-up", color, Mark::kRings, {}, {}, {}, {}},
        agent{what, color, Mark::kPoints, {}, {}, {}, {}} {}

  void add(const json& line, double x, double y) {
    Series& series = is_warmup(line) ? warmup : agent;
    series.x.push_back(x);
    series.y.push_back(y);
    series.tooltips.push_back(fmt::format("episode {:.0f}{}: {:.4g}", field(line, "episode"),
                                          is_warmup(line) ? " (warm-up)" : "", y));
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
  return static_cast<int>(std::count_if(episodes.begin(), episodes.end(), is_warmup));
}

std::string reward_chart(const std::vector<json>& episodes) {
  EpisodeSeries each("episode", episode_color());
  Series best{"best so far", found_color(), Mark::kStep, {}, {}, {}, {}};
  double top = -std::numeric_limits<double>::infinity();
  for (const auto& line : episodes) {
    const double reward = field(line, "reward");
    if (!std::isfinite(reward)) continue;
    top = std::max(top, reward);
    each.add(line, field(line, "episode"), reward);
    best.x.push_back(field(line, "episode"));
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
  for (const auto& line : episodes) {
    each.add(line, field(line, "episode"),
             ratio ? field(line, "ratio", constraint.resource)
                   : field(line, "cost", axis.cost_key) * axis.scale);
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
    for (const auto& episode : episodes) {
      explored.add(episode, field(episode, "cost", axis.cost_key) * axis.scale,
                   field(episode, "accuracy"));
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

std::string bits_chart(const PolicyOutcome& best) {
  BarChart chart{"Bits of the found policy",
                 "bits",
                 {},
                 {{"weights", uniform_color(), {}}, {"activations", found_color(), {}}},
                 8.0};
  for (const auto& layer : best.layers) {
    chart.categories.push_back(layer.name);
    chart.series[0].values.push_back(layer.bits.weight);
    chart.series[1].values.push_back(layer.bits.activation);
  }
  return chart.svg();
}

std::string share_chart(const PolicyOutcome& best) {
  BarChart chart{"Latency of the found policy by layer",
                 "% of the latency",
                 {},
                 {{"latency", cost_color(), {}}},
                 0.0};
  for (const auto& layer : best.layers) {
    chart.categories.push_back(layer.name);
    chart.series[0].values.push_back(best.latency_s > 0 ? 100.0 * layer.latency_s / best.latency_s
                                                        : 0.0);
  }
  return chart.svg();
}

}  // namespace bittern
