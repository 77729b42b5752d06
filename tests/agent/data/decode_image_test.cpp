#include "agent/data/decode_image.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "agent/data/fit_image.h"
#include "tests/agent/data/image_writer.h"

namespace bittern {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(DecodeImage, PngIsExact) {
  for (const int channels : {1, 3}) {
    const Pixels pixels = noise(channels, 9, 7, 1);
    const Pixels found = decode_image(bytes_of(png_of(pixels)), channels, "x.png");
    EXPECT_EQ(found.height, 9);
    EXPECT_EQ(found.width, 7);
    EXPECT_EQ(found.data, pixels.data);
  }
}

TEST(DecodeImage, JpegOfAPlainAreaHasItsColour) {
  const Pixels found =
      decode_image(bytes_of(jpeg_of(plain_image(20, 30, {200, 40, 90}))), 3, "x.jpg");
  EXPECT_EQ(found.height, 20);
  EXPECT_EQ(found.width, 30);
  for (std::size_t i = 0; i < found.data.size(); ++i) {
    EXPECT_NEAR(found.data[i], (std::vector<int>{200, 40, 90})[i % 3], 2);
  }
  // Its brightness, as JPEG defines it.
  const Pixels grey =
      decode_image(bytes_of(jpeg_of(plain_image(20, 30, {200, 40, 90}))), 1, "x.jpg");
  EXPECT_NEAR(grey.data[0], 0.299 * 200 + 0.587 * 40 + 0.114 * 90, 2);
}

TEST(DecodeImage, WhatIsCutOffOrNoImageIsNamed) {
  for (const std::string& file : {jpeg_of(noise(3, 40, 40, 1)), png_of(noise(3, 40, 40, 1))}) {
    for (const std::size_t share : {10U, 4U, 2U}) {
      const std::string cut = file.substr(0, file.size() - file.size() / share);
      EXPECT_THAT(message_of([&] { decode_image(bytes_of(cut), 3, "a/b.x"); }),
                  HasSubstr("a/b.x: "));
    }
  }
  EXPECT_THAT(message_of([] { decode_image(bytes_of("GIF89a"), 3, "b.gif"); }),
              HasSubstr("b.gif: neither a JPEG nor a PNG file (6 bytes)"));
  EXPECT_THAT(message_of([] { decode_image({}, 3, "b"); }), HasSubstr("0 bytes"));
  // A header that announces 100 000 x 100 000 pixels.
  std::string bomb = png_of(noise(1, 2, 2, 1));
  bomb.replace(16, 8, std::string("\x00\x01\x86\xa0\x00\x01\x86\xa0", 8));
  EXPECT_THROW(decode_image(bytes_of(bomb), 1, "b"), Error);
}

TEST(FitImage, AnImageOfTheRightSizeStaysAsItIs) {
  const Pixels image = noise(3, 6, 5, 2);
  std::vector<std::uint8_t> planes(3 * 6 * 5);
  fit_image(image, {3, 6, 5, 0}, planes, "x");
  for (int c = 0; c < 3; ++c) {
    for (int i = 0; i < 30; ++i) EXPECT_EQ(planes[c * 30 + i], image.data[i * 3 + c]);
  }
}

TEST(FitImage, APlainAreaKeepsItsValueAtAnyScale) {
  for (const auto& [height, width, resize] : {std::array{3, 5, 0}, std::array{100, 70, 0},
                                              std::array{17, 60, 24}, std::array{9, 9, 40}}) {
    std::vector<std::uint8_t> planes(16 * 16);
    fit_image(plain_image(height, width, {137}), {1, 16, 16, resize}, planes, "x");
    for (const std::uint8_t value : planes) EXPECT_EQ(value, 137);
  }
}

TEST(FitImage, CutsOutTheMiddleOfTheScaledImage) {
  // Halving weighs four pixels 1, 3, 3, 1 along each axis; a ramp keeps its middle values.
  Pixels ramp{1, 8, 16, {}};
  for (int y = 0; y < 8; ++y) {
    for (int x = 0; x < 16; ++x) ramp.data.push_back(static_cast<std::uint8_t>(10 * x));
  }
  std::vector<std::uint8_t> planes(4 * 4);
  fit_image(ramp, {1, 4, 4, 4}, planes, "x");
  for (int y = 0; y < 4; ++y) {
    for (int x = 0; x < 4; ++x) EXPECT_EQ(planes[y * 4 + x], 10 * (2 * (x + 2)) + 5);
  }
}

/// The definition, in floating point: every scaled pixel is the mean of the pixels around it,
/// weighed by a triangle that is as wide as the scale, first along rows, then along columns.
double scaled_value(const Pixels& image, int height, int width, int y, int x) {
  const auto weights = [](int from, int to, int i) {
    const double scale = static_cast<double>(from) / to;
    const double reach = std::max(1.0, scale);
    std::vector<double> all;
    double sum = 0;
    for (int k = 0; k < from; ++k) {
      all.push_back(std::max(0.0, 1.0 - std::abs(k + 0.5 - (i + 0.5) * scale) / reach));
      sum += all.back();
    }
    for (double& weight : all) weight /= sum;
    return all;
  };
  const std::vector<double> rows = weights(image.height, height, y);
  const std::vector<double> columns = weights(image.width, width, x);
  double value = 0;
  for (int r = 0; r < image.height; ++r) {
    for (int c = 0; c < image.width; ++c) {
      value += rows[r] * columns[c] * image.data[r * image.width + c];
    }
  }
  return value;
}

TEST(FitImage, AgreesWithItsDefinition) {
  for (const auto& [height, width] : {std::array{7, 11}, std::array{40, 33}, std::array{20, 20}}) {
    const Pixels image = noise(1, height, width, 3);
    const int shorter = std::min(height, width);
    const int scaled_height = static_cast<int>(std::lround(20.0 * height / shorter));
    const int scaled_width = static_cast<int>(std::lround(20.0 * width / shorter));
    std::vector<std::uint8_t> planes(12 * 14);
    fit_image(image, {1, 12, 14, 20}, planes, "x");
    for (int y = 0; y < 12; ++y) {
      for (int x = 0; x < 14; ++x) {
        // Two roundings to whole values, and weights of 16 bits.
        EXPECT_NEAR(planes[y * 14 + x],
                    scaled_value(image, scaled_height, scaled_width, y + (scaled_height - 12) / 2,
                                 x + (scaled_width - 14) / 2),
                    1.1);
      }
    }
  }
}

TEST(FitImage, ACropThatDoesNotFitIsAnErrorThatSaysWhatToRaise) {
  std::vector<std::uint8_t> planes(16 * 16);
  EXPECT_THAT(message_of([&] {
                fit_image(plain_image(20, 20, {1}), {1, 16, 16, 12}, planes, "a.png");
              }),
              AllOf(HasSubstr("a.png: scaled to 12x12"), HasSubstr("raise resize (12)")));
}

}  // namespace
}  // namespace bittern
