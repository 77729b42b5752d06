#include "agent/data/synthetic.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "host/base/error.h"

namespace bittern {
namespace {

constexpr int kSide = 28;
constexpr int kClasses = 10;
constexpr double kPi = 3.14159265358979323846;

/// A point in the unit square (x to the right, y down), later in pixels.
struct Point {
  double x;
  double y;
};

using Line = std::vector<Point>;
using Drawing = std::vector<Line>;
using Canvas = std::array<double, kSide * kSide>;

/// Index of a pixel.
constexpr std::size_t place(int x, int y) {
  return static_cast<std::size_t>(y) * kSide + static_cast<std::size_t>(x);
}

double between(Rng& rng, double low, double high) { return low + (high - low) * rng.uniform(); }

bool chance(Rng& rng, double probability) { return rng.uniform() < probability; }

/// Appends an arc of an ellipse; angles in degrees, 0 to the right, 90 down.
void arc(Line& line, Point centre, double radius_x, double radius_y, double from, double to) {
  const int steps = std::max(4, static_cast<int>(std::abs(to - from) / 20.0));
  for (int i = 0; i <= steps; ++i) {
    const double angle = (from + (to - from) * i / steps) * kPi / 180.0;
    line.push_back({centre.x + radius_x * std::cos(angle), centre.y + radius_y * std::sin(angle)});
  }
}

Line ellipse(Point centre, double radius_x, double radius_y) {
  Line line;
  arc(line, centre, radius_x, radius_y, -90, 270);
  return line;
}

Drawing draw_one(Rng& rng) {
  Drawing drawing{{{0.5, 0.08}, {0.5, 0.92}}};
  if (chance(rng, 0.4)) drawing.push_back({{0.5, 0.08}, {between(rng, 0.28, 0.4), 0.28}});
  if (chance(rng, 0.25)) drawing.push_back({{0.32, 0.92}, {0.68, 0.92}});
  return drawing;
}

Drawing draw_two(Rng& rng) {
  Line line;
  arc(line, {0.5, 0.3}, between(rng, 0.2, 0.27), 0.22, -170, 40);
  line.push_back({between(rng, 0.2, 0.28), 0.9});
  line.push_back({0.78, between(rng, 0.84, 0.92)});
  return {line};
}

Drawing draw_three(Rng& rng) {
  const double waist = between(rng, 0.46, 0.54);
  Line line;
  if (chance(rng, 0.2)) {  // flat top
    line = {{0.25, 0.1}, {0.72, 0.1}, {0.47, waist - 0.05}};
  } else {
    arc(line, {0.47, waist - 0.21}, between(rng, 0.2, 0.26), 0.21, -150, 90);
  }
  arc(line, {0.47, waist + 0.2}, between(rng, 0.22, 0.3), 0.2, -90, 150);
  return {line};
}

Drawing draw_four(Rng& rng) {
  const double bar = between(rng, 0.55, 0.68);
  const double stem = between(rng, 0.58, 0.68);
  if (chance(rng, 0.5)) {  // closed
    return {{{stem, 0.92}, {stem, 0.08}, {0.2, bar}, {0.82, bar}}};
  }
  return {{{0.3, 0.1}, {0.24, bar}, {0.8, bar}}, {{stem, between(rng, 0.1, 0.35)}, {stem, 0.92}}};
}

Drawing draw_five(Rng& rng) {
  Line line{{0.75, between(rng, 0.06, 0.14)}, {0.32, 0.1}, {0.28, 0.46}};
  arc(line, {0.48, 0.66}, between(rng, 0.22, 0.28), 0.24, -130, between(rng, 120, 150));
  return {line};
}

Drawing draw_six(Rng& rng) {
  const double lean = between(rng, 0.55, 0.72);
  return {{{lean, 0.08}, {0.42, 0.28}, {0.3, 0.5}, {0.27, 0.68}},
          ellipse({0.5, 0.7}, 0.23, between(rng, 0.16, 0.22))};
}

Drawing draw_seven(Rng& rng) {
  Drawing drawing{
      {{0.22, 0.12}, {0.78, between(rng, 0.08, 0.14)}, {between(rng, 0.36, 0.5), 0.92}}};
  if (chance(rng, 0.3)) drawing.push_back({{0.36, 0.52}, {0.72, 0.5}});
  return drawing;
}

Drawing draw_eight(Rng& rng) {
  const double waist = between(rng, 0.44, 0.5);
  return {ellipse({0.5, waist - 0.18}, between(rng, 0.16, 0.22), 0.18),
          ellipse({0.5, waist + 0.22}, between(rng, 0.2, 0.27), 0.22)};
}

Drawing draw_nine(Rng& rng) {
  Drawing drawing{ellipse({0.5, 0.3}, between(rng, 0.19, 0.25), between(rng, 0.17, 0.22))};
  if (chance(rng, 0.5)) {
    drawing.push_back({{0.72, 0.28}, {0.68, 0.92}});
  } else {
    drawing.push_back({{0.73, 0.28}, {0.7, 0.58}, {0.6, 0.8}, {0.38, 0.92}});
  }
  return drawing;
}

Drawing draw_digit(int digit, Rng& rng) {
  switch (digit) {
    case 0:
      return {ellipse({0.5, 0.5}, between(rng, 0.2, 0.34), between(rng, 0.36, 0.43))};
    case 1:
      return draw_one(rng);
    case 2:
      return draw_two(rng);
    case 3:
      return draw_three(rng);
    case 4:
      return draw_four(rng);
    case 5:
      return draw_five(rng);
    case 6:
      return draw_six(rng);
    case 7:
      return draw_seven(rng);
    case 8:
      return draw_eight(rng);
    default:
      return draw_nine(rng);
  }
}

/// Bends, rotates, slants, scales and moves the drawing, from the unit square to pixels.
void distort(Drawing& drawing, Rng& rng) {
  const double angle = between(rng, -18, 18) * kPi / 180.0;
  const double slant = between(rng, -0.3, 0.3);
  const double scale_x = between(rng, 0.65, 1.1) * 20.0;
  const double scale_y = between(rng, 0.75, 1.1) * 20.0;
  const double move_x = kSide / 2.0 + between(rng, -2.5, 2.5);
  const double move_y = kSide / 2.0 + between(rng, -2.5, 2.5);
  const double bend_x = between(rng, -0.06, 0.06);
  const double bend_y = between(rng, -0.06, 0.06);
  const double phase_x = between(rng, 0, 2 * kPi);
  const double phase_y = between(rng, 0, 2 * kPi);
  for (Line& line : drawing) {
    // Hands miss the ideal points a little.
    for (Point& point : line) {
      point.x += between(rng, -0.02, 0.02);
      point.y += between(rng, -0.02, 0.02);
      const double x = point.x - 0.5 + bend_x * std::sin(2 * kPi * point.y + phase_x);
      const double y = point.y - 0.5 + bend_y * std::sin(2 * kPi * point.x + phase_y);
      const double slanted = x - slant * y;
      point.x = move_x + scale_x * (slanted * std::cos(angle) - y * std::sin(angle));
      point.y = move_y + scale_y * (slanted * std::sin(angle) + y * std::cos(angle));
    }
  }
}

double distance_to_segment(double x, double y, const Point& a, const Point& b) {
  const double dx = b.x - a.x;
  const double dy = b.y - a.y;
  const double length = dx * dx + dy * dy;
  const double along =
      length > 0 ? std::clamp(((x - a.x) * dx + (y - a.y) * dy) / length, 0.0, 1.0) : 0.0;
  const double ex = x - a.x - along * dx;
  const double ey = y - a.y - along * dy;
  return std::sqrt(ex * ex + ey * ey);
}

/// Draws lines of `width` pixels with edges `blur` pixels soft; ink is 0..1 times `ink`.
void render(Canvas& canvas, const Drawing& drawing, double width, double blur, double ink) {
  const double reach = width / 2 + blur;
  for (const Line& line : drawing) {
    for (std::size_t i = 0; i + 1 < line.size(); ++i) {
      const Point& a = line[i];
      const Point& b = line[i + 1];
      const int left = std::max(0, static_cast<int>(std::min(a.x, b.x) - reach));
      const int right = std::min(kSide - 1, static_cast<int>(std::max(a.x, b.x) + reach) + 1);
      const int top = std::max(0, static_cast<int>(std::min(a.y, b.y) - reach));
      const int bottom = std::min(kSide - 1, static_cast<int>(std::max(a.y, b.y) + reach) + 1);
      for (int y = top; y <= bottom; ++y) {
        for (int x = left; x <= right; ++x) {
          const double distance = distance_to_segment(x, y, a, b);
          const double value = ink * std::clamp((reach - distance) / blur, 0.0, 1.0);
          double& pixel = canvas[place(x, y)];
          pixel = std::max(pixel, value);
        }
      }
    }
  }
}

void stray_stroke(Canvas& canvas, Rng& rng) {
  const Point start{between(rng, 0, kSide), between(rng, 0, kSide)};
  const double angle = between(rng, 0, 2 * kPi);
  const double length = between(rng, 4, 10);
  const Point end{start.x + length * std::cos(angle), start.y + length * std::sin(angle)};
  render(canvas, {{start, end}}, between(rng, 0.8, 2.0), 0.9, between(rng, 0.4, 0.9));
}

/// Wipes out a small square, as where a pen skipped.
void gap(Canvas& canvas, Rng& rng) {
  const int side = static_cast<int>(rng.integer(3, 6));
  const int left = static_cast<int>(rng.integer(6, 22 - side));
  const int top = static_cast<int>(rng.integer(5, 23 - side));
  for (int y = top; y < top + side; ++y) {
    for (int x = left; x < left + side; ++x) canvas[place(x, y)] = 0.0;
  }
}

/// Near-normal noise of unit variance: the sum of three uniform draws, no library functions.
double noise(Rng& rng) { return 2.0 * (rng.uniform() + rng.uniform() + rng.uniform() - 1.5); }

void draw_image(int digit, Rng rng, std::uint8_t* to) {
  Canvas canvas{};
  Drawing drawing = draw_digit(digit, rng);
  distort(drawing, rng);
  const double ink = between(rng, 0.6, 1.0);
  render(canvas, drawing, between(rng, 1.0, 3.0), between(rng, 0.7, 1.4), ink);
  if (chance(rng, 0.15)) gap(canvas, rng);
  if (chance(rng, 0.3)) stray_stroke(canvas, rng);
  const double strength = between(rng, 0.02, 0.14);
  for (std::size_t i = 0; i < canvas.size(); ++i) {
    const double value = std::clamp(canvas[i] + strength * noise(rng), 0.0, 1.0);
    to[i] = static_cast<std::uint8_t>(value * 255.0 + 0.5);  // NOLINT(bugprone-incorrect-roundings)
  }
}

}  // namespace

void check_synthetic_count(std::int64_t count) {
  if (count < 1 || count > 1000000) {
    fail_usage("synthetic digits: {} images asked for, expected 1..1000000", count);
  }
}

Dataset synthetic_digits(int count, const Rng& rng) {
  check_synthetic_count(count);
  Dataset data;
  data.name = "synthetic";
  data.height = kSide;
  data.width = kSide;
  data.classes = kClasses;
  data.images.resize(static_cast<std::size_t>(count) * data.image_bytes());
  data.labels.resize(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    const int digit = i % kClasses;
    data.labels[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(digit);
    draw_image(digit, rng.split(static_cast<std::uint64_t>(i)),
               data.images.data() + static_cast<std::size_t>(i) * data.image_bytes());
  }
  return data;
}

namespace {

struct Counts {
  int train;  ///< those for validation, too
  int test;
};

Counts counts_of(const DataRequest& request) {
  const DataOptions& o = request.options;
  const std::int64_t train =
      std::int64_t{o.train_images == 0 ? 8000 : o.train_images} +
      (o.validation_images == 0 ? request.info.validation_images : o.validation_images);
  const int test = o.test_images == 0 ? 2000 : o.test_images;
  check_synthetic_count(train);
  check_synthetic_count(test);
  return {static_cast<int>(train), test};
}

}  // namespace

DataParts load_drawn(const DataRequest& request) {
  const Counts counts = counts_of(request);
  const Rng rng(request.options.synthetic_seed);
  DataParts parts;
  if (!request.test_only) parts.train = synthetic_digits(counts.train, rng.split(0));
  parts.test = synthetic_digits(counts.test, rng.split(1));
  return parts;
}

PartsOutline outline_drawn(const DataRequest& request) {
  const Counts counts = counts_of(request);
  return {1, kSide, kSide, kClasses, counts.train, counts.test};
}

}  // namespace bittern
