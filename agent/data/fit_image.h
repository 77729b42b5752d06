#pragma once

#include "agent/data/decode_image.h"
#include "host/base/span.h"

namespace bittern {

/// The size that images are brought to.
struct ImageFit {
  int channels = 3;
  int height = 0;
  int width = 0;
  /// The shorter side is scaled to so many pixels before the middle is cut out; 0: to what the crop
  /// just fits in.
  int resize = 0;

  /// Bytes of an image.
  std::size_t bytes() const {
    return static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) *
           static_cast<std::size_t>(width);
  }
};

/// Scales an image and cuts out its middle. `planes` gets channels x height x width bytes. Scaling
/// weighs pixels with a triangle as wide as the scale (bilinear when it grows, an average when it
/// shrinks); the same bytes on every machine. An image of the right size stays as it is. Throws
/// Error that starts with `name` when the scaled image is smaller than the crop.
void fit_image(const Pixels& image, const ImageFit& fit, MutableBytes planes,
               const std::string& name);

}  // namespace bittern
