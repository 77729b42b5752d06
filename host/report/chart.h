#pragma once

#include <string>
#include <vector>

namespace bittern {

/// How a series is drawn.
enum class Mark {
  kLine,
  kDashed,
  kStep,  ///< a line that keeps a value until the next point
  kPoints,
  kDots,        ///< small and see-through: for many
  kLinePoints,  ///< a thin line with its points
  kRings,
  kStar,
};

/// One set of points of a chart.
struct Series {
  std::string label;  ///< in the legend; empty: not there
  std::string color;  ///< CSS colour
  Mark mark = Mark::kLine;
  std::vector<double> x;
  std::vector<double> y;
  /// Written beside the points where there is room; empty or one per point. Tooltips have what had
  /// no room.
  std::vector<std::string> point_labels;
  std::vector<std::string> tooltips;  ///< shown on hover; empty or one per point
  /// Half the height of a bar through each point, in units of y; empty or one per point.
  std::vector<double> errors = {};
  /// Half the height of a shaded band around the line, in units of y; empty or one per point.
  std::vector<double> band = {};
};

/// A dashed line across the chart at one y (or x) value.
struct Guide {
  std::string label;
  double value = 0.0;
  bool vertical = false;
};

/// An x-y chart as inline SVG: no scripts and nothing fetched, so a report is one file that opens
/// anywhere. Points that are not finite (or, on a logarithmic axis, not positive) are left out.
struct Chart {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<Series> series;
  std::vector<Guide> guides;
  bool log_x = false;  ///< logarithmic axis, labelled with SI prefixes
  bool log_y = false;

  /// The <svg> element. A chart without points says so in its place.
  std::string svg() const;
};

/// Vertical bars: one group per category, one bar per series, side by side or on top of each other.
struct BarChart {
  std::string title;
  std::string y_label;
  std::vector<std::string> categories;
  struct Bars {
    std::string label;
    std::string color;
    std::vector<double> values;  ///< one per category; negative or not finite: no bar
  };
  std::vector<Bars> series;
  double y_max = 0.0;    ///< top of the axis; 0: from the data
  bool stacked = false;  ///< the bars of a group stand on top of each other
  bool log_y = false;    ///< logarithmic axis; 0 has no bar either
  bool wide = false;     ///< as wide as a page instead of half of it
  bool narrow = false;   ///< a third of a page
  bool names = true;     ///< the categories are written below; not where another chart has them
  double height = 254;   ///< of the plot, pixels

  std::string svg() const;
};

/// Text made safe for HTML and SVG content and attributes.
std::string escape_html(const std::string& text);

/// Round axis positions covering [low, high]: steps of 1, 2 or 5 times a power of ten, about
/// `count` of them.
std::vector<double> axis_ticks(double low, double high, int count);

/// Axis positions within [low, high], both positive, for a logarithmic axis: powers of ten, thinned
/// to about `count`; where there are fewer than three, their 2- and 5-fold as well.
std::vector<double> log_ticks(double low, double high, int count);

}  // namespace bittern
