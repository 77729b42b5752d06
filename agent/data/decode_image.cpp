#include "agent/data/decode_image.h"

#include <png.h>
#include <turbojpeg.h>

#include <algorithm>
#include <cctype>
#include <memory>

#include "host/base/error.h"

namespace bittern {
namespace {

constexpr std::int64_t kMostPixels = std::int64_t{1} << 26;

void check_extents(std::int64_t height, std::int64_t width, const std::string& name) {
  if (height >= 1 && width >= 1 && height * width <= kMostPixels) return;
  fail("{}: an image of {}x{} pixels, expected 1 to {}", name, height, width, kMostPixels);
}

Pixels blank(int channels, int height, int width) {
  Pixels pixels{channels, height, width, {}};
  pixels.data.resize(static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) *
                     static_cast<std::size_t>(width));
  return pixels;
}

struct DestroyDecoder {
  void operator()(void* decoder) const { ::tjDestroy(decoder); }
};

/// Four inks as Adobe's programs write them, inverted, to red, green and blue.
Pixels from_inks(const Pixels& inks, int channels) {
  Pixels out = blank(channels, inks.height, inks.width);
  const std::size_t count = inks.data.size() / 4;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t* const ink = inks.data.data() + 4 * i;
    int colour[3];
    for (int c = 0; c < 3; ++c) colour[c] = (ink[c] * ink[3] + 127) / 255;
    if (channels == 3) {
      std::copy(colour, colour + 3, out.data.begin() + static_cast<std::ptrdiff_t>(3 * i));
    } else {
      // The weights of JPEG's own brightness.
      out.data[i] = static_cast<std::uint8_t>(
          (299 * colour[0] + 587 * colour[1] + 114 * colour[2] + 500) / 1000);
    }
  }
  return out;
}

Pixels decode_jpeg(Bytes file, int channels, const std::string& name) {
  const std::unique_ptr<void, DestroyDecoder> decoder(::tjInitDecompress());
  if (!decoder) fail("{}: libjpeg-turbo does not start: {}", name, ::tjGetErrorStr2(nullptr));
  int width = 0;
  int height = 0;
  int subsampling = 0;
  int colours = 0;
  const auto size = static_cast<unsigned long>(file.size());
  if (::tjDecompressHeader3(decoder.get(), file.data(), size, &width, &height, &subsampling,
                            &colours) != 0) {
    fail("{}: damaged JPEG file ({})", name, ::tjGetErrorStr2(decoder.get()));
  }
  check_extents(height, width, name);
  const bool inks = colours == TJCS_CMYK || colours == TJCS_YCCK;
  Pixels pixels = blank(inks ? 4 : channels, height, width);
  const int format = inks ? TJPF_CMYK : channels == 1 ? TJPF_GRAY : TJPF_RGB;
  if (::tjDecompress2(decoder.get(), file.data(), size, pixels.data.data(), width, 0, height,
                      format, TJFLAG_ACCURATEDCT) != 0) {
    // A warning leaves an image. What is missing at its end is grey then, which is no image.
    const std::string why = ::tjGetErrorStr2(decoder.get());
    const bool cut = why.find("remature end") != std::string::npos;
    if (cut) fail("{}: the JPEG file is cut off ({})", name, why);
    if (::tjGetErrorCode(decoder.get()) != TJERR_WARNING) {
      fail("{}: damaged JPEG file ({})", name, why);
    }
  }
  return inks ? from_inks(pixels, channels) : pixels;
}

Pixels decode_png(Bytes file, int channels, const std::string& name) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  struct Free {
    png_image* image;
    ~Free() { ::png_image_free(image); }
  } const free{&image};
  if (::png_image_begin_read_from_memory(&image, file.data(), file.size()) == 0) {
    fail("{}: damaged PNG file ({})", name, image.message);
  }
  check_extents(image.height, image.width, name);
  image.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  Pixels pixels = blank(channels, static_cast<int>(image.height), static_cast<int>(image.width));
  const png_color black{0, 0, 0};
  if (::png_image_finish_read(&image, &black, pixels.data.data(), 0, nullptr) == 0) {
    fail("{}: damaged PNG file ({})", name, image.message);
  }
  return pixels;
}

}  // namespace

Pixels decode_image(Bytes file, int channels, const std::string& name) {
  const auto begins_with = [&file](std::initializer_list<std::uint8_t> bytes) {
    return file.size() >= bytes.size() && std::equal(bytes.begin(), bytes.end(), file.begin());
  };
  if (begins_with({0xff, 0xd8, 0xff})) return decode_jpeg(file, channels, name);
  if (begins_with({0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'})) {
    return decode_png(file, channels, name);
  }
  fail("{}: neither a JPEG nor a PNG file ({} bytes)", name, file.size());
}

bool is_image_name(const std::string& name) {
  std::string lower;
  for (const char c : name) {
    lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  for (const std::string end : {".jpg", ".jpeg", ".png"}) {
    if (lower.size() > end.size() &&
        lower.compare(lower.size() - end.size(), end.size(), end) == 0) {
      return true;
    }
  }
  return false;
}

}  // namespace bittern
