#include "host/cores/matrix/matrix_image.h"

#include <algorithm>
#include <cstring>

#include "host/base/error.h"
#include "host/cores/matrix/bitplanes.h"

namespace bittern {
namespace {

/// Writes one operand row after another into an image: plane by plane, or, where the core
/// serialises the operand, all bits of every integer at once, as the only plane.
class RowWriter {
 public:
  RowWriter(const MatrixConfig& config, const MatrixOperand& operand, const OperandLayout& layout,
            int bits, std::int64_t k_words, std::uint8_t* image)
      : layout_(layout),
        operand_(operand),
        bits_(bits),
        pieces_(layout.pieces()),
        lanes_(config.lanes),
        k_words_(k_words),
        field_bits_(config.serialises(operand) ? bits : 1),
        brick_bytes_(config.bricks ? config.k_elements * field_bits_ / 8 : 0) {
    // Lane regions are multiples of 4096 bytes in a vector's storage: aligned for 64-bit stores.
    image_ = reinterpret_cast<std::uint64_t*>(image);
    lane_words_ = layout.lane_bytes() / 8;
    port_words_ = config.port_words();
  }

  /// Bits of an integer in a plane.
  int field_bits() const { return field_bits_; }
  /// Planes of a row.
  int planes() const { return field_bits_ > 1 ? 1 : bits_; }
  /// 64-bit words that a plane of a row has, padding included.
  std::int64_t plane_words() const {
    return brick_bytes_ > 0 ? (operand_.parts * k_words_ * brick_bytes_ + 7) / 8
                            : k_words_ * lanes_ * port_words_;
  }

  /// Goes to a stripe; rows are stored into it from now on.
  void begin(std::int64_t bundle, std::int64_t stripe) {
    rows_ = layout_.word_beats(stripe);
    for (std::int64_t piece = 0; piece < layout_.pieces(); ++piece) {
      pieces_[piece] = {image_ + layout_.offset(bundle, stripe, piece) / 8,
                        layout_.piece_depth(piece) / operand_.addresses(bits_)};
    }
  }

  /// Stores the first 64 bits of a plane, where K has no more and is not cut into bricks.
  void store_first(std::int64_t row, int plane, std::uint64_t bits) const {
    const Piece& piece = pieces_[0];
    piece.start[(plane * piece.words * rows_ + row) * port_words_] = bits;
  }

  /// Stores plane `plane` of row `row`; `bits` holds plane_words() words.
  void store(std::int64_t row, int plane, const std::uint64_t* bits) const {
    if (brick_bytes_ > 0) return store_bricks(row, plane, bits);
    for (const Piece& piece : pieces_) {
      std::uint64_t* target = piece.start + (plane * piece.words * rows_ + row) * port_words_;
      if (port_words_ == 1) {
        store_words<1>(target, bits, piece.words);
      } else {
        store_words<4>(target, bits, piece.words);
      }
      bits += piece.words * lanes_ * port_words_;
    }
  }

 private:
  /// See make_map() for the order of fetch words.
  void store_bricks(std::int64_t row, int plane, const std::uint64_t* bits) const {
    const auto* from = reinterpret_cast<const std::uint8_t*>(bits);
    if (operand_.parallel) {
      // Rows of a column side by side in each plane, one address for each column or part.
      const std::int64_t rows =
          operand_.parts > 1 ? operand_.rows : operand_.rows / operand_.copies;
      for (int part = 0; part < operand_.parts; ++part) {
        store_part(plane * rows + row % rows, operand_.parts > 1 ? part : row / rows, part, from);
      }
    } else {
      for (int part = 0; part < operand_.parts; ++part) {
        store_part(row + part, 0, part, from);
      }
    }
  }
  /// Bricks of part `part` of the reduction to place `place` within the words of address `address`
  /// of each brick.
  void store_part(std::int64_t place, std::int64_t address, int part,
                  const std::uint8_t* from) const {
    // A lane has a beat of a word, or of a serial operand as many as the integers have bits.
    const std::int64_t port_bytes = 8 * port_words_;
    const std::int64_t group_bytes = port_bytes * field_bits_;
    const std::int64_t start = place * brick_bytes_;
    const std::int64_t word = address * operand_.banks(bits_) + start / (lanes_ * group_bytes);
    const std::int64_t lane = start / group_bytes % lanes_;
    const std::int64_t brick_stride =
        operand_.addresses(bits_) * operand_.banks(bits_) * port_bytes;
    from += part * k_words_ * brick_bytes_;
    for (const Piece& piece : pieces_) {
      auto* to = reinterpret_cast<std::uint8_t*>(piece.start + lane * lane_words_) +
                 word * group_bytes + start % group_bytes;
      for (std::int64_t k = 0; k < piece.words; ++k, to += brick_stride, from += brick_bytes_) {
        std::memcpy(to, from, brick_bytes_);
      }
    }
  }

