#pragma once

#include <string>
#include <vector>

namespace bittern {

/// How a series is drawn.
enum class Mark { kLine, kPoints, kStar };

/// One set of points of a chart.
struct Series {
  std::string label;
  std::string color;  ///< CSS colour
  Mark mark = Mark::kLine;
  std::vector<double> x;
  std::vector<double> y;
  std::vector<std::string> point_labels;  ///< written beside the points; empty or one per point
  std::vector<std::string> tooltips;      ///< shown on hover; empty or one per point
};

/// A dashed line across the chart at one y (or x) value.
struct Guide {
  std::string label;
  double value = 0.0;
  bool vertical = false;
};

/// An x-y chart as inline SVG: no scripts and nothing fetched, so a report is one file that opens
/// anywhere. Points that are not finite are left out.
struct Chart {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<Series> series;
  std::vector<Guide> guides;

  /// The <svg> element. A chart without points says so in its place.
  std::string svg() const;
};

/// Grouped vertical bars: one group per category, one bar per series.
struct BarChart {
  std::string title;
  std::string y_label;
  std::vector<std::string> categories;
  struct Bars {
    std::string label;
    std::string color;
    std::vector<double> values;  ///< one per category
  };
  std::vector<Bars> series;
  double y_max = 0.0;  ///< top of the axis; 0: from the data

  std::string svg() const;
};

/// Text made safe for HTML and SVG content and attributes.
std::string escape_html(const std::string& text);

/// Round axis positions covering [low, high]: steps of 1, 2 or 5 times a power of ten, about
/// `count` of them.
std::vector<double> axis_ticks(double low, double high, int count);

}  // namespace bittern
