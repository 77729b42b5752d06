#include "host/report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "host/report/chart_frame.h"

namespace bittern {
namespace {

using chart::Axis;
using chart::Frame;
using chart::LabelPlacer;
using chart::LegendEntry;
using chart::Range;

constexpr double kWide = 1296;
constexpr double kNarrow = 430;

/// Pixels of the points of a series that can be drawn; calls `visit(index, x, y)`.
template <typename Visit>
void each_point(const Series& s, const Axis& x, const Axis& y, const Range& xs, const Range& ys,
                Visit visit) {
  for (std::size_t i = 0; i < std::min(s.x.size(), s.y.size()); ++i) {
    if (xs.takes(s.x[i]) && ys.takes(s.y[i])) visit(i, x.at(s.x[i]), y.at(s.y[i]));
  }
}

std::string mark(Mark kind, double x, double y, const std::string& color,
                 const std::string& tooltip) {
  const std::string title = tooltip.empty() ? "" : "<title>" + escape_html(tooltip) + "</title>";
  if (kind == Mark::kStar) {
    return fmt::format("<polygon points=\"{}\" fill=\"{}\">{}</polygon>",
                       chart::star_points(x, y, 9.0), color, title);
  }
  if (kind == Mark::kDots) {
    return fmt::format(
        "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.2\" fill=\"{}\" "
        "fill-opacity=\"0.55\">{}</circle>",
        x, y, color, title);
  }
  const std::string paint =
      kind == Mark::kRings
          ? fmt::format("fill=\"none\" stroke=\"{}\" stroke-width=\"1.4\" pointer-events=\"all\"",
                        color)
          : fmt::format("fill=\"{}\"", color);
  return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.4\" {}>{}</circle>", x, y, paint,
                     title);
}

bool has_line(Mark mark) {
  return mark == Mark::kLine || mark == Mark::kDashed || mark == Mark::kStep ||
         mark == Mark::kLinePoints;
}

bool has_points(Mark mark) { return !has_line(mark) || mark == Mark::kLinePoints; }

/// Bar from `low` to `high`, in pixels, with caps.
std::string error_bar(double x, double low, double high, const std::string& color) {
  return fmt::format(
      "<path d=\"M{0:.1f} {1:.1f}V{2:.1f}M{3:.1f} {1:.1f}H{4:.1f}M{3:.1f} {2:.1f}H{4:.1f}\" "
      "stroke=\"{5}\" stroke-width=\"1.1\" stroke-opacity=\"0.7\" fill=\"none\"/>",
      x, low, high, x - 3, x + 3, color);
}

std::string polyline(const Series& s, const std::string& points) {
  return fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\"{}/>",
                     points, escape_html(s.color), s.mark == Mark::kLinePoints ? 1.1 : 1.8,
                     s.mark == Mark::kDashed ? " stroke-dasharray=\"6 4\"" : "");
}

/// The shaded band of a series; empty where it has none.
std::string band(const Series& s, const Axis& x, const Axis& y, const Range& xs, const Range& ys) {
  std::string above;
  std::string below;
  double last_above = NAN;
  double last_below = NAN;
  const auto go_to = [&](double px, double high, double low) {
    above += fmt::format("{:.1f},{:.1f} ", px, high);
    below.insert(0, fmt::format("{:.1f},{:.1f} ", px, low));
  };
  each_point(s, x, y, xs, ys, [&](std::size_t i, double px, double) {
    if (i >= s.band.size() || !ys.takes(s.y[i] + s.band[i]) || !ys.takes(s.y[i] - s.band[i])) {
      return;
    }
    if (s.mark == Mark::kStep && std::isfinite(last_above)) go_to(px, last_above, last_below);
    last_above = y.at(s.y[i] + s.band[i]);
    last_below = y.at(s.y[i] - s.band[i]);
    go_to(px, last_above, last_below);
  });
  if (above.empty()) return "";
  return fmt::format("<polygon points=\"{}{}\" fill=\"{}\" fill-opacity=\"0.14\"/>", above, below,
                     escape_html(s.color));
}

/// The name as far as there is room for it under a bar.
std::string short_name(const std::string& name) {
  constexpr std::size_t kLongest = 18;
  return name.size() <= kLongest ? name : name.substr(0, kLongest - 1) + "…";
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

std::vector<double> log_ticks(double low, double high, int count) {
  const int first = static_cast<int>(std::ceil(std::log10(low) - 1e-9));
  const int last = static_cast<int>(std::floor(std::log10(high) + 1e-9));
  std::vector<double> ticks;
  if (last - first >= 2) {
    const int every = 1 + (last - first) / std::max(count + 1, 1);
    for (int n = first; n <= last; n += every) ticks.push_back(std::pow(10.0, n));
    return ticks;
  }
  for (int n = first - 1; n <= last; ++n) {
    for (const double times : {1.0, 2.0, 5.0}) {
      const double tick = times * std::pow(10.0, n);
      if (tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9)) ticks.push_back(tick);
    }
  }
  return ticks;
}