  template <int kPortWords>
  void store_words(std::uint64_t* target, const std::uint64_t* bits, std::int64_t count) const {
    for (std::int64_t lane = 0; lane < lanes_; ++lane) {
      std::uint64_t* to = target + lane * lane_words_;
      const std::uint64_t* from = bits + lane * kPortWords;
      for (std::int64_t k = 0; k < count; ++k) {
        std::memcpy(to, from, 8 * kPortWords);
        to += rows_ * kPortWords;
        from += lanes_ * kPortWords;
      }
    }
  }

  struct Piece {
    std::uint64_t* start;
    std::int64_t words;
  };

  const OperandLayout& layout_;
  const MatrixOperand& operand_;
  int bits_;
  std::vector<Piece> pieces_;
  std::int64_t lanes_;
  std::int64_t rows_ = 0;  ///< of the stripe
  std::int64_t k_words_;
  int field_bits_;
  std::int64_t brick_bytes_;  ///< of a row and plane, 0 without bricks
  std::int64_t lane_words_;
  std::int64_t port_words_;
  std::uint64_t* image_;
};

/// Activations of one weight bundle as bits: for every plane and every image row (padding included)
/// one string of bits, pixel by pixel, the bundle's channels side by side. The bits that a window
/// takes of one row are then one contiguous piece: im2col becomes copying strings of bits. With
/// `field_bits` above 1 there is one plane, in which a channel has so many bits: all of them.
class PixelPlanes {
 public:
  PixelPlanes(const Layer& layer, const MatrixShape& shape, int batch, int bits, int field_bits)
      : layer_(layer), shape_(shape), batch_(batch), bits_(bits), field_bits_(field_bits) {
    run_ = layer.dilation_w == 1 ? layer.kernel_w : 1;
    height_ = layer.in_height + layer.pad_top + layer.pad_bottom;
    width_ = layer.in_width + layer.pad_left + layer.pad_right;
    const std::int64_t row_bits = width_ * shape.channel_stride;
    padded_ = (row_bits + 63) / 64 * 64;
    row_words_ = padded_ / 64 * field_bits + 1;  // append_bits reads one word behind
    bytes_.resize(padded_);
    if (bits > 8) high_.resize(padded_);
    planes_.resize(static_cast<std::size_t>(field_bits > 1 ? 1 : bits) * batch * height_ *
                   row_words_);
  }

  /// Cuts the channels of weight bundle `bundle` into planes.
  void load(std::int64_t bundle, Span<const std::int16_t> activations) {
    const std::int64_t first = bundle * shape_.channels;
    const auto channels =
        static_cast<int>(std::min<std::int64_t>(shape_.channels, layer_.in_channels - first));
    const std::size_t area = static_cast<std::size_t>(layer_.in_height) * layer_.in_width;
    // The last bundle may have fewer channels than the one before it left in the buffer.
    std::fill(bytes_.begin(), bytes_.end(), std::uint8_t{0});
    std::fill(high_.begin(), high_.end(), std::uint8_t{0});
    const std::int64_t left = layer_.pad_left * shape_.channel_stride;
    for (int b = 0; b < batch_; ++b) {
      for (int y = 0; y < layer_.in_height; ++y) {
        const std::int16_t* source =
            activations.data() + (static_cast<std::size_t>(b) * layer_.in_channels + first) * area +
            static_cast<std::size_t>(y) * layer_.in_width;
        for (int done = 0; done < bits_; done += 8) {
          std::vector<std::uint8_t>& bytes = done == 0 ? bytes_ : high_;
          transpose_to_bytes(source, area, channels, layer_.in_width, done / 8, bytes.data() + left,
                             shape_.channel_stride);
          if (field_bits_ > 1) continue;
          split_bitplanes(bytes.data(), padded_, std::min(bits_ - done, 8),
                          planes_.data() + row(done, b, y + layer_.pad_top), plane_stride());
        }
        if (field_bits_ == 1) continue;
        pack_fields(bytes_.data(), high_.data(), padded_, field_bits_,
                    planes_.data() + row(0, b, y + layer_.pad_top));
      }
    }
  }

