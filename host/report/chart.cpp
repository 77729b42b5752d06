#include "host/report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace bittern {
namespace {

// One size for all charts: the page scales them by CSS.
constexpr double kWidth = 640;
constexpr double kHeight = 340;
constexpr double kLeft = 68;
constexpr double kRight = 18;
constexpr double kTop = 34;
constexpr double kBottom = 52;

/// Linear map of data values to pixels.
struct Axis {
  double low = 0;
  double high = 1;
  double from = 0;
  double to = 1;

  double at(double value) const { return from + (value - low) / (high - low) * (to - from); }
};

/// Smallest and largest finite value seen.
struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void add(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool empty() const { return low > high; }
  /// Widens by `share` on both sides, and never to nothing.
  void pad(double share) {
    double margin = (high - low) * share;
    if (margin <= 0) margin = std::max(std::abs(high) * 0.1, 1e-9);
    low -= margin;
    high += margin;
  }
};

std::string number(double value, double step) {
  const int digits = std::clamp(static_cast<int>(-std::floor(std::log10(step) + 1e-9)), 0, 9);
  std::string text = fmt::format("{:.{}f}", value, digits);
  return text == "-0" ? "0" : text;
}

std::string open_svg(const std::string& title) {
  return fmt::format(
      "<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\" class=\"chart\">"
      "<text x=\"{:.0f}\" y=\"18\" class=\"title\">{}</text>",
      kWidth, kHeight, escape_html(title), kLeft, escape_html(title));
}

std::string y_axis(const Axis& y, const std::string& label) {
  std::string out;
  const auto ticks = axis_ticks(y.low, y.high, 5);
  const double step = ticks.size() > 1 ? ticks[1] - ticks[0] : 1.0;
  for (double tick : ticks) {
    out += fmt::format(
        "<line x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\" class=\"grid\"/>"
        "<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"tick\" text-anchor=\"end\">{}</text>",
        kLeft, kWidth - kRight, y.at(tick), y.at(tick), kLeft - 6, y.at(tick) + 4,
        number(tick, step));
  }
  return out + fmt::format(
                   "<text transform=\"translate(14 {:.1f}) rotate(-90)\" class=\"axis\" "
                   "text-anchor=\"middle\">{}</text>",
                   (kTop + kHeight - kBottom) / 2, escape_html(label));
}

std::string legend(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string out;
  double x = kLeft;
  for (const auto& [label, color] : entries) {
    if (label.empty()) continue;
    out += fmt::format(
        "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"10\" height=\"10\" fill=\"{}\"/>"
        "<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"tick\">{}</text>",
        x, kHeight - 14, escape_html(color), x + 14, kHeight - 5, escape_html(label));
    x += 32 + 6.2 * static_cast<double>(label.size());
  }
  return out;
}

std::string star(double x, double y, const std::string& color) {
  std::string points;
  for (int i = 0; i < 10; ++i) {
    const double radius = i % 2 == 0 ? 9.0 : 3.8;
    const double angle = 3.14159265358979 * (i / 5.0 - 0.5);
    points +=
        fmt::format("{:.1f},{:.1f} ", x + radius * std::cos(angle), y + radius * std::sin(angle));
  }
  return fmt::format("<polygon points=\"{}\" fill=\"{}\">", points, color);
}

std::string draw_points(const Series& s, const Axis& x, const Axis& y) {
  std::string out;
  for (std::size_t i = 0; i < s.x.size(); ++i) {
    if (!std::isfinite(s.x[i]) || !std::isfinite(s.y[i])) continue;
    const double px = x.at(s.x[i]);
    const double py = y.at(s.y[i]);
    const std::string color = escape_html(s.color);
    const bool is_star = s.mark == Mark::kStar;
    out += is_star ? star(px, py, color)
                   : fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.4\" fill=\"{}\">", px,
                                 py, color);
    if (i < s.tooltips.size()) out += "<title>" + escape_html(s.tooltips[i]) + "</title>";
    out += is_star ? "</polygon>" : "</circle>";
    if (i < s.point_labels.size()) {
      out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"tick\">{}</text>", px + 7, py - 6,
                         escape_html(s.point_labels[i]));
    }
  }
  return out;
}

std::string draw_line(const Series& s, const Axis& x, const Axis& y) {
  std::string points;
  for (std::size_t i = 0; i < s.x.size(); ++i) {
    if (!std::isfinite(s.x[i]) || !std::isfinite(s.y[i])) continue;
    points += fmt::format("{:.1f},{:.1f} ", x.at(s.x[i]), y.at(s.y[i]));
  }
  return fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.8\"/>",
                     points, escape_html(s.color));
}

}  // namespace