std::string Chart::svg() const {
  Range xs(log_x);
  Range ys(log_y);
  std::vector<LegendEntry> entries;
  for (const auto& s : series) {
    entries.push_back({s.label, s.color, s.mark});
    for (std::size_t i = 0; i < std::min(s.x.size(), s.y.size()); ++i) {
      if (!xs.takes(s.x[i]) || !ys.takes(s.y[i])) continue;
      xs.add(s.x[i]);
      ys.add(s.y[i]);
      if (i < s.band.size()) {
        ys.add(s.y[i] - s.band[i]);
        ys.add(s.y[i] + s.band[i]);
      }
      if (i >= s.errors.size()) continue;
      ys.add(s.y[i] - s.errors[i]);
      ys.add(s.y[i] + s.errors[i]);
    }
  }
  const Frame frame;
  std::string out = frame.open(title, entries);
  if (xs.empty()) return out + "<text x=\"80\" y=\"160\" class=\"tick\">no data</text></svg>";
  for (const auto& guide : guides) (guide.vertical ? xs : ys).add(guide.value);
  xs.pad(0.03);
  ys.pad(0.08);
  const Axis x(xs, frame.plot_left(), frame.plot_right());
  const Axis y(ys, frame.plot_bottom(), frame.plot_top());

  out += frame.y_axis(y, y_label);
  const auto ticks = x.ticks(7);
  for (double tick : ticks) {
    out += fmt::format(
        "<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"tick\" text-anchor=\"middle\">{}</text>",
        x.at(tick), frame.plot_bottom() + 15, x.label(tick, 7));
  }
  out += fmt::format(
      "<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"axis\" text-anchor=\"middle\">{}</text>",
      (frame.plot_left() + frame.plot_right()) / 2, frame.plot_bottom() + 30, escape_html(x_label));
  for (const auto& guide : guides) {
    if (!(guide.vertical ? xs : ys).takes(guide.value)) continue;
    const double p = guide.vertical ? x.at(guide.value) : y.at(guide.value);
    out +=
        guide.vertical
            ? fmt::format(
                  "<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\" "
                  "class=\"guide\"/>"
                  "<text x=\"{3:.1f}\" y=\"{4:.1f}\" class=\"tick\">{5}</text>",
                  p, frame.plot_top(), frame.plot_bottom(), p + 4, frame.plot_bottom() - 6,
                  escape_html(guide.label))
            : fmt::format(
                  "<line x1=\"{0:.1f}\" x2=\"{1:.1f}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\" "
                  "class=\"guide\"/>"
                  "<text x=\"{1:.1f}\" y=\"{3:.1f}\" class=\"tick\" text-anchor=\"end\">{4}</text>",
                  frame.plot_left(), frame.plot_right(), p, p - 4, escape_html(guide.label));
  }
  for (const auto& s : series) out += band(s, x, y, xs, ys);
  LabelPlacer placer(frame);
  for (const auto& s : series) {
    if (!has_line(s.mark)) continue;
    std::string line;
    double last_x = NAN;
    double last_y = NAN;
    const auto go_to = [&](double px, double py) {
      line += fmt::format("{:.1f},{:.1f} ", px, py);
      if (std::isfinite(last_x)) placer.avoid_line(last_x, last_y, px, py);
      last_x = px;
      last_y = py;
    };
    each_point(s, x, y, xs, ys, [&](std::size_t, double px, double py) {
      if (s.mark == Mark::kStep && std::isfinite(last_y)) go_to(px, last_y);
      go_to(px, py);
    });
    out += polyline(s, line);
  }
  for (const auto& s : series) {
    if (!has_points(s.mark)) continue;
    each_point(s, x, y, xs, ys, [&](std::size_t i, double px, double py) {
      placer.avoid(px, py);
      if (i < s.errors.size() && s.errors[i] > 0 && ys.takes(s.y[i] - s.errors[i]) &&
          ys.takes(s.y[i] + s.errors[i])) {
        const double low = y.at(s.y[i] - s.errors[i]);
        const double high = y.at(s.y[i] + s.errors[i]);
        placer.avoid_line(px, low, px, high);
        out += error_bar(px, low, high, escape_html(s.color));
      }
      out += mark(s.mark, px, py, escape_html(s.color),
                  i < s.tooltips.size() ? s.tooltips[i] : std::string());
    });
  }
  for (const auto& s : series) {
    each_point(s, x, y, xs, ys, [&](std::size_t i, double px, double py) {
      if (i < s.point_labels.size()) out += placer.place(px, py, s.point_labels[i]);
    });
  }
  return out + frame.legend(entries) + "</svg>";
}