  /// Bits of the whole window of output pixel (b, y, x), plane `plane`, when they fit one word.
  std::uint64_t window(int plane, std::int64_t b, std::int64_t y, std::int64_t x) const {
    const std::size_t length = run_ * shape_.channel_stride;
    const std::uint64_t mask = ~std::uint64_t{0} >> (64 - length);
    std::uint64_t bits = 0;
    std::size_t done = 0;
    for (int j = 0; j < layer_.kernel_w; j += run_) {
      const std::size_t bit = (x * layer_.stride_w + j * layer_.dilation_w) * shape_.channel_stride;
      const std::uint64_t* from = planes_.data() + row(plane, b, y * layer_.stride_h) + bit / 64;
      const unsigned down = bit % 64;
      for (int i = 0; i < layer_.kernel_h; ++i, from += layer_.dilation_h * row_words_) {
        bits |= (((from[0] >> down) | ((from[1] << 1) << (63 - down))) & mask)
                << (done + i * layer_.kernel_w * shape_.channel_stride);
      }
      done += length;
    }
    return bits;
  }
  /// Bits of window row `i` of output pixel (b, y, x), plane `plane`: appended to target at bit.
  void append(int plane, std::int64_t b, std::int64_t y, std::int64_t x, int i,
              std::uint64_t* target, std::size_t bit) const {
    const std::int64_t pixel = shape_.channel_stride * field_bits_;
    const std::uint64_t* from =
        planes_.data() + row(plane, b, y * layer_.stride_h + i * layer_.dilation_h);
    for (int j = 0; j < layer_.kernel_w; j += run_, bit += run_ * pixel) {
      append_bits(from, (x * layer_.stride_w + j * layer_.dilation_w) * pixel, run_ * pixel, target,
                  bit);
    }
  }

 private:
  std::size_t plane_stride() const {
    return static_cast<std::size_t>(batch_) * height_ * row_words_;
  }
  std::size_t row(int plane, std::int64_t b, std::int64_t y) const {
    return plane * plane_stride() + (b * height_ + y) * row_words_;
  }

