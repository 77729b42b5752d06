#include "tests/rtl/gemm_case.h"

#include <algorithm>
#include <stdexcept>

namespace bittern::rtl_test {
namespace {

using bismo_isa::Word;

// Operand values of one side, [row][k], rows padded to whole stripes already.
struct Operand {
  unsigned rows;
  unsigned columns;
  std::vector<std::int32_t> values;
  std::int32_t at(unsigned row, unsigned k) const { return values[row * columns + k]; }
};

Operand draw(unsigned rows, unsigned columns, unsigned bits, bool is_signed, std::mt19937& rng) {
  Operand out{rows, columns, {}};
  for (unsigned i = 0; i < rows * columns; ++i) {
    auto value = static_cast<std::int32_t>(rng() % (1u << bits));
    if (is_signed && (value >> (bits - 1)) != 0) value -= 1 << bits;
    out.values.push_back(value);
  }
  return out;
}

class Builder {
 public:
  Builder(const CoreShape& core, GemmCase& out) : core_(core), out_(out) {}

  // Lays out the planes of rows [row, row + banks) and columns [k, k + k_words * Dk) as one region
  // a lane; returns the address of lane 0. Regions of consecutive calls of one side lie behind each
  // other.
  struct Region {
    std::uint32_t base;
    std::uint32_t stride;
    unsigned words;
  };
  Region pack(const Operand& operand, unsigned row, unsigned banks, unsigned k, unsigned k_words,
              unsigned bits) {
    Region region{align(out_.image.size()), 0, bits * k_words * banks};
    region.stride = align(region.words * core_.port_bytes) + 64;  // a gap, to see strides taken
    out_.image.resize(region.base + region.stride * core_.lanes());
    unsigned index = 0;
    for (unsigned b = 0; b < bits; ++b) {
      for (unsigned w = 0; w < k_words; ++w) {
        for (unsigned r = 0; r < banks; ++r, ++index) {
          for (unsigned bit = 0; bit < core_.dk; ++bit) {
            const std::int32_t value = operand.at(row + r, k + w * core_.dk + bit);
            if (((value >> b) & 1) == 0) continue;
            const unsigned lane = bit / (8 * core_.port_bytes);
            const unsigned in_lane = bit % (8 * core_.port_bytes);
            out_.image[region.base + lane * region.stride + index * core_.port_bytes +
                       in_lane / 8] |= static_cast<std::uint8_t>(1u << (in_lane % 8));
          }
        }
      }
    }
    return region;
  }

  template <typename Fetch>
  void fetch(const Region& region, unsigned buffer_base, bool wait_free, bool send_filled) {
    Fetch fetch;
    fetch.wait_free = wait_free;
    fetch.send_filled = send_filled;
    fetch.buffer_base = buffer_base;
    fetch.words = region.words;
    fetch.dram_base = region.base;
    fetch.lane_stride = region.stride;
    out_.program.push_back(fetch.encode());
  }

  void exec(bismo_isa::Exec exec, const GemmShape& shape) {
    exec.lhs_signed = shape.lhs_signed;
    exec.rhs_signed = shape.rhs_signed;
    exec.lhs_bits = shape.lhs_bits - 1;
    exec.rhs_bits = shape.rhs_bits - 1;
    exec.k_words = shape.k_words;
    out_.program.push_back(exec.encode());
    out_.exec_words += (exec.lhs_tiles + 1) * (exec.rhs_tiles + 1) * shape.lhs_bits *
                       shape.rhs_bits * shape.k_words;
  }

