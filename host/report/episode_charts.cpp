#include "host/report/episode_charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "host/report/chart.h"
#include "host/report/line_fields.h"

namespace bittern {
namespace {

using nlohmann::json;

constexpr std::size_t kCurvePoints = 400;

/// Whether its accuracy is of all images.
bool looked_at_whole(const json& line) { return line.find("screened_images") == line.end(); }

/// Whether it may be a result of the search.
bool eligible(const json& line) {
  if (!looked_at_whole(line)) return false;
  const auto it = line.find("meets_limits");
  return it == line.end() || !it->is_boolean() || it->get<bool>();
}

Series line_series(const std::string& label, std::size_t color, Mark mark = Mark::kLine) {
  return {label, page::color(color), mark, {}, {}, {}, {}};
}

/// Values of some key over the episodes, thinned; `get` gives what is not finite for no value.
template <typename Get>
Series curve_of(const std::vector<json>& lines, const std::string& label, std::size_t color,
                Get get) {
  Series series = line_series(label, color);
  const std::size_t every = 1 + lines.size() / kCurvePoints;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i % every != 0 && i + 1 != lines.size()) continue;
    const double value = get(lines[i]);
    if (!std::isfinite(value)) continue;
    series.x.push_back(line_number(lines[i], "episode"));
    series.y.push_back(value);
  }
  return series;
}

/// A figure of several curves; without those that have no points, and none when all are so.
void add_curves(std::vector<page::Figure>& figures, const std::string& title,
                const std::string& y_label, std::vector<Series> curves, const std::string& note) {
  Chart chart{title, "episode", y_label, {}, {}};
  for (Series& curve : curves) {
    if (!curve.x.empty()) chart.series.push_back(std::move(curve));
  }
  if (!chart.series.empty()) figures.push_back({chart.svg(), note});
}

/// A layer's operand with what its bits' probabilities were.
struct Probabilities {
  std::string name;
  std::map<int, Series> bits;
};

std::vector<Probabilities> probabilities_of(const std::vector<json>& lines) {
  std::vector<Probabilities> out;
  std::vector<const json*> with;
  for (const json& line : lines) {
    const auto it = line.find("probabilities");
    if (it != line.end() && it->is_array()) with.push_back(&line);
  }
  const std::size_t every = 1 + with.size() / kCurvePoints;
  for (std::size_t i = 0; i < with.size(); i += every) {
    for (const json& entry : *with[i]->find("probabilities")) {
      if (!entry.is_object()) continue;
      const auto bits = entry.find("bits");
      const auto p = entry.find("p");
      const auto layer = entry.find("layer");
      const auto kind = entry.find("kind");
      if (bits == entry.end() || p == entry.end() || !bits->is_array() || !p->is_array() ||
          bits->size() != p->size() || layer == entry.end()) {
        continue;
      }
      const std::string text = layer->is_string() ? layer->get<std::string>() : layer->dump();
      const std::string name = text + (kind == entry.end() || !kind->is_string() ? ""
                                       : kind->get<std::string>() == "a"         ? ", activations"
                                                                                 : ", weights");
      auto at = std::find_if(out.begin(), out.end(),
                             [&name](const Probabilities& one) { return one.name == name; });
      if (at == out.end()) {
        if (out.size() == kMostProbabilityCharts) continue;
        at = out.insert(out.end(), {name, {}});
      }
      for (std::size_t k = 0; k < p->size(); ++k) {
        if (!(*p)[k].is_number() || !(*bits)[k].is_number_integer()) continue;
        const int width = (*bits)[k].get<int>();
        const auto [series, is_new] = at->bits.emplace(width, Series{});
        if (is_new) {
          // A change of bits, not bits, where the method's actions are relative.
          series->second =
              line_series(fmt::format("{} bits", width), at->bits.size() - 1, Mark::kLine);
        }
        series->second.x.push_back(line_number(*with[i], "episode"));
        series->second.y.push_back((*p)[k].get<double>());
      }
    }
  }
  return out;
}

}  // namespace

std::string episode_accuracy_chart(const std::vector<json>& lines) {
  Series each = line_series("episode", 7, Mark::kPoints);
  Series best = line_series("best within the limits", 1, Mark::kStep);
  double top = -std::numeric_limits<double>::infinity();
  for (const json* line : lines_to_draw(lines)) {
    const double accuracy = line_number(*line, "accuracy");
    if (!std::isfinite(accuracy)) continue;
    const double episode = line_number(*line, "episode");
    each.x.push_back(episode);
    each.y.push_back(accuracy);
    each.tooltips.push_back(fmt::format("episode {:.0f}: {:.2f} %", episode, accuracy));
    if (!eligible(*line)) continue;
    top = std::max(top, accuracy);
    best.x.push_back(episode);
    best.y.push_back(top);
  }
  return Chart{"Accuracy", "episode", "accuracy as the search sees it (%)", {each, best}, {}}.svg();
}