  const Layer& layer_;
  const MatrixShape& shape_;
  std::int64_t batch_;
  int bits_;
  int field_bits_;
  int run_;  ///< pixels of a window row that lie side by side
  std::int64_t height_;
  std::int64_t width_;
  std::int64_t padded_;
  std::int64_t row_words_;
  std::vector<std::uint8_t> bytes_;
  std::vector<std::uint8_t> high_;
  std::vector<std::uint64_t> planes_;
};

}  // namespace

std::vector<std::uint8_t> pack_activations(const MatrixConfig& config, const MatrixShape& shape,
                                           const OperandLayout& layout, int bits,
                                           const Layer& layer, int batch,
                                           Span<const std::int16_t> activations) {
  std::vector<std::uint8_t> image(config.lanes * layout.lane_bytes());
  RowWriter writer(config, config.lhs, layout, bits, shape.k_words, image.data());
  PixelPlanes pixels(layer, shape, batch, bits, writer.field_bits());
  std::vector<std::uint64_t> row_bits(writer.plane_words() + 1);  // append_bits writes behind
  const std::int64_t width = layer.out_width();
  const std::int64_t area = width * layer.out_height();
  const std::size_t segment = layer.kernel_w * shape.channel_stride * writer.field_bits();
  const auto advance = [&](std::int64_t& b, std::int64_t& y, std::int64_t& x) {
    if (++x < width) return;
    x = 0;
    if (++y < layer.out_height()) return;
    y = 0;
    ++b;
  };

  // Rows of a stripe, of which the first is pixel `first` of image `b` and those behind it.
  const auto pack_stripe = [&](std::int64_t b, std::int64_t first, std::int64_t rows) {
    b += first / area;
    std::int64_t y = first % area / width;
    std::int64_t x = first % width;
    for (std::int64_t row = 0; row < rows; ++row, advance(b, y, x)) {
      if (shape.k <= 64 && !config.bricks) {
        // The rest of the plane's words are zero, and the image is from the start.
        for (int plane = 0; plane < bits; ++plane) {
          writer.store_first(row, plane, pixels.window(plane, b, y, x));
        }
        continue;
      }
      for (int plane = 0; plane < writer.planes(); ++plane) {
        std::fill(row_bits.begin(), row_bits.end(), 0);
        for (int i = 0; i < layer.kernel_h; ++i) {
          pixels.append(plane, b, y, x, i, row_bits.data(), i * segment);
        }
        writer.store(row, plane, row_bits.data());
      }
    }
  };

  const std::int64_t images = shape.bundles / shape.weight_bundles;
  for (std::int64_t group = 0; group < shape.weight_bundles; ++group) {
    pixels.load(group, activations);
    for (std::int64_t b = 0; b < images; ++b) {
      for (std::int64_t stripe = 0; stripe < shape.lhs_stripes; ++stripe) {
        const std::int64_t first = stripe * config.lhs.rows;
        writer.begin(b * shape.weight_bundles + group, stripe);
        pack_stripe(b, first, std::min<std::int64_t>(config.lhs.rows, shape.m - first));
      }
    }
  }
  return image;
}

std::vector<std::uint8_t> pack_weights(const MatrixConfig& config, const MatrixShape& shape,
                                       const OperandLayout& layout, int bits, const Layer& layer,
                                       Span<const std::int16_t> weights) {
  std::vector<std::uint8_t> image(config.lanes * layout.lane_bytes());
  RowWriter writer(config, config.rhs, layout, bits, shape.k_words, image.data());
  const std::int64_t plane_words = writer.plane_words();
  const int fields = writer.field_bits();
  // Elements of a row, whole words of planes; pack_fields() writes one word behind.
  const std::int64_t padded = (plane_words * 64 / fields + 63) / 64 * 64;
  std::vector<std::uint8_t> bytes(padded);
  std::vector<std::uint8_t> high(bits > 8 ? padded : 0);
  std::vector<std::uint64_t> planes(padded / 64 * bits + 1);
  const int positions = layer.kernel_h * layer.kernel_w;

  for (std::int64_t bundle = 0; bundle < shape.weight_bundles; ++bundle) {
    for (std::int64_t n = 0; n < shape.n; ++n) {
      const std::int64_t channel = bundle * shape.n + n;
      if (channel >= layer.out_channels) break;  // the last bundle may be short of groups
      // Reduction order is (kernel position, channel of the bundle); only the channels of this
      // output's own group are not zero.
      const std::int64_t group = n / shape.group_outputs;
      std::fill(bytes.begin(), bytes.end(), std::uint8_t{0});
      std::fill(high.begin(), high.end(), std::uint8_t{0});
      for (int done = 0; done < bits; done += 8) {
        std::vector<std::uint8_t>& half = done == 0 ? bytes : high;
        transpose_to_bytes(weights.data() + channel * shape.group_inputs * positions, positions,
                           static_cast<int>(shape.group_inputs), positions, done / 8,
                           half.data() + group * shape.group_inputs, shape.channel_stride);
        if (fields > 1) continue;
        split_bitplanes(half.data(), half.size(), std::min(bits - done, 8),
                        planes.data() + done * plane_words, plane_words);
      }
      if (fields > 1) pack_fields(bytes.data(), high.data(), padded, fields, planes.data());
      writer.begin(bundle, n / config.rhs.rows);
      for (int plane = 0; plane < writer.planes(); ++plane) {
        writer.store(n % config.rhs.rows, plane, planes.data() + plane * plane_words);
      }
    }
  }
  return image;
}

std::vector<std::int32_t> unpack_results(const MatrixConfig& config, const MatrixShape& shape,
                                         const MatrixSchedule& schedule, const BitPair& bits,
                                         const StreamMap& map, const Layer& layer, int batch,
                                         const ResultFormat& format, Bytes result) {
  const std::uint64_t expected = config.write_ports * map.result_lane_bytes;
  if (result.size() != expected) {
    fail("layer {}: {} result bytes, expected {}; read Program::result_bytes from the device",
         layer.name, result.size(), expected);
  }
  const std::int64_t area = static_cast<std::int64_t>(layer.out_height()) * layer.out_width();
  std::vector<std::int32_t> outputs(static_cast<std::size_t>(batch) * layer.out_channels * area);

  // Where element (row, column) of a tile lies, in bits relative to the tile's start in lane 0. A
  // port has the same elements in the same order at all widths. Of a cascade the last column has
  // the sums.
  const int port_elements = config.port_width / 32;
  std::vector<std::size_t> element(static_cast<std::size_t>(config.lhs.rows) * config.rhs.rows);
  const std::size_t first =
      config.cascade ? static_cast<std::size_t>(config.columns - 1) * config.rhs.rows : 0;
  for (std::size_t e = 0; e < element.size(); ++e) {
    const std::size_t i = first + e;
    const std::size_t port = i / port_elements % config.write_ports;
    const std::size_t beat = i / port_elements / config.write_ports;
    element[e] = port * map.result_lane_bytes * 8 +
                 (beat * port_elements + i % port_elements) * config.result_bits;
  }

  std::vector<std::int64_t> pixel(config.lhs.rows);  // output offset of each row, channel 0
  const auto tile = [&](const std::uint8_t* from, std::int64_t bundle, std::int64_t lhs_stripe,
                        std::int64_t rhs_stripe) {
    const std::int64_t first = lhs_stripe * config.lhs.rows;
    const std::int64_t rows = std::min<std::int64_t>(config.lhs.rows, shape.m - first);
    const std::int64_t image = bundle / shape.weight_bundles;
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t b = image + (first + row) / area;
      pixel[row] = b * layer.out_channels * area + (first + row) % area;
    }
    const std::int64_t column0 = rhs_stripe * config.rhs.rows;
    const std::int64_t channel0 = bundle % shape.weight_bundles * shape.n + column0;
    const std::int64_t columns =
        std::min<std::int64_t>({config.rhs.rows, shape.n - column0, layer.out_channels - channel0});
    for (std::int64_t column = 0; column < columns; ++column) {
      std::int32_t* to = outputs.data() + (channel0 + column) * area;
      if (format.bits == 32) {  // the usual case, without a choice for every element
        for (std::int64_t row = 0; row < rows; ++row) {
          std::memcpy(&to[pixel[row]], from + element[row * config.rhs.rows + column] / 8, 4);
        }
        continue;
      }
      for (std::int64_t row = 0; row < rows; ++row) {
        to[pixel[row]] = read_result(from, element[row * config.rhs.rows + column], format);
      }
    }
  };

  const std::int64_t tile_bytes = config.tile_bytes_per_port();
  const std::uint8_t* next = result.data();
  emit_steps(config, shape, schedule, bits, map,
             [&](const MatrixStep& step, const TileBlock& block) {
               if (step.kind != MatrixStep::Kind::kExec || !step.emit) return;
               for (std::int64_t i = 0; i < step.lhs_tiles; ++i) {
                 for (std::int64_t j = 0; j < step.rhs_tiles; ++j) {
                   tile(next, block.bundle, block.lhs_stripe + i, block.rhs_stripe + j);
                   next += tile_bytes;
                 }
               }
             });
  return outputs;
}

}  // namespace bittern
