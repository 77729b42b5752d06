#include "host/report/chart_frame.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace bittern::chart {
namespace {

constexpr double kLegendRow = 16;

std::string number(double value, double step) {
  const int digits = std::clamp(static_cast<int>(-std::floor(std::log10(step) + 1e-9)), 0, 9);
  // No "-0.0" at the origin.
  return fmt::format("{:.{}f}", std::abs(value) < step * 1e-6 ? 0.0 : value, digits);
}

/// 2e10 -> "20 G", 0.005 -> "0.005".
std::string prefixed(double value) {
  constexpr std::pair<double, const char*> kPrefixes[] = {
      {1e15, " P"}, {1e12, " T"}, {1e9, " G"}, {1e6, " M"}, {1e3, " k"}};
  for (const auto& [scale, prefix] : kPrefixes) {
    if (value >= scale * (1 - 1e-9)) return fmt::format("{:.3g}{}", value / scale, prefix);
  }
  return fmt::format("{:.3g}", value);
}

/// What stands before a legend's text: 10 pixels from x on, around y.
std::string key_of(const LegendEntry& entry, double x, double y) {
  const std::string color = escape_html(entry.color);
  if (entry.bar) {
    return fmt::format("<path d=\"M{:.1f} {:.1f}h9v9h-9z\" fill=\"{}\"/>", x + 0.5, y - 4.5, color);
  }
  switch (entry.mark) {
    case Mark::kLinePoints:
      return fmt::format(
          "<line x1=\"{0:.1f}\" x2=\"{1:.1f}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\" stroke=\"{4}\" "
          "stroke-width=\"1.1\"/><circle cx=\"{3:.1f}\" cy=\"{2:.1f}\" r=\"3.4\" fill=\"{4}\"/>",
          x - 2, x + 12, y, x + 5, color);
    case Mark::kStar:
      return fmt::format("<polygon points=\"{}\" fill=\"{}\"/>", star_points(x + 5, y, 7.0), color);
    case Mark::kLine:
    case Mark::kStep:
    case Mark::kDashed:
      return fmt::format(
          "<line x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" "
          "stroke-width=\"2\"{}/>",
          x - 1, x + 11, y, y, color,
          entry.mark == Mark::kDashed ? " stroke-dasharray=\"5 2\"" : "");
    case Mark::kRings:
      return fmt::format(
          "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" fill=\"none\" stroke=\"{}\" "
          "stroke-width=\"1.4\"/>",
          x + 5, y, color);
    case Mark::kDots:
    case Mark::kPoints:
      return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4.5\" fill=\"{}\"/>", x + 5, y,
                         color);
  }
  return "";
}

double entry_width(const LegendEntry& entry) {
  return 32 + kCharWidth * static_cast<double>(entry.label.size());
}

}  // namespace

std::string star_points(double x, double y, double radius) {
  std::string points;
  for (int i = 0; i < 10; ++i) {
    const double r = i % 2 == 0 ? radius : radius * 0.42;
    const double angle = 3.14159265358979 * (i / 5.0 - 0.5);
    points += fmt::format("{:.1f},{:.1f} ", x + r * std::cos(angle), y + r * std::sin(angle));
  }
  return points;
}

Range::Range(bool logarithmic)
    : log(logarithmic),
      low(std::numeric_limits<double>::infinity()),
      high(-std::numeric_limits<double>::infinity()) {}

bool Range::takes(double value) const {
  // Not up to the ends of what a double holds: sums and quotients of such numbers must be finite.
  constexpr double kLargest = 1e200;
  return std::abs(value) <= kLargest && (!log || value >= 1.0 / kLargest);
}

void Range::add(double value) {
  if (!takes(value)) return;
  low = std::min(low, value);
  high = std::max(high, value);
}

void Range::pad(double share) {
  if (log) {
    const double factor = std::max(std::exp((std::log(high) - std::log(low)) * share), 1.25);
    low /= factor;
    high *= factor;
    return;
  }
  double margin = (high - low) * share;
  if (margin <= 0) margin = std::max(std::abs(high) * 0.1, 1e-9);
  low -= margin;
  high += margin;
}

double Axis::at(double value) const {
  const double share = log ? (std::log(value) - std::log(low)) / (std::log(high) - std::log(low))
                           : (value - low) / (high - low);
  return from + share * (to - from);
}

std::vector<double> Axis::ticks(int count) const {
  return log ? log_ticks(low, high, count) : axis_ticks(low, high, count);
}

std::string Axis::label(double tick, int count) const {
  if (log) return prefixed(tick);
  const auto all = ticks(count);
  return number(tick, all.size() > 1 ? all[1] - all[0] : 1.0);
}

