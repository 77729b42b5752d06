#include "host/cores/bitfusion/bitfusion_image.h"

#include <algorithm>
#include <cstring>

#include "host/base/error.h"
#include "host/cores/matrix/bitplanes.h"

namespace bittern {
namespace {

/// Writes bytes of a buffer image, of which every lane holds its slice of every word.
class LaneWriter {
 public:
  LaneWriter(std::int64_t word_bytes, int lanes, std::int64_t lane_bytes, std::uint8_t* image)
      : slice_(word_bytes / lanes), lanes_(lanes), lane_bytes_(lane_bytes), image_(image) {}

  /// Goes to a piece, which lies at `offset` in every lane.
  void begin(std::int64_t offset) { base_ = image_ + offset; }

  /// Stores bytes from byte `at` of the piece on.
  void write(std::int64_t at, const std::uint8_t* bytes, std::int64_t count) const {
    if (lanes_ == 1) {
      std::memcpy(base_ + at, bytes, count);
      return;
    }
    std::int64_t number = at / slice_;  // of the slice
    std::int64_t within = at % slice_;
    if (within == 0 && count >= slice_) {
      // Whole slices of a size that is known to the compiler.
      std::int64_t whole = 0;
      switch (slice_) {
        case 8:
          whole = slices<8>(number, bytes, count / 8);
          break;
        case 16:
          whole = slices<16>(number, bytes, count / 16);
          break;
        case 32:
          whole = slices<32>(number, bytes, count / 32);
          break;
        default:
          break;
      }
      number += whole;
      bytes += whole * slice_;
      count -= whole * slice_;
    }
    while (count > 0) {
      const std::int64_t size = std::min(count, slice_ - within);
      std::memcpy(base_ + number % lanes_ * lane_bytes_ + number / lanes_ * slice_ + within, bytes,
                  size);
      bytes += size;
      count -= size;
      within = 0;
      ++number;
    }
  }

 private:
  template <int kSlice>
  std::int64_t slices(std::int64_t number, const std::uint8_t* bytes, std::int64_t count) const {
    std::int64_t lane = number % lanes_;
    std::uint8_t* to = base_ + number / lanes_ * kSlice;
    for (std::int64_t i = 0; i < count; ++i, bytes += kSlice) {
      std::memcpy(to + lane * lane_bytes_, bytes, kSlice);
      if (++lane == lanes_) {
        lane = 0;
        to += kSlice;
      }
    }
    return count;
  }

  std::int64_t slice_;
  std::int64_t lanes_;
  std::int64_t lane_bytes_;
  std::uint8_t* image_;
  std::uint8_t* base_ = nullptr;
};

/// Channels as bytes (`blocks` blocks of `block`) to quarters of n bytes: byte r of quarter q of a
/// block has, from the low bits on, the channels (q * each + i) * n + r for i < each = 8 / bits.
void combine(const std::uint8_t* channels, std::int64_t blocks, std::int64_t quarters, int n,
             int bits, std::uint8_t* out) {
  const int each = 8 / bits;
  if (each == 1) {
    std::memcpy(out, channels, blocks * quarters * n);
    return;
  }
  const auto mask = static_cast<std::uint8_t>((1 << bits) - 1);
  const std::int64_t total = blocks * quarters;
  for (std::int64_t q = 0; q < total; ++q, channels += static_cast<std::int64_t>(each) * n) {
    std::uint8_t* to = out + q * n;
    for (int r = 0; r < n; ++r) to[r] = channels[r] & mask;
    for (int i = 1; i < each; ++i) {
      const std::uint8_t* from = channels + i * n;
      const int shift = i * bits;
      for (int r = 0; r < n; ++r) {
        to[r] = static_cast<std::uint8_t>(to[r] | (from[r] & mask) << shift);
      }
    }
  }
}

/// Activations of one image of a bundle in quarters: for every row and column (padding included,
/// gathered to windows in the im2col form, without what a stride beyond the kernel leaves out) the
/// quarters of all channel blocks. A piece of a stripe is copied from here in runs.
class PixelQuarters {
 public:
  PixelQuarters(const BitFusionConfig& config, const FusionShape& shape, const Layer& layer)
      : shape_(shape), layer_(layer), n_(config.n) {
    height_ = layer.in_height + layer.pad_top + layer.pad_bottom;
    width_ = layer.in_width + layer.pad_left + layer.pad_right;
    rows_ =
        shape.im2col ? shape.out_height : (shape.out_height - 1) * shape.step_h + shape.kernel_h;
    cols_ = shape.im2col ? shape.out_width : (shape.out_width - 1) * shape.step_w + shape.kernel_w;
    padded_ = shape.blocks * shape.block;
    stride_ = shape.im2col ? shape.bundle_inputs : padded_;
    pixel_bytes_ = shape.blocks * shape.lhs_quarters * n_;
    quarters_.resize(rows_ * cols_ * pixel_bytes_);
    // A window of the last pixel may begin there and end behind.
    bytes_.resize((shape.im2col ? height_ : 1) * width_ * stride_);
    window_.resize(padded_);
  }

