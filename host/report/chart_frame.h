#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "host/report/chart.h"

namespace bittern::chart {

// What charts of all kinds share: room for axes and legend, mapping of values, placing of labels.

/// Average width of a character of the charts' small font, in pixels: SVG cannot ask.
constexpr double kCharWidth = 6.2;

/// Smallest and largest finite value seen.
struct Range {
  bool log = false;  ///< values must be positive
  double low;
  double high;

  explicit Range(bool logarithmic = false);
  /// Whether a value can be drawn on such an axis.
  bool takes(double value) const;
  void add(double value);
  bool empty() const { return low > high; }
  /// Widens by `share` of the extent on both sides, and never to nothing.
  void pad(double share);
};

/// Map of data values to pixels.
struct Axis {
  double low = 0;
  double high = 1;
  double from = 0;
  double to = 1;
  bool log = false;

  Axis(const Range& range, double from_pixel, double to_pixel)
      : low(range.low), high(range.high), from(from_pixel), to(to_pixel), log(range.log) {}
  double at(double value) const;
  std::vector<double> ticks(int count) const;
  /// Text of one of ticks(count), with as many digits as tell them apart.
  std::string label(double tick, int count) const;
};

/// An entry of the legend.
struct LegendEntry {
  std::string label;  ///< empty: no entry
  std::string color;
  Mark mark = Mark::kPoints;
  bool bar = false;  ///< of a bar chart: a square, whatever `mark` says
};

/// Points of a five-pointed star around (x, y), for <polygon>; `radius` in pixels.
std::string star_points(double x, double y, double radius);

/// Size of a chart and of the plot within it, in pixels of the SVG; pages scale them by CSS.
struct Frame {
  double width = 640;
  double left = 68;
  double right = 18;
  double top = 34;
  double plot_height = 254;
  double below = 54;  ///< for what stands under the plot, without the legend

  double plot_left() const { return left; }
  double plot_right() const { return width - right; }
  double plot_top() const { return top; }
  double plot_bottom() const { return top + plot_height; }

  /// Opening tag and title, with room for a legend of these entries.
  std::string open(const std::string& title, const std::vector<LegendEntry>& entries) const;
  std::string y_axis(const Axis& y, const std::string& label) const;
  /// As many rows as it takes.
  std::string legend(const std::vector<LegendEntry>& entries) const;

 private:
  std::size_t legend_rows(const std::vector<LegendEntry>& entries) const;
};

/// Finds places for labels so that none covers another or a point, nor a line if there is room
/// elsewhere.
class LabelPlacer {
 public:
  explicit LabelPlacer(const Frame& frame) : frame_(frame) {}
  /// Keeps labels away from a point.
  void avoid(double x, double y);
  /// Keeps labels away from a straight line, as long as there is room elsewhere.
  void avoid_line(double x1, double y1, double x2, double y2);
  /// The <text> element of a label beside (x, y); empty when there is no room.
  std::string place(double x, double y, const std::string& text);

 private:
  struct Box {
    double left, top, right, bottom;
    bool overlaps(const Box& other) const;
  };
  struct Line {
    double x1, y1, x2, y2;
    bool crosses(const Box& box) const;
  };
  bool free(const Box& box, bool of_lines) const;

  const Frame frame_;
  std::vector<Box> taken_;
  std::vector<Line> lines_;
};

}  // namespace bittern::chart