std::string escape_html(const std::string& text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::vector<double> axis_ticks(double low, double high, int count) {
  if (!(high > low) || count < 1) return {low};
  const double raw = (high - low) / count;
  const double power = std::pow(10.0, std::floor(std::log10(raw)));
  const double share = raw / power;
  const double step = power * (share <= 1.0 ? 1.0 : share <= 2.0 ? 2.0 : share <= 5.0 ? 5.0 : 10.0);
  std::vector<double> ticks;
  // Multiplying (not adding up) keeps 0.30000000000000004 and its kind out of the labels.
  for (double n = std::ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n += 1.0)
    ticks.push_back(n * step);
  return ticks;
}

std::string Chart::svg() const {
  Range xs;
  Range ys;
  for (const auto& s : series) {
    for (std::size_t i = 0; i < std::min(s.x.size(), s.y.size()); ++i) {
      if (!std::isfinite(s.x[i]) || !std::isfinite(s.y[i])) continue;
      xs.add(s.x[i]);
      ys.add(s.y[i]);
    }
  }
  std::string out = open_svg(title);
  if (xs.empty()) return out + "<text x=\"80\" y=\"160\" class=\"tick\">no data</text></svg>";
  for (const auto& guide : guides) (guide.vertical ? xs : ys).add(guide.value);
  xs.pad(0.03);
  ys.pad(0.08);
  const Axis x{xs.low, xs.high, kLeft, kWidth - kRight};
  const Axis y{ys.low, ys.high, kHeight - kBottom, kTop};

  out += y_axis(y, y_label);
  const auto ticks = axis_ticks(x.low, x.high, 7);
  const double step = ticks.size() > 1 ? ticks[1] - ticks[0] : 1.0;
  for (double tick : ticks) {
    out += fmt::format(
        "<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"tick\" text-anchor=\"middle\">{}</text>",
        x.at(tick), kHeight - kBottom + 15, number(tick, step));
  }
  out +=
      fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"axis\" text-anchor=\"middle\">{}</text>",
                  (kLeft + kWidth - kRight) / 2, kHeight - kBottom + 30, escape_html(x_label));
  for (const auto& guide : guides) {
    const double p = guide.vertical ? x.at(guide.value) : y.at(guide.value);
    out +=
        guide.vertical
            ? fmt::format(
                  "<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\" "
                  "class=\"guide\"/>"
                  "<text x=\"{3:.1f}\" y=\"{4:.1f}\" class=\"tick\">{5}</text>",
                  p, kTop, kHeight - kBottom, p + 4, kHeight - kBottom - 6,
                  escape_html(guide.label))
            : fmt::format(
                  "<line x1=\"{0:.1f}\" x2=\"{1:.1f}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\" "
                  "class=\"guide\"/>"
                  "<text x=\"{1:.1f}\" y=\"{3:.1f}\" class=\"tick\" text-anchor=\"end\">{4}</text>",
                  kLeft, kWidth - kRight, p, p - 4, escape_html(guide.label));
  }
  std::vector<std::pair<std::string, std::string>> entries;
  for (const auto& s : series) {
    out += s.mark == Mark::kLine ? draw_line(s, x, y) : draw_points(s, x, y);
    entries.emplace_back(s.label, s.color);
  }
  return out + legend(entries) + "</svg>";
}

std::string BarChart::svg() const {
  std::string out = open_svg(title);
  Range ys;
  ys.add(0.0);
  for (const auto& s : series) {
    for (double value : s.values) ys.add(value);
  }
  if (y_max > 0) ys.high = y_max;
  if (categories.empty() || !(ys.high > 0)) {
    return out + "<text x=\"80\" y=\"160\" class=\"tick\">no data</text></svg>";
  }
  const Axis y{0.0, ys.high * 1.05, kHeight - kBottom, kTop};
  out += y_axis(y, y_label);
  const double group = (kWidth - kLeft - kRight) / static_cast<double>(categories.size());
  const double bar = group * 0.8 / static_cast<double>(series.size());
  std::vector<std::pair<std::string, std::string>> entries;
  for (std::size_t s = 0; s < series.size(); ++s) {
    entries.emplace_back(series[s].label, series[s].color);
    for (std::size_t c = 0; c < std::min(categories.size(), series[s].values.size()); ++c) {
      const double value = series[s].values[c];
      if (!std::isfinite(value)) continue;
      const double left =
          kLeft + group * (static_cast<double>(c) + 0.1) + bar * static_cast<double>(s);
      out += fmt::format(
          "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" "
          "fill=\"{}\"><title>{} {}: {:g}</title></rect>",
          left, y.at(value), std::max(bar - 1.0, 0.5), y.at(0.0) - y.at(value),
          escape_html(series[s].color), escape_html(categories[c]), escape_html(series[s].label),
          value);
    }
  }
  // More names than fit side by side are thinned, the tooltips still have them all.
  const std::size_t every = 1 + categories.size() / 13;
  for (std::size_t c = 0; c < categories.size(); c += every) {
    out += fmt::format(
        "<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"tick\" text-anchor=\"middle\">{}</text>",
        kLeft + group * (static_cast<double>(c) + 0.5), kHeight - kBottom + 15,
        escape_html(categories[c]));
  }
  return out + legend(entries) + "</svg>";
}

}  // namespace bittern