  std::int64_t rows() const { return rows_; }
  std::int64_t cols() const { return cols_; }
  std::int64_t pixel_bytes() const { return pixel_bytes_; }
  const std::uint8_t* pixel(std::int64_t row, std::int64_t col) const {
    return quarters_.data() + (row * cols_ + col) * pixel_bytes_;
  }

  /// Cuts byte `byte` (0 low) of the channels of `bundle` of image `image`.
  void load(std::int64_t bundle, std::int64_t image, int byte,
            Span<const std::int16_t> activations) {
    const std::int64_t first = bundle * shape_.bundle_inputs;
    const auto channels =
        static_cast<int>(std::min(shape_.bundle_inputs, layer_.in_channels - first));
    const std::int64_t area = static_cast<std::int64_t>(layer_.in_height) * layer_.in_width;
    const std::int16_t* source = activations.data() + (image * layer_.in_channels + first) * area;
    // The last bundle may have fewer channels than the one before it left in the buffer.
    std::fill(bytes_.begin(), bytes_.end(), std::uint8_t{0});
    if (shape_.im2col) {
      for (int y = 0; y < layer_.in_height; ++y) {
        transpose(source + static_cast<std::int64_t>(y) * layer_.in_width, area, channels, byte,
                  bytes_.data() + (y + layer_.pad_top) * width_ * stride_);
      }
      gather();
    } else {
      direct(source, area, channels, byte);
    }
  }

 private:
  void transpose(const std::int16_t* source, std::int64_t area, int channels, int byte,
                 std::uint8_t* row) const {
    transpose_to_bytes(source, area, channels, layer_.in_width, byte,
                       row + layer_.pad_left * stride_, stride_);
  }

  void direct(const std::int16_t* source, std::int64_t area, int channels, int byte) {
    for (std::int64_t row = 0; row < rows_; ++row) {
      // With a stride beyond the kernel, rows of different windows lie side by side here.
      const std::int64_t y =
          row / shape_.step_h * layer_.stride_h + row % shape_.step_h - layer_.pad_top;
      std::uint8_t* to = quarters_.data() + row * cols_ * pixel_bytes_;
      if (y < 0 || y >= layer_.in_height) {
        std::fill_n(to, cols_ * pixel_bytes_, std::uint8_t{0});
        continue;
      }
      transpose(source + y * layer_.in_width, area, channels, byte, bytes_.data());
      if (shape_.step_w == layer_.stride_w) {
        combine(bytes_.data(), cols_ * shape_.blocks, shape_.lhs_quarters, n_, shape_.lhs.bits, to);
        continue;
      }
      for (std::int64_t col = 0; col < cols_; ++col, to += pixel_bytes_) {
        const std::int64_t x = col / shape_.step_w * layer_.stride_w + col % shape_.step_w;
        combine(bytes_.data() + x * stride_, shape_.blocks, shape_.lhs_quarters, n_,
                shape_.lhs.bits, to);
      }
    }
  }

