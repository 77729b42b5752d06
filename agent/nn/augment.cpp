#include "agent/nn/augment.h"

#include "agent/nn/training.h"
#include "agent/torch.h"

namespace bittern {

torch::Tensor augmented(const torch::Tensor& images, const AugmentOptions& options, Rng& rng) {
  if (!options.flip && options.crop == 0) return images;
  const std::int64_t count = images.size(0);
  const std::int64_t channels = images.size(1);
  const std::int64_t height = images.size(2);
  const std::int64_t width = images.size(3);
  // For each image the rows and columns that it is made of.
  torch::Tensor rows = torch::empty({count, height}, torch::kInt64);
  torch::Tensor columns = torch::empty({count, width}, torch::kInt64);
  auto* row = rows.data_ptr<std::int64_t>();
  auto* column = columns.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t top = rng.integer(0, 2 * std::int64_t{options.crop});
    const std::int64_t left = rng.integer(0, 2 * std::int64_t{options.crop});
    const bool turned = rng.integer(0, 1) == 1 && options.flip;
    for (std::int64_t y = 0; y < height; ++y) *row++ = top + y;
    for (std::int64_t x = 0; x < width; ++x) *column++ = left + (turned ? width - 1 - x : x);
  }
  torch::Tensor padded = images;
  if (options.crop > 0) {
    const std::int64_t pad = options.crop;
    padded = at::constant_pad_nd(images, {pad, pad, pad, pad}, 0);
  }
  const auto device = images.device();
  const torch::Tensor image = torch::arange(count, torch::kInt64).to(device);
  const torch::Tensor channel = torch::arange(channels, torch::kInt64).to(device);
  return padded
      .index({image.view({count, 1, 1, 1}), channel.view({1, channels, 1, 1}),
              rows.to(device).view({count, 1, height, 1}),
              columns.to(device).view({count, 1, 1, width})})
      .contiguous();
}

}  // namespace bittern
