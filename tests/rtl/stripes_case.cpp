#include "tests/rtl/stripes_case.h"

#include <algorithm>
#include <stdexcept>

namespace bittern::rtl_test {
namespace {

// One side of a product: values [row][channel of all bricks].
struct Operand {
  unsigned rows;      // of the matrix
  unsigned channels;  // of all bricks
  unsigned bits;
  bool parallel;
  unsigned stripe_rows;  // rows at one address
  unsigned copies;       // addresses of a brick when parallel
  std::vector<std::int32_t> values;
  std::int32_t at(unsigned row, unsigned channel) const { return values[row * channels + channel]; }
  unsigned addresses() const { return parallel ? copies : bits; }
};

void draw(Operand& operand, bool is_signed, std::mt19937& rng) {
  for (unsigned i = 0; i < operand.rows * operand.channels; ++i) {
    auto value = static_cast<std::int32_t>(rng() % (1u << operand.bits));
    if (rng() % 8 == 0) value = is_signed ? 1 << (operand.bits - 1) : (1 << operand.bits) - 1;
    if (is_signed && (value >> (operand.bits - 1)) != 0) value -= 1 << operand.bits;
    operand.values.push_back(value);
  }
}

std::uint32_t aligned(std::size_t bytes) {
  return static_cast<std::uint32_t>((bytes + 63) / 64 * 64);
}

class Builder {
 public:
  Builder(const StripesShape& core, StripesCase& out) : core_(core), out_(out) {}

  // Packs a stripe: rows from `row` on, bricks [first, first + count), and fetches it.
  template <typename Fetch>
  void fetch(const Operand& operand, unsigned row, unsigned first, unsigned count,
             unsigned buffer_base, bool wait_free, bool send_filled) {
    // Bytes of an address: one plane of a serial operand, all of a parallel one.
    const unsigned banks = banks_of(operand);
    const unsigned rows = count * operand.addresses();
    const unsigned port_bits = 8 * core_.port_bytes;
    Fetch op;
    op.wait_free = wait_free;
    op.send_filled = send_filled;
    op.banks = banks - 1;
    op.buffer_base = buffer_base;
    op.rows = rows;
    op.bits = operand.parallel ? 0 : operand.bits - 1;
    op.dram_base = aligned(out_.image.size());
    op.lane_stride = aligned(rows * banks * core_.port_bytes) + 64;  // a gap, to see strides taken
    out_.image.resize(op.dram_base + op.lane_stride * core_.fetch_lanes);
    for (unsigned k = 0; k < count; ++k) {
      for (unsigned r = 0; r < operand.stripe_rows * operand.copies; ++r) {
        for (unsigned lane = 0; lane < core_.lanes; ++lane) {
          const std::int32_t value = operand.at(row + r, (first + k) * core_.lanes + lane);
          for (unsigned b = 0; b < operand.bits; ++b) {
            if (((value >> b) & 1) == 0) continue;
            const unsigned element = r % operand.stripe_rows * core_.lanes + lane;
            const unsigned address = k * operand.copies + r / operand.stripe_rows;
            const auto [word, bit] = operand.parallel ? side_by_side(operand, address, b, element)
                                                      : packed(operand, k, b, element);
            const unsigned port = bit / port_bits;
            out_.image[op.dram_base + port * op.lane_stride + word * core_.port_bytes +
                       bit % port_bits / 8] |= static_cast<std::uint8_t>(1u << (bit % 8));
          }
        }
      }
    }
    out_.program.push_back(op.encode());
  }

  void result(unsigned tiles, const ResultFields& fields) {
    const unsigned tile_bytes = core_.columns * core_.filters * fields.bits / 8 / core_.write_ports;
    out_.result = fields;
    out_.result_base = aligned(out_.image.size());
    out_.result_stride = aligned(tiles * tile_bytes) + 128;
    out_.image.resize(out_.result_base + out_.result_stride * core_.write_ports);
    stripes_isa::Result result;
    result.width = fields.width();
    result.shift = fields.shift;
    result.is_signed = fields.is_signed;
    result.tiles = tiles;
    result.dram_base = out_.result_base;
    result.lane_stride = out_.result_stride;
    out_.program.insert(out_.program.begin(), result.encode());
  }

