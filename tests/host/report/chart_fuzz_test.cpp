// Charts of anything are well-formed and stay within their frame.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <regex>

#include "host/base/random.h"
#include "host/report/chart.h"

namespace bittern {
namespace {

/// Values as a broken measurement might give them, and ordinary ones.
double wild(Rng& rng) {
  switch (rng.integer(0, 11)) {
    case 0:
      return std::numeric_limits<double>::quiet_NaN();
    case 1:
      return std::numeric_limits<double>::infinity();
    case 2:
      return -std::numeric_limits<double>::infinity();
    case 3:
      return 0.0;
    case 4:
      return -std::pow(10.0, static_cast<double>(rng.integer(-12, 12)));
    case 5:
      return std::numeric_limits<double>::max();
    case 6:
      return std::numeric_limits<double>::denorm_min();
    case 7:
      return std::pow(10.0, static_cast<double>(rng.integer(-300, 300)));
    default:
      return rng.uniform() * 1000;
  }
}

std::vector<double> wild_values(Rng& rng) {
  std::vector<double> values(static_cast<std::size_t>(rng.integer(0, 70)));
  // Half of the sets are tame, or hardly anything would be drawn to scale.
  const bool tame = rng.integer(0, 1) == 0;
  for (double& value : values) value = tame ? rng.uniform() * 100 : wild(rng);
  return values;
}

std::string wild_text(Rng& rng) {
  static const char* const kTexts[] = {
      "",       "conv1", "<b>&\"'", "</text>",
      "a b",    "]]>",   "%s{}",    "features.very.long.name.of.a.layer.42",
      "größe µ"};
  return kTexts[rng.integer(0, 8)];
}

/// Fails unless the elements of the SVG are closed in their order, no number is missing, and every
/// element lies in the picture.
void check_svg(const std::string& svg) {
  std::vector<std::string> open;
  const std::regex tag("<(/?)([a-z]+)([^<>]*?)(/?)>");
  for (auto at = std::sregex_iterator(svg.begin(), svg.end(), tag); at != std::sregex_iterator();
       ++at) {
    if ((*at)[1].length() > 0) {
      ASSERT_FALSE(open.empty()) << svg;
      ASSERT_EQ(open.back(), (*at)[2].str()) << svg;
      open.pop_back();
    } else if ((*at)[4].length() == 0) {
      open.push_back((*at)[2]);
    }
    const std::string attributes = (*at)[3];
    EXPECT_EQ(attributes.find("nan"), std::string::npos) << attributes;
    EXPECT_EQ(attributes.find("inf"), std::string::npos) << attributes;
  }
  ASSERT_TRUE(open.empty()) << svg;
  EXPECT_EQ(std::regex_replace(svg, tag, "").find('<'), std::string::npos) << svg;

  const std::regex box("viewBox=\"0 0 ([0-9]+) ([0-9]+)\"");
  std::smatch size;
  ASSERT_TRUE(std::regex_search(svg, size, box)) << svg;
  const std::regex position("(?:[^a-z]| c)([xy])[12]?=\"([-0-9.e+]+)\"");
  for (auto at = std::sregex_iterator(svg.begin(), svg.end(), position);
       at != std::sregex_iterator(); ++at) {
    const double value = std::stod((*at)[2]);
    EXPECT_GE(value, -1.0) << (*at)[0];
    EXPECT_LE(value, std::stod((*at)[1] == "x" ? size[1] : size[2]) + 1.0) << (*at)[0];
  }
}

TEST(ChartFuzz, AnyPointsGiveAWellFormedPicture) {
  Rng rng(20261126);
  for (int round = 0; round < 300; ++round) {
    SCOPED_TRACE(round);
    Chart chart;
    chart.title = wild_text(rng);
    chart.x_label = wild_text(rng);
    chart.y_label = wild_text(rng);
    chart.log_x = rng.integer(0, 1) == 1;
    chart.log_y = rng.integer(0, 1) == 1;
    for (std::int64_t n = rng.integer(0, 6); n > 0; --n) {
      Series series;
      series.label = wild_text(rng);
      series.color = rng.integer(0, 9) == 0 ? wild_text(rng) : "#123456";
      series.mark = static_cast<Mark>(rng.integer(0, 6));
      series.x = wild_values(rng);
      series.y = wild_values(rng);
      if (rng.integer(0, 1) == 1) series.errors = wild_values(rng);
      for (std::int64_t i = rng.integer(0, 80); i > 0; --i) {
        series.point_labels.push_back(wild_text(rng));
        series.tooltips.push_back(wild_text(rng));
      }
      chart.series.push_back(series);
    }
    if (rng.integer(0, 1) == 1) {
      chart.guides.push_back({wild_text(rng), wild(rng), rng.integer(0, 1) == 1});
    }
    check_svg(chart.svg());
  }
}

TEST(ChartFuzz, AnyBarsGiveAWellFormedPicture) {
  Rng rng(612);
  for (int round = 0; round < 300; ++round) {
    SCOPED_TRACE(round);
    BarChart chart;
    chart.title = wild_text(rng);
    chart.y_label = wild_text(rng);
    chart.stacked = rng.integer(0, 1) == 1;
    chart.log_y = !chart.stacked && rng.integer(0, 1) == 1;
    chart.wide = rng.integer(0, 1) == 1;
    for (std::int64_t n = rng.integer(0, 70); n > 0; --n) {
      chart.categories.push_back(wild_text(rng));
    }
    for (std::int64_t n = rng.integer(0, 5); n > 0; --n) {
      chart.series.push_back({wild_text(rng), "#123456", wild_values(rng)});
    }
    check_svg(chart.svg());
  }
}

}  // namespace
}  // namespace bittern
