#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/base/span.h"

namespace bittern {

/// A decoded image: rows of pixels, each with its channels next to one another.
struct Pixels {
  int channels = 3;  ///< 1: grey, 3: red, green, blue
  int height = 0;
  int width = 0;
  std::vector<std::uint8_t> data;  ///< height x width x channels
};

/// Decodes a JPEG (libjpeg-turbo) or PNG (libpng) file, told apart by its first bytes, to
/// `channels` (1 or 3) channels of 8 bits; what is transparent stands before black. Throws Error
/// that starts with `name` when it is neither, is damaged or cut off, or has more than 2^26 pixels.
Pixels decode_image(Bytes file, int channels, const std::string& name);

/// Whether a file name ends in .jpg, .jpeg or .png, in any case.
bool is_image_name(const std::string& name);

}  // namespace bittern