  void exec(stripes_isa::Exec exec, const StripesProduct& product) {
    exec.lhs_signed = product.lhs_signed;
    exec.rhs_signed = product.rhs_signed;
    exec.lhs_bits = product.lhs_bits - 1;
    exec.rhs_bits = product.rhs_bits - 1;
    exec.bricks = product.bricks - 1;
    exec.columns = product.columns - 1;
    exec.cascade = product.cascade;
    out_.program.push_back(exec.encode());
    const std::uint64_t bricks = (exec.lhs_tiles + 1) * (exec.rhs_tiles + 1) * product.bricks;
    const std::uint64_t steps =
        (core_.serial != 1 ? product.lhs_bits : 1) * (core_.serial != 0 ? product.rhs_bits : 1);
    out_.steps += bricks * steps;
    out_.lhs_reads += core_.serial != 1 ? bricks * steps : bricks * core_.max_bits;
    out_.rhs_reads +=
        core_.serial != 0 ? bricks * steps : bricks * product.columns * core_.max_bits;
  }

 private:
  // A bit in memory: the fetch word, and the bit in it.
  struct Place {
    unsigned word;
    unsigned bit;
  };
  unsigned word_bits() const { return 8 * core_.word_bytes(); }
  // Fetch words at an address: one plane of a serial operand, all of a parallel one.
  unsigned banks_of(const Operand& operand) const {
    const unsigned plane = operand.stripe_rows * core_.lanes;
    return (plane * (operand.parallel ? operand.bits : 1) + word_bits() - 1) / word_bits();
  }
  // Planes of a parallel operand lie side by side at their address.
  Place side_by_side(const Operand& operand, unsigned address, unsigned b, unsigned element) const {
    const unsigned bit = b * operand.stripe_rows * core_.lanes + element;
    return {address * banks_of(operand) + bit / word_bits(), bit % word_bits()};
  }
  // A serial operand: in every lane a group of elements for each word of a plane, packed.
  Place packed(const Operand& operand, unsigned brick, unsigned b, unsigned element) const {
    const unsigned port_bits = 8 * core_.port_bytes;
    const unsigned group = brick * banks_of(operand) + element / word_bits();
    const unsigned lane = element % word_bits() / port_bits;
    const unsigned bit = element % port_bits * operand.bits + b;
    return {group * operand.bits + bit / port_bits, lane * port_bits + bit % port_bits};
  }