  // Room for all tiles; the RESULT instructions write `first` tiles and then the rest.
  void result(unsigned tiles, unsigned first, const ResultFields& fields) {
    const unsigned tile_bytes = core_.dm * core_.dn * fields.bits / 8 / core_.write_ports;
    out_.result = fields;
    if (first * tile_bytes % 64 != 0)
      first = tiles;  // narrow tiles: an instruction starts on 64 bytes
    out_.result_base = align(out_.image.size());
    out_.result_stride = align(tiles * tile_bytes) + 128;
    for (unsigned done = 0; done < tiles;) {
      bismo_isa::Result result;
      result.width = fields.width();
      result.shift = fields.shift;
      result.is_signed = fields.is_signed;
      result.tiles = done == 0 ? first : tiles - first;
      result.dram_base = out_.result_base + done * tile_bytes;
      result.lane_stride = out_.result_stride;
      out_.program.push_back(result.encode());
      done += static_cast<unsigned>(result.tiles);
    }
    out_.image.resize(out_.result_base + out_.result_stride * core_.write_ports);
  }

 private:
  static std::uint32_t align(std::size_t bytes) {
    return static_cast<std::uint32_t>((bytes + 63) / 64 * 64);
  }
  const CoreShape& core_;
  GemmCase& out_;
};

void check_fits(unsigned words, unsigned depth) {
  if (words > depth) throw std::logic_error("test case does not fit the buffer");
}

}  // namespace

GemmCase make_gemm(const CoreShape& core, const GemmShape& shape, std::mt19937& rng) {
  GemmCase out;
  Builder build(core, out);
  const unsigned columns = shape.k_words * shape.k_chunks * core.dk;
  const Operand lhs =
      draw(shape.lhs_tiles * core.dm, columns, shape.lhs_bits, shape.lhs_signed, rng);
  const Operand rhs =
      draw(shape.rhs_tiles * core.dn, columns, shape.rhs_bits, shape.rhs_signed, rng);
  const unsigned lhs_words = shape.lhs_bits * shape.k_words;  // of a stripe
  const unsigned rhs_words = shape.rhs_bits * shape.k_words;
  const unsigned tiles = shape.lhs_tiles * shape.rhs_tiles;
  const unsigned align_tiles = 64 / std::min(64u, core.dm * core.dn * 4 / core.write_ports);
  const unsigned first = tiles > align_tiles ? tiles / 2 / align_tiles * align_tiles : 0;

  auto rhs_stripe = [&](unsigned t, unsigned chunk) {
    return build.pack(rhs, t * core.dn, core.dn, chunk * shape.k_words * core.dk, shape.k_words,
                      shape.rhs_bits);
  };
  auto lhs_stripe = [&](unsigned t, unsigned chunk) {
    return build.pack(lhs, t * core.dm, core.dm, chunk * shape.k_words * core.dk, shape.k_words,
                      shape.lhs_bits);
  };

  switch (shape.schedule) {
    case Schedule::kWhole: {
      const unsigned base = rng() % 4;
      const unsigned stride = lhs_words + rng() % 3;
      check_fits(base + stride * shape.lhs_tiles, core.lhs_depth);
      check_fits(rhs_words * shape.rhs_tiles, core.rhs_depth);
      for (unsigned t = 0; t < shape.rhs_tiles; ++t) {
        build.fetch<bismo_isa::FetchRhs>(rhs_stripe(t, 0), t * rhs_words, false,
                                         t + 1 == shape.rhs_tiles);
      }
      for (unsigned t = 0; t < shape.lhs_tiles; ++t) {
        build.fetch<bismo_isa::FetchLhs>(lhs_stripe(t, 0), base + t * stride, false,
                                         t + 1 == shape.lhs_tiles);
      }
      bismo_isa::Exec exec;
      exec.wait_lhs = exec.wait_rhs = exec.emit = 1;
      exec.lhs_tiles = shape.lhs_tiles - 1;
      exec.rhs_tiles = shape.rhs_tiles - 1;
      exec.lhs_base = base;
      exec.lhs_stride = stride;
      exec.rhs_stride = rhs_words;
      build.exec(exec, shape);
      break;
    }
    case Schedule::kStriped: {
      check_fits(2 * lhs_words, core.lhs_depth);
      check_fits(rhs_words * shape.rhs_tiles, core.rhs_depth);
      for (unsigned t = 0; t < shape.rhs_tiles; ++t) {
        build.fetch<bismo_isa::FetchRhs>(rhs_stripe(t, 0), t * rhs_words, false, true);
      }
      for (unsigned t = 0; t < shape.lhs_tiles; ++t) {
        const unsigned base = (t % 2) * (core.lhs_depth / 2);
        build.fetch<bismo_isa::FetchLhs>(lhs_stripe(t, 0), base, t >= 2, true);
        // The first stripe goes tile by tile, as its RHS stripes come one by one.
        const unsigned execs = t == 0 ? shape.rhs_tiles : 1;
        for (unsigned e = 0; e < execs; ++e) {
          bismo_isa::Exec exec;
          exec.wait_lhs = e == 0;
          exec.wait_rhs = t == 0;
          exec.free_lhs = e + 1 == execs;
          exec.emit = 1;
          exec.rhs_tiles = t == 0 ? 0 : shape.rhs_tiles - 1;
          exec.lhs_base = base;
          exec.rhs_base = e * rhs_words;
          exec.rhs_stride = rhs_words;
          build.exec(exec, shape);
        }
      }
      break;
    }
    case Schedule::kSplitK: {
      check_fits(2 * lhs_words, core.lhs_depth);
      check_fits(2 * rhs_words, core.rhs_depth);
      unsigned step = 0;
      for (unsigned t = 0; t < tiles; ++t) {
        for (unsigned c = 0; c < shape.k_chunks; ++c, ++step) {
          const unsigned lhs_base = (step % 2) * (core.lhs_depth / 2);
          const unsigned rhs_base = (step % 2) * (core.rhs_depth / 2);
          build.fetch<bismo_isa::FetchLhs>(lhs_stripe(t / shape.rhs_tiles, c), lhs_base, step >= 2,
                                           true);
          build.fetch<bismo_isa::FetchRhs>(rhs_stripe(t % shape.rhs_tiles, c), rhs_base, step >= 2,
                                           true);
          bismo_isa::Exec exec;
          exec.wait_lhs = exec.wait_rhs = exec.free_lhs = exec.free_rhs = 1;
          exec.accumulate = c != 0;
          exec.emit = c + 1 == shape.k_chunks;
          exec.lhs_base = lhs_base;
          exec.rhs_base = rhs_base;
          build.exec(exec, shape);
        }
      }
      break;
    }
  }
  // RESULT goes first, so that tiles can be written while the program is still being handed over.
  std::vector<Word> work = std::move(out.program);
  out.program.clear();
  build.result(tiles, first == 0 ? tiles : first, shape.result);
  out.program.insert(out.program.end(), work.begin(), work.end());

  for (unsigned lt = 0; lt < shape.lhs_tiles; ++lt) {
    for (unsigned rt = 0; rt < shape.rhs_tiles; ++rt) {
      for (unsigned m = 0; m < core.dm; ++m) {
        for (unsigned n = 0; n < core.dn; ++n) {
          std::int32_t sum = 0;
          for (unsigned k = 0; k < columns; ++k) {
            sum += lhs.at(lt * core.dm + m, k) * rhs.at(rt * core.dn + n, k);
          }
          out.expected.push_back(shape.result.of(sum));
        }
      }
    }
  }
  return out;
}

std::vector<std::int32_t> read_tiles(const CoreShape& core, const GemmCase& gemm,
                                     const std::vector<std::uint8_t>& memory) {
  const unsigned units = core.dm * core.dn;
  const ResultRegion region{
      units, core.write_ports, core.port_bytes, gemm.result_base, gemm.result_stride, gemm.result};
  std::vector<std::int32_t> out;
  for (std::size_t i = 0; i < gemm.expected.size(); ++i) {
    out.push_back(region.read(memory, i / units, i % units));
  }
  return out;
}

}  // namespace bittern::rtl_test