std::string episode_ratio_chart(const std::vector<json>& lines) {
  Chart chart{"Cost behind the constraint wall", "episode", "share of the reference", {}, {}};
  std::size_t color = 2;
  for (const char* resource : {"latency", "energy", "model_size"}) {
    Series series = line_series(resource, color++, Mark::kPoints);
    for (const json* line : lines_to_draw(lines, kMostPoints / 3)) {
      const double ratio = line_number(*line, "ratio", resource);
      if (!std::isfinite(ratio)) continue;
      series.x.push_back(line_number(*line, "episode"));
      series.y.push_back(ratio);
    }
    if (!series.x.empty()) chart.series.push_back(std::move(series));
  }
  return chart.svg();
}

std::string episode_frontier_chart(const std::vector<json>& lines) {
  Series all = line_series("policy", 7, Mark::kPoints);
  Series frontier = line_series("frontier", 1, Mark::kStep);
  std::vector<std::pair<double, double>> points;  // latency, minus accuracy
  for (const json& line : lines) {
    if (!looked_at_whole(line)) continue;
    const double latency = line_number(line, "cost", "latency_s") * 1e3;
    const double accuracy = line_number(line, "accuracy");
    if (std::isfinite(latency) && std::isfinite(accuracy)) points.emplace_back(latency, -accuracy);
  }
  std::sort(points.begin(), points.end());
  points.erase(std::unique(points.begin(), points.end()), points.end());
  const std::size_t every = 1 + points.size() / kMostPoints;
  double best = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < points.size(); ++i) {
    const double accuracy = -points[i].second;
    if (accuracy > best) {
      best = accuracy;
      frontier.x.push_back(points[i].first);
      frontier.y.push_back(accuracy);
    } else if (i % every != 0) {
      continue;
    }
    all.x.push_back(points[i].first);
    all.y.push_back(accuracy);
    all.tooltips.push_back(fmt::format("{:.4f} ms, {:.2f} %", points[i].first, accuracy));
  }
  return Chart{"Frontier of all policies seen",
               "latency (ms)",
               "accuracy as the search sees it (%)",
               {all, frontier},
               {}}
      .svg();
}

std::string episode_best_bits_chart(const std::vector<json>& lines) {
  const json* best = nullptr;
  for (const json& line : lines) {
    const double reward = line_number(line, "reward");
    if (!eligible(line) || !std::isfinite(reward)) continue;
    if (best == nullptr || reward > line_number(*best, "reward")) best = &line;
  }
  BarChart chart{"Bits of the best policy so far", "bits", {}, {}, 8.0};
  chart.series = {{"weights", page::color(0), {}}, {"activations", page::color(1), {}}};
  if (best == nullptr) return chart.svg();
  const auto policy = best->find("policy");
  if (policy == best->end() || !policy->is_array()) return chart.svg();
  for (const json& bits : *policy) {
    if (!bits.is_array() || bits.size() != 2 || !bits[0].is_number() || !bits[1].is_number()) {
      continue;
    }
    chart.categories.push_back(fmt::format("{}", chart.categories.size() + 1));
    chart.series[0].values.push_back(bits[0].get<double>());
    chart.series[1].values.push_back(bits[1].get<double>());
  }
  return chart.svg();
}

std::vector<page::Figure> method_figures(const std::vector<json>& lines) {
  std::vector<page::Figure> figures;
  const auto of = [&lines](const std::string& label, std::size_t color, const char* part,
                           const char* key) {
    return curve_of(lines, label, color, [part, key](const json& line) {
      return part == nullptr ? line_number(line, key) : line_number(line, part, key);
    });
  };
  add_curves(figures, "Moving averages: states", "share of full precision",
             {of("state of accuracy", 1, "moving", "accuracy"),
              of("state of quantisation", 0, "moving", "quantization")},
             "Accuracy as a share of that in full precision, and how many bits the policies still "
             "have; averaged over the last episodes.");
  add_curves(figures, "Moving average: reward", "reward of the method",
             {of("reward", 1, "moving", "reward")}, "");
  add_curves(figures, "Entropy of the policy", "nats", {of("entropy", 3, nullptr, "entropy")},
             "Falls as the agent makes up its mind.");
  add_curves(
      figures, "Updates: how far they go", "",
      {of("KL divergence", 0, "update", "kl"), of("clipped share", 1, "update", "clip_share")},
      "Divergence of the new policy from the old one, and the share of samples whose ratio "
      "was clipped.");
  add_curves(figures, "Updates: losses", "loss",
             {of("policy", 0, "update", "policy_loss"), of("value", 1, "update", "value_loss")},
             "");
  for (const Probabilities& one : probabilities_of(lines)) {
    Chart chart{"Probabilities of bits: " + one.name, "episode", "probability", {}, {}};
    for (const auto& [bits, series] : one.bits) chart.series.push_back(series);
    figures.push_back({chart.svg(), ""});
  }
  return figures;
}

}  // namespace bittern
