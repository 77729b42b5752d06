#include "host/report/roofline_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "host/base/table.h"
#include "host/report/chart.h"
#include "host/report/page.h"

namespace bittern {
namespace {

constexpr const char* kRoofColor = "#64748b";
/// More roofs than these are drawn without their names, apart from the highest and the lowest.
constexpr std::size_t kNamedRoofs = 4;

/// Peaks of the array with the bits that have them, highest first.
using Peaks = std::map<double, std::string, std::greater<>>;

Peaks peaks(const ComparedPolicy& policy) {
  Peaks found;
  for (std::size_t i = 0; i < policy.layers.size(); ++i) {
    const BitPair bits = policy.layers[i].run_bits;
    const std::string text = fmt::format("{}/{}", bits.weight, bits.activation);
    // Peaks are quotients: equal ones of different layers may differ in their last digits.
    std::string& names = found[std::round(policy.roofline[i].peak)];
    if (names.find(text) == std::string::npos) names += (names.empty() ? "" : ", ") + text;
  }
  return found;
}

}  // namespace

std::string roofline_chart(const ComparedPolicy& policy, const Variant& variant) {
  const MemoryBandwidth bandwidth = memory_bandwidth(variant);
  const Peaks roofs = peaks(policy);
  double x_low = 1e300;
  double x_high = 0.0;
  double y_low = 1e300;
  for (const RooflinePoint& point : policy.roofline) {
    x_low = std::min(x_low, point.intensity());
    x_high = std::max(x_high, point.intensity());
    y_low = std::min(y_low, point.achieved);
  }
  const double top = roofs.begin()->first;
  x_low = std::min(x_low, roofs.rbegin()->first / bandwidth.all()) / 2;
  // Room for the names of the roofs, right of everything else.
  x_high = std::max(x_high, top / bandwidth.port) * 4;
  y_low /= 2;

  Chart chart;
  chart.title = "Roofline of " + variant.name;
  chart.x_label = "operations a byte of device memory";
  chart.y_label = "operations a second";
  chart.log_x = chart.log_y = true;
  const auto slope = [&](const std::string& label, Mark mark, double bytes_per_s) {
    const double from = std::max(x_low, y_low / bytes_per_s);
    chart.series.push_back({fmt::format("{} ({})", label, si(bytes_per_s, "B/s")),
                            kRoofColor,
                            mark,
                            {from, top / bytes_per_s},
                            {from * bytes_per_s, top},
                            {},
                            {}});
  };
  slope("all ports", Mark::kLine, bandwidth.all());
  slope("one port", Mark::kDashed, bandwidth.port);
  std::size_t n = 0;
  for (const auto& [peak, bits] : roofs) {
    const bool named = roofs.size() <= kNamedRoofs || n == 0 || n + 1 == roofs.size();
    chart.series.push_back({n == 0 ? "array" : "",
                            page::color(2),
                            Mark::kLine,
                            {x_high, peak / bandwidth.all()},
                            {peak, peak},
                            {named ? bits + " bits" : "", ""},
                            {}});
    ++n;
  }
  Series attainable{"attainable", page::color(0), Mark::kRings, {}, {}, {}, {}};
  Series achieved{"achieved", page::color(1), Mark::kPoints, {}, {}, {}, {}};
  for (std::size_t i = 0; i < policy.layers.size(); ++i) {
    const RooflinePoint& point = policy.roofline[i];
    const std::string& name = policy.layers[i].name;
    chart.series.push_back({"",
                            "#94a3b855",
                            Mark::kLine,
                            {point.intensity(), point.intensity()},
                            {point.achieved, point.attainable},
                            {},
                            {}});
    for (Series* series : {&attainable, &achieved}) {
      const double y = series == &attainable ? point.attainable : point.achieved;
      series->x.push_back(point.intensity());
      series->y.push_back(y);
      series->tooltips.push_back(fmt::format(
          "{}: {} op/byte; achieved {}, attainable {} ({:.0f} %), bound by {}", name,
          fmt::format("{:.2f}", point.intensity()), si(point.achieved, "op/s"),
          si(point.attainable, "op/s"), 100.0 * point.reached(), bound_name(point.bound)));
    }
    achieved.point_labels.push_back(name);
  }
  chart.series.push_back(std::move(attainable));
  chart.series.push_back(std::move(achieved));
  return chart.svg();
}

}  // namespace bittern