  void gather() {
    // Pixels of a window row that lie side by side.
    const int side = layer_.dilation_w == 1 ? layer_.kernel_w : 1;
    const std::int64_t run = side * shape_.bundle_inputs;
    std::uint8_t* to = quarters_.data();
    for (std::int64_t y = 0; y < rows_; ++y) {
      for (std::int64_t x = 0; x < cols_; ++x, to += pixel_bytes_) {
        const std::uint8_t* from =
            bytes_.data() + (y * layer_.stride_h * width_ + x * layer_.stride_w) * stride_;
        std::uint8_t* window = window_.data();
        for (int i = 0; i < layer_.kernel_h; ++i, from += layer_.dilation_h * width_ * stride_) {
          for (int j = 0; j < layer_.kernel_w; j += side, window += run) {
            std::memcpy(window, from + j * layer_.dilation_w * stride_, run);
          }
        }
        combine(window_.data(), shape_.blocks, shape_.lhs_quarters, n_, shape_.lhs.bits, to);
      }
    }
  }

  const FusionShape& shape_;
  const Layer& layer_;
  int n_;
  std::int64_t height_;  // of the padded image
  std::int64_t width_;
  std::int64_t rows_;
  std::int64_t cols_;
  std::int64_t padded_;  // channels of all blocks
  std::int64_t stride_;  // channels of a pixel in bytes_
  std::int64_t pixel_bytes_;
  std::vector<std::uint8_t> bytes_;   // [row (im2col: all)][column][channel]
  std::vector<std::uint8_t> window_;  // one gathered window, padded
  std::vector<std::uint8_t> quarters_;
};

/// Copies what image `image`, byte `byte` adds to one piece of a stripe.
class PiecePacker {
 public:
  PiecePacker(const BitFusionConfig& config, const FusionShape& shape, const FusionGrid& grid,
              LaneWriter& writer)
      : shape_(shape), grid_(grid), writer_(writer) {
    block_bytes_ = shape.lhs_quarters * config.lhs_quarter_bytes();
    byte_bytes_ = grid.lhs_byte_size * config.lhs_quarter_bytes();
  }

  /// Rows and columns of the packed image from (row0, col0), channel blocks from block0, as image
  /// `index` of the tile. What lies outside is zero, as the image is from the start.
  void pack(const PixelQuarters& pixels, std::int64_t byte, std::int64_t index, std::int64_t row0,
            std::int64_t col0, std::int64_t block0) const {
    const std::int64_t blocks = std::min(grid_.tile.blocks, shape_.blocks - block0);
    const std::int64_t tile_pixel = grid_.tile.blocks * block_bytes_;
    const std::int64_t rows = std::min(grid_.in_height, pixels.rows() - row0);
    const std::int64_t cols = std::min(grid_.in_width, pixels.cols() - col0);
    if (cols <= 0) return;
    for (std::int64_t row = 0; row < rows; ++row) {
      std::int64_t at =
          byte * byte_bytes_ + (index * grid_.in_height + row) * grid_.in_width * tile_pixel;
      const std::uint8_t* from = pixels.pixel(row0 + row, col0) + block0 * block_bytes_;
      if (blocks == shape_.blocks && blocks == grid_.tile.blocks) {
        writer_.write(at, from, cols * tile_pixel);
        continue;
      }
      for (std::int64_t col = 0; col < cols; ++col) {
        writer_.write(at, from, blocks * block_bytes_);
        at += tile_pixel;
        from += pixels.pixel_bytes();
      }
    }
  }