std::string BarChart::svg() const {
  Frame frame;
  if (wide) frame.width = kWide;
  if (narrow) frame.width = kNarrow;
  frame.plot_height = height;
  Range ys(log_y);
  if (!log_y) ys.add(0.0);
  std::vector<LegendEntry> entries;
  std::vector<double> sums(categories.size(), 0.0);
  for (const auto& s : series) {
    entries.push_back({s.label, s.color, Mark::kPoints, /*bar=*/true});
    for (std::size_t c = 0; c < std::min(categories.size(), s.values.size()); ++c) {
      if (!ys.takes(s.values[c]) || s.values[c] < 0.0) continue;
      sums[c] += s.values[c];
      ys.add(stacked ? sums[c] : s.values[c]);
    }
  }
  if (y_max > 0) ys.high = y_max;
  if (categories.empty() || ys.empty() || !(ys.high > 0)) {
    return frame.open(title, entries) +
           "<text x=\"80\" y=\"160\" class=\"tick\">no data</text></svg>";
  }
  if (log_y) {
    // Bars need a floor: the next power of ten below, so that even the least one shows.
    ys.low = std::pow(10.0, std::floor(std::log10(ys.low * 0.8)));
    ys.high *= 1.3;
  } else {
    ys.high *= 1.05;
  }

  // Names that do not fit side by side are written slantwise; when even that is too much they are
  // thinned, the tooltips still have them all.
  const double group =
      (frame.plot_right() - frame.plot_left()) / static_cast<double>(categories.size());
  std::size_t longest = 0;
  for (const std::string& name : categories) {
    longest = std::max(longest, std::min<std::size_t>(name.size(), 18));
  }
  const double room = chart::kCharWidth * static_cast<double>(longest);
  const bool slanted = room > group - 4;
  if (!names) frame.below -= 18;
  if (slanted && names) frame.below += room * 0.72 - 8;
  const std::size_t every = slanted ? 1 + static_cast<std::size_t>(11.0 / group) : 1;

  const Axis y(ys, frame.plot_bottom(), frame.plot_top());
  std::string out = frame.open(title, entries) + frame.y_axis(y, y_label);
  const double bar = group * 0.8 / (stacked ? 1.0 : static_cast<double>(series.size()));
  std::vector<double> base(categories.size(), 0.0);
  for (std::size_t s = 0; s < series.size(); ++s) {
    for (std::size_t c = 0; c < std::min(categories.size(), series[s].values.size()); ++c) {
      const double value = series[s].values[c];
      if (!ys.takes(value) || value < 0.0) continue;
      const double bottom = std::min(stacked ? base[c] : ys.low, ys.high);
      const double top = std::min(stacked ? base[c] + value : value, ys.high);
      base[c] += value;
      const double left = frame.plot_left() + group * (static_cast<double>(c) + 0.1) +
                          (stacked ? 0.0 : bar * static_cast<double>(s));
      out += fmt::format(
          "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" "
          "fill=\"{}\"><title>{} {}: {:.4g}</title></rect>",
          left, y.at(top), std::max(bar - 1.0, 0.5), std::max(y.at(bottom) - y.at(top), 0.0),
          escape_html(series[s].color), escape_html(categories[c]), escape_html(series[s].label),
          value);
    }
  }
  for (std::size_t c = 0; names && c < categories.size(); c += every) {
    const double middle = frame.plot_left() + group * (static_cast<double>(c) + 0.5);
    const std::string name = escape_html(short_name(categories[c]));
    out += slanted ? fmt::format(
                         "<text transform=\"translate({:.1f} {:.1f}) rotate(-45)\" "
                         "class=\"tick\" text-anchor=\"end\">{}</text>",
                         middle + 4, frame.plot_bottom() + 12, name)
                   : fmt::format(
                         "<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"tick\" "
                         "text-anchor=\"middle\">{}</text>",
                         middle, frame.plot_bottom() + 15, name);
  }
  return out + frame.legend(entries) + "</svg>";
}

}  // namespace bittern