std::size_t Frame::legend_rows(const std::vector<LegendEntry>& entries) const {
  std::size_t rows = 0;
  double x = plot_right();
  for (const LegendEntry& entry : entries) {
    if (entry.label.empty()) continue;
    if (x + entry_width(entry) > width && (x > plot_left() || rows == 0)) {
      x = plot_left();
      ++rows;
    }
    x += entry_width(entry);
  }
  return rows;
}

std::string Frame::open(const std::string& title, const std::vector<LegendEntry>& entries) const {
  const double height =
      plot_bottom() + below + kLegendRow * (static_cast<double>(legend_rows(entries)) - 1);
  return fmt::format(
      "<svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\" class=\"chart\">"
      "<text x=\"{:.0f}\" y=\"18\" class=\"title\">{}</text>",
      width, std::max(height, plot_bottom() + below - kLegendRow), escape_html(title), left,
      escape_html(title));
}

std::string Frame::y_axis(const Axis& y, const std::string& label) const {
  std::string out;
  for (double tick : y.ticks(5)) {
    out += fmt::format(
        "<line x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\" class=\"grid\"/>"
        "<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"tick\" text-anchor=\"end\">{}</text>",
        plot_left(), plot_right(), y.at(tick), y.at(tick), plot_left() - 6, y.at(tick) + 4,
        y.label(tick, 5));
  }
  return out + fmt::format(
                   "<text transform=\"translate(14 {:.1f}) rotate(-90)\" class=\"axis\" "
                   "text-anchor=\"middle\">{}</text>",
                   (plot_top() + plot_bottom()) / 2, escape_html(label));
}

std::string Frame::legend(const std::vector<LegendEntry>& entries) const {
  std::string out;
  double x = plot_left();
  double y = plot_bottom() + below - kLegendRow;
  for (const LegendEntry& entry : entries) {
    if (entry.label.empty()) continue;
    if (x + entry_width(entry) > width && x > plot_left()) {
      x = plot_left();
      y += kLegendRow;
    }
    out += key_of(entry, x, y + 7) +
           fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"tick\">{}</text>", x + 15, y + 11,
                       escape_html(entry.label));
    x += entry_width(entry);
  }
  return out;
}

bool LabelPlacer::Box::overlaps(const Box& other) const {
  return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
}

bool LabelPlacer::free(const Box& box, bool of_lines) const {
  if (box.left < frame_.plot_left() || box.right > frame_.width ||
      box.top < frame_.plot_top() - 8 || box.bottom > frame_.plot_bottom()) {
    return false;
  }
  return std::none_of(taken_.begin(), taken_.end(),
                      [&](const Box& other) { return box.overlaps(other); }) &&
         !(of_lines && std::any_of(lines_.begin(), lines_.end(),
                                   [&](const Line& line) { return line.crosses(box); }));
}

void LabelPlacer::avoid(double x, double y) { taken_.push_back({x - 4, y - 4, x + 4, y + 4}); }

void LabelPlacer::avoid_line(double x1, double y1, double x2, double y2) {
  lines_.push_back({x1, y1, x2, y2});
}

bool LabelPlacer::Line::crosses(const Box& box) const {
  // Cuts the line at the four sides: what is left, from and to as shares of its length, is inside.
  double from = 0.0;
  double to = 1.0;
  const auto cut = [&](double start, double length, double low, double high) {
    if (length == 0.0) return low <= start && start <= high;
    const double a = (low - start) / length;
    const double b = (high - start) / length;
    from = std::max(from, std::min(a, b));
    to = std::min(to, std::max(a, b));
    return from <= to;
  };
  return cut(x1, x2 - x1, box.left, box.right) && cut(y1, y2 - y1, box.top, box.bottom);
}

std::string LabelPlacer::place(double x, double y, const std::string& text) {
  if (text.empty()) return "";
  const double width = kCharWidth * static_cast<double>(text.size());
  struct Place {
    bool of_lines;
    bool right;
    double baseline;
  };
  std::vector<Place> places;
  for (const bool of_lines : {true, false}) {
    for (const bool right : {true, false}) {
      for (const double baseline : {y - 6, y + 4, y + 14}) {
        places.push_back({of_lines, right, baseline});
      }
    }
  }
  for (const auto& [of_lines, right, baseline] : places) {
    const double start = right ? x + 7 : x - 7 - width;
    const Box box{start, baseline - 9, start + width, baseline + 2};
    if (!free(box, of_lines)) continue;
    taken_.push_back(box);
    return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"tick\"{}>{}</text>",
                       right ? x + 7 : x - 7, baseline, right ? "" : " text-anchor=\"end\"",
                       escape_html(text));
  }
  return "";
}

}  // namespace bittern::chart