 private:
  const FusionShape& shape_;
  const FusionGrid& grid_;
  LaneWriter& writer_;
  std::int64_t block_bytes_;
  std::int64_t byte_bytes_;
};

}  // namespace

std::vector<std::uint8_t> pack_activations(const BitFusionConfig& config, const FusionShape& shape,
                                           const FusionSchedule& schedule,
                                           const OperandLayout& layout, const Layer& layer,
                                           Span<const std::int16_t> activations) {
  std::vector<std::uint8_t> image(config.lanes * layout.lane_bytes());
  const FusionGrid grid(shape, schedule);
  const FusionTile& tile = grid.tile;
  LaneWriter writer(4 * config.lhs_quarter_bytes(), config.lanes, layout.lane_bytes(),
                    image.data());
  PixelQuarters pixels(config, shape, layer);
  const PiecePacker packer(config, shape, grid, writer);
  for (std::int64_t bundle = 0; bundle < shape.bundles; ++bundle) {
    for (std::int64_t b = 0; b < shape.batch; ++b) {
      for (int byte = 0; byte < shape.lhs.bytes; ++byte) {
        pixels.load(bundle, b, byte, activations);
        for (std::int64_t y = 0; y < grid.rows; ++y) {
          for (std::int64_t x = 0; x < grid.cols; ++x) {
            const std::int64_t stripe = (b / tile.batch * grid.rows + y) * grid.cols + x;
            for (std::int64_t piece = 0; piece < grid.pieces; ++piece) {
              const std::int64_t kw = piece % grid.kernel_w_pieces;
              const std::int64_t kh = piece / grid.kernel_w_pieces % grid.kernel_h_pieces;
              const std::int64_t block = piece / grid.kernel_w_pieces / grid.kernel_h_pieces;
              writer.begin(layout.offset(bundle, stripe, piece));
              packer.pack(pixels, byte, b % tile.batch,
                          y * tile.height * shape.step_h + kh * tile.kernel_h,
                          x * tile.width * shape.step_w + kw * tile.kernel_w, block * tile.blocks);
            }
          }
        }
      }
    }
  }
  return image;
}

std::vector<std::uint8_t> pack_weights(const BitFusionConfig& config, const FusionShape& shape,
                                       const FusionSchedule& schedule, const OperandLayout& layout,
                                       const Layer& layer, Span<const std::int16_t> weights) {
  std::vector<std::uint8_t> image(config.lanes * layout.lane_bytes());
  const FusionGrid grid(shape, schedule);
  const FusionTile& tile = grid.tile;
  LaneWriter writer(4 * config.rhs_quarter_bytes(), config.lanes, layout.lane_bytes(),
                    image.data());
  const int positions = layer.kernel_h * layer.kernel_w;
  const std::int64_t padded = shape.blocks * shape.block;
  const std::int64_t spots = shape.im2col ? 1 : positions;  // kernel positions as the array sees it
  const std::int64_t stride = shape.im2col ? shape.bundle_inputs : padded;
  const std::int64_t spot_quarters = shape.blocks * shape.rhs_quarters;
  std::vector<std::uint8_t> channels(spots * padded);
  std::vector<std::uint8_t> quarters(spots * spot_quarters * config.n);

  for (std::int64_t bundle = 0; bundle < shape.bundles; ++bundle) {
    for (std::int64_t output = 0; output < shape.outputs; ++output) {
      const std::int64_t channel = bundle * shape.outputs + output;
      if (channel >= layer.out_channels) break;  // the last bundle may be short of groups
      const std::int64_t group = output / shape.group_outputs;
      const std::int64_t column = output / config.m;
      const std::int64_t stripe = column / tile.columns;
      for (int byte = 0; byte < shape.rhs.bytes; ++byte) {
        // Only the channels of this output's own group are not zero.
        std::fill(channels.begin(), channels.end(), std::uint8_t{0});
        transpose_to_bytes(weights.data() + channel * shape.group_inputs * positions, positions,
                           static_cast<int>(shape.group_inputs), positions, byte,
                           channels.data() + group * shape.group_inputs, stride);
        combine(channels.data(), spots * shape.blocks, shape.rhs_quarters, config.n, shape.rhs.bits,
                quarters.data());
        for (std::int64_t piece = 0; piece < grid.pieces; ++piece) {
          const std::int64_t kw0 = piece % grid.kernel_w_pieces * tile.kernel_w;
          const std::int64_t kh0 =
              piece / grid.kernel_w_pieces % grid.kernel_h_pieces * tile.kernel_h;
          const std::int64_t block0 =
              piece / grid.kernel_w_pieces / grid.kernel_h_pieces * tile.blocks;
          const std::int64_t blocks = std::min(tile.blocks, shape.blocks - block0);
          writer.begin(layout.offset(bundle, stripe, piece));
          for (std::int64_t i = kh0; i < std::min(kh0 + tile.kernel_h, shape.kernel_h); ++i) {
            for (std::int64_t j = kw0; j < std::min(kw0 + tile.kernel_w, shape.kernel_w); ++j) {
              const std::int64_t at =
                  byte * grid.rhs_byte_size +
                  ((column % tile.columns * tile.kernel_h + i - kh0) * tile.kernel_w + j - kw0) *
                      tile.blocks * shape.rhs_quarters;
              const std::uint8_t* from =
                  quarters.data() +
                  ((i * shape.kernel_w + j) * spot_quarters + block0 * shape.rhs_quarters) *
                      config.n;
              for (std::int64_t q = 0; q < blocks * shape.rhs_quarters; ++q, from += config.n) {
                writer.write((at + q) * config.rhs_quarter_bytes() + output % config.m * config.n,
                             from, config.n);
              }
            }
          }
        }
      }
    }
  }
  return image;
}

std::vector<std::int32_t> unpack_results(const BitFusionConfig& config, const FusionShape& shape,
                                         const FusionSchedule& schedule, const StreamMap& map,
                                         const Layer& layer, const ResultFormat& format,
                                         Bytes result) {
  const std::uint64_t expected = config.write_ports * map.result_lane_bytes;
  if (result.size() != expected) {
    fail("layer {}: {} result bytes, expected {}; read Program::result_bytes from the device",
         layer.name, result.size(), expected);
  }
  const FusionGrid grid(shape, schedule);
  const FusionTile& size = grid.tile;
  const std::int64_t area = shape.out_height * shape.out_width;
  std::vector<std::int32_t> outputs(
      static_cast<std::size_t>(shape.batch * layer.out_channels * area));

  // Where a column of an output word lies, in bits relative to the word's start in lane 0.
  const int port_elements = config.port_width / 32;
  std::vector<std::size_t> element(config.m);
  for (std::size_t i = 0; i < element.size(); ++i) {
    const std::size_t port = i / port_elements % config.write_ports;
    const std::size_t beat = i / port_elements / config.write_ports;
    element[i] = 8 * port * map.result_lane_bytes +
                 (beat * port_elements + i % port_elements) * config.result_bits;
  }
  const std::int64_t word_bytes = config.word_bytes_per_port();

  const auto tile = [&](const std::uint8_t* from, const TileBlock& block) {
    const std::int64_t b0 = block.lhs_stripe / (grid.rows * grid.cols) * size.batch;
    const std::int64_t y0 = block.lhs_stripe / grid.cols % grid.rows * size.height;
    const std::int64_t x0 = block.lhs_stripe % grid.cols * size.width;
    const std::int64_t images = std::min(size.batch, shape.batch - b0);
    const std::int64_t rows = std::min(size.height, shape.out_height - y0);
    const std::int64_t cols = std::min(size.width, shape.out_width - x0);
    for (std::int64_t c = 0; c < size.columns; ++c) {
      const std::int64_t output0 = (block.rhs_stripe * size.columns + c) * config.m;
      const std::int64_t channel0 = block.bundle * shape.outputs + output0;
      const std::int64_t channels = std::min<std::int64_t>(
          {config.m, shape.outputs - output0, layer.out_channels - channel0});
      for (std::int64_t b = 0; b < images; ++b) {
        for (std::int64_t y = 0; y < rows; ++y) {
          const std::uint8_t* words =
              from + ((c * size.batch + b) * size.height + y) * size.width * word_bytes;
          for (std::int64_t m = 0; m < channels; ++m) {
            std::int32_t* to = outputs.data() +
                               ((b0 + b) * layer.out_channels + channel0 + m) * area +
                               (y0 + y) * shape.out_width + x0;
            const std::uint8_t* word = words;
            for (std::int64_t x = 0; x < cols; ++x, word += word_bytes) {
              to[x] = read_result(word, element[m], format);
            }
          }
        }
      }
    }
  };

  const std::uint8_t* next = result.data();
  emit_steps(config, shape, schedule, map, [&](const BitFusionStep& step, const TileBlock& block) {
    if (step.kind != StreamStep::Kind::kExec || !step.emit) return;
    tile(next, block);
    next += map.tile_bytes;
  });
  return outputs;
}

}  // namespace bittern