  const StripesShape& core_;
  StripesCase& out_;
};

}  // namespace

StripesProduct random_product(const StripesShape& core, std::mt19937& rng) {
  StripesProduct product;
  product.lhs_bits = 1 + rng() % core.max_bits;
  product.rhs_bits = 1 + rng() % core.max_bits;
  product.lhs_signed = rng() % 2;
  product.rhs_signed = rng() % 2;
  product.double_buffer = rng() % 2;
  const unsigned most = std::min(core.columns, product.lhs_bits);
  if (core.serial == 0 && rng() % 2 == 0) product.columns = 1 + rng() % most;
  product.cascade = product.columns > 1 && rng() % 2 == 0;
  const unsigned lhs_brick = core.serial != 1 ? product.lhs_bits : 1;
  const unsigned rhs_brick = core.serial != 0 ? product.rhs_bits : product.columns;
  const unsigned half =
      std::min(core.lhs_depth / 2 / lhs_brick, core.rhs_depth / 2 / rhs_brick);  // bricks
  product.bricks = 1 + rng() % std::min(half, 5u);
  const unsigned fit = half / (product.bricks + 1);  // stripes
  product.lhs_tiles = 1 + rng() % std::max(1u, std::min(fit, 4u));
  product.rhs_tiles = 1 + rng() % std::max(1u, std::min(fit, 3u));
  if (product.double_buffer) {
    product.lhs_tiles = 1 + rng() % 5;
    if (rng() % 2 == 0) {
      product.chunks = 2 + rng() % 3;
      product.lhs_tiles = product.rhs_tiles = 1;
    }
  }
  product.result = ResultFields::draw(rng, core.min_result_bits);
  return product;
}

StripesCase make_stripes(const StripesShape& core, const StripesProduct& product,
                         std::mt19937& rng) {
  StripesCase out;
  Builder build(core, out);
  const bool staggered = product.columns > 1;
  const unsigned windows = core.columns;  // rows that a stripe of LHS has in memory
  const unsigned filters = core.filters * product.columns;
  const unsigned channels = product.bricks * product.chunks * core.lanes;
  Operand lhs{product.lhs_tiles * windows,
              channels,
              product.lhs_bits,
              core.serial == 1,
              core.columns,
              1,
              {}};
  Operand rhs{product.rhs_tiles * filters,
              channels,
              product.rhs_bits,
              core.serial == 0,
              core.filters,
              product.columns,
              {}};
  draw(lhs, product.lhs_signed, rng);
  draw(rhs, product.rhs_signed, rng);
  const unsigned lhs_stripe = product.bricks * lhs.addresses();
  const unsigned rhs_stripe = product.bricks * rhs.addresses();
  const auto fits = [](unsigned addresses, unsigned depth) {
    if (addresses > depth) throw std::logic_error("test case does not fit the buffer");
  };

  if (product.chunks > 1) {
    // One tile, both sides take turns in two halves.
    fits(2 * lhs_stripe, core.lhs_depth);
    fits(2 * rhs_stripe, core.rhs_depth);
    for (unsigned c = 0; c < product.chunks; ++c) {
      stripes_isa::Exec exec;
      exec.lhs_base = c % 2 * (core.lhs_depth / 2);
      exec.rhs_base = c % 2 * (core.rhs_depth / 2);
      build.fetch<stripes_isa::FetchLhs>(lhs, 0, c * product.bricks, product.bricks,
                                         static_cast<unsigned>(exec.lhs_base), c >= 2, true);
      build.fetch<stripes_isa::FetchRhs>(rhs, 0, c * product.bricks, product.bricks,
                                         static_cast<unsigned>(exec.rhs_base), c >= 2, true);
      exec.wait_lhs = exec.wait_rhs = exec.free_lhs = exec.free_rhs = 1;
      exec.accumulate = c > 0;
      exec.emit = c + 1 == product.chunks;
      build.exec(exec, product);
    }
  } else {
    const unsigned base = rng() % 3;
    const unsigned stride = rhs_stripe + rng() % 3;
    fits(base + product.rhs_tiles * stride, core.rhs_depth);
    for (unsigned t = 0; t < product.rhs_tiles; ++t) {
      build.fetch<stripes_isa::FetchRhs>(rhs, t * filters, 0, product.bricks, base + t * stride,
                                         false, t + 1 == product.rhs_tiles);
    }
    stripes_isa::Exec exec;
    exec.wait_lhs = exec.emit = 1;
    exec.rhs_base = base;
    exec.rhs_stride = stride;
    exec.rhs_tiles = product.rhs_tiles - 1;
    fits((product.double_buffer ? 2 : product.lhs_tiles) * lhs_stripe, core.lhs_depth);
    for (unsigned t = 0; t < product.lhs_tiles; ++t) {
      const unsigned slot = product.double_buffer ? t % 2 * (core.lhs_depth / 2) : t * lhs_stripe;
      const bool whole = product.double_buffer || t + 1 == product.lhs_tiles;
      build.fetch<stripes_isa::FetchLhs>(lhs, t * windows, 0, product.bricks, slot,
                                         product.double_buffer && t >= 2, whole);
      if (!product.double_buffer) continue;
      exec.wait_rhs = t == 0;
      exec.lhs_base = slot;
      exec.free_lhs = t + 2 < product.lhs_tiles;
      build.exec(exec, product);
    }
    if (!product.double_buffer) {
      exec.wait_rhs = 1;
      exec.lhs_tiles = product.lhs_tiles - 1;
      exec.lhs_stride = lhs_stripe;
      build.exec(exec, product);
    }
  }
  build.result(product.lhs_tiles * product.rhs_tiles, product.result);

  for (unsigned i = 0; i < product.lhs_tiles; ++i) {
    for (unsigned j = 0; j < product.rhs_tiles; ++j) {
      for (unsigned m = 0; m < core.columns; ++m) {
        for (unsigned n = 0; n < core.filters; ++n) {
          const bool rests = staggered && m >= product.columns;
          const unsigned window = i * windows + (staggered ? 0 : m);
          const unsigned filter = j * filters + (staggered && !rests ? m * core.filters : 0) + n;
          std::uint32_t sum = 0;  // modulo 2^32, as the array
          const auto add = [&](unsigned l, unsigned r) {
            for (unsigned k = 0; k < channels; ++k) {
              sum += static_cast<std::uint32_t>(lhs.at(l, k)) *
                     static_cast<std::uint32_t>(rhs.at(r, k));
            }
          };
          if (product.cascade) {
            for (unsigned c = 0; c <= m && !rests; ++c) {
              add(i * windows + c, j * filters + c * core.filters + n);
            }
          } else {
            add(window, filter);
          }
          out.expected.push_back(product.result.of(static_cast<std::int32_t>(sum)));
          // Of a cascade the last column is waited for.
          out.defined.push_back(product.cascade ? m + 1 == product.columns : !rests);
        }
      }
    }
  }
  return out;
}

std::vector<std::int32_t> read_tiles(const StripesShape& core, const StripesCase& product,
                                     const std::vector<std::uint8_t>& memory) {
  const unsigned units = core.columns * core.filters;
  const ResultRegion region{
      units,         core.write_ports, core.port_bytes, product.result_base, product.result_stride,
      product.result};
  std::vector<std::int32_t> out;
  for (std::size_t i = 0; i < product.expected.size(); ++i) {
    out.push_back(product.defined[i] ? region.read(memory, i / units, i % units)
                                     : product.expected[i]);
  }
  return out;
}

}  // namespace bittern::rtl_test
