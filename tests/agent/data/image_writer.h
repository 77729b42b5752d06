#pragma once

#include <gtest/gtest.h>
#include <png.h>
#include <turbojpeg.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "agent/data/decode_image.h"
#include "host/base/error.h"
#include "host/base/random.h"
#include "tests/host/base/message_of.h"

namespace bittern {

/// A PNG file of an image with 1 or 3 channels.
inline std::string png_of(const Pixels& pixels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(pixels.width);
  image.height = static_cast<png_uint_32>(pixels.height);
  image.format = pixels.channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  png_alloc_size_t size = 0;
  EXPECT_NE(::png_image_write_to_memory(&image, nullptr, &size, 0, pixels.data.data(), 0, nullptr),
            0);
  std::string file(size, '\0');
  EXPECT_NE(
      ::png_image_write_to_memory(&image, file.data(), &size, 0, pixels.data.data(), 0, nullptr),
      0);
  file.resize(size);
  return file;
}

/// A JPEG file of an image with 3 channels, of the best quality.
inline std::string jpeg_of(const Pixels& pixels) {
  const tjhandle encoder = ::tjInitCompress();
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  EXPECT_EQ(::tjCompress2(encoder, pixels.data.data(), pixels.width, 0, pixels.height, TJPF_RGB,
                          &bytes, &size, TJSAMP_444, 100, 0),
            0);
  std::string file(reinterpret_cast<char*>(bytes), size);
  ::tjFree(bytes);
  ::tjDestroy(encoder);
  return file;
}

inline Pixels plain_image(int height, int width, std::vector<std::uint8_t> colour) {
  Pixels pixels{static_cast<int>(colour.size()), height, width, {}};
  for (int i = 0; i < height * width; ++i) {
    pixels.data.insert(pixels.data.end(), colour.begin(), colour.end());
  }
  return pixels;
}

inline Pixels noise(int channels, int height, int width, std::uint64_t seed) {
  Pixels pixels{channels, height, width, {}};
  Rng rng(seed);
  for (int i = 0; i < channels * height * width; ++i) {
    pixels.data.push_back(static_cast<std::uint8_t>(rng.integer(0, 255)));
  }
  return pixels;
}

inline Bytes bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// Files as a tar archive (ustar) has them.
inline std::string tar_of(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string archive;
  for (const auto& [name, content] : files) {
    std::string header(512, '\0');
    header.replace(0, name.size(), name);
    char size[16];
    std::snprintf(size, sizeof size, "%011zo", content.size());
    header.replace(124, 11, size);
    header[156] = '0';
    header.replace(257, 5, "ustar");
    header.replace(148, 8, std::string(8, ' '));
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    std::snprintf(size, sizeof size, "%06o", sum);
    header.replace(148, 7, std::string(size) + '\0');
    archive += header + content + std::string((512 - content.size() % 512) % 512, '\0');
  }
  return archive + std::string(1024, '\0');
}

}  // namespace bittern
