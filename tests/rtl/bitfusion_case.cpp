#include "tests/rtl/bitfusion_case.h"

#include <algorithm>
#include <array>

namespace bittern::rtl_test {
namespace {

namespace isa = bitfusion_isa;

constexpr std::size_t kMemoryBytes = 1u << 20;
constexpr std::uint32_t kResultBase = 1u << 19;

std::uint64_t jump(std::int64_t value) { return static_cast<std::uint64_t>(value) & 0xfffff; }

class Builder {
 public:
  Builder(const BitfusionShape& shape, std::mt19937& rng, const BitfusionModes& modes)
      : shape_(shape), rng_(rng), modes_(modes) {}

  BitfusionCase build(unsigned rounds) {
    out_.image.resize(kMemoryBytes);
    for (std::uint32_t i = 0; i < kResultBase; ++i)
      out_.image[i] = static_cast<std::uint8_t>(rng_());
    while (round_ < rounds) group(std::min(1 + draw(3), rounds - round_), rounds);
    out_.expected = out_.image;
    BitfusionModel model(shape_, out_.expected);
    model.run(out_.program);
    out_.steps = model.steps;
    out_.outputs = model.outputs;
    out_.lhs_reads = model.lhs_reads;
    out_.rhs_reads = model.rhs_reads;
    return std::move(out_);
  }

 private:
  unsigned draw(unsigned below) { return static_cast<unsigned>(rng_() % below); }
  template <typename Instruction>
  void add(const Instruction& instruction) {
    out_.program.push_back(instruction.encode());
  }

  // One STORE for the tiles of `tiles` rounds, one a round.
  void group(unsigned tiles, unsigned rounds) {
    output_levels_.fill(0);
    unsigned words = 1;
    for (unsigned l = 4; l < 8; ++l) {
      const unsigned room = std::min(shape_.half() / words, 4u);
      const unsigned iterations = draw(2) ? 1 : 1 + draw(room);
      output_levels_[l] = iterations - 1;
      words *= iterations;
    }
    isa::Store store;
    store.tiles = tiles;
    store.words = 1 + draw(words);
    store.dram_base = result_;
    const std::uint32_t bytes =
        static_cast<std::uint32_t>(tiles * store.words * shape_.word_bytes() + 63) / 64 * 64;
    store.lane_stride = shape_.write_ports > 1 ? bytes + 64 * draw(3) : 0;
    result_ += static_cast<std::uint32_t>(store.lane_stride) * (shape_.write_ports - 1) + bytes +
               64 * draw(2);
    add(store);
    out_.tiles += tiles;
    out_.stored_words += tiles * store.words;
    for (unsigned t = 0; t < tiles; ++t) round(words, rounds);
  }

  // Fetches into one half of both buffers, and one to three COMPUTEs that make a tile of it.
  void round(unsigned words, unsigned rounds) {
    const unsigned side = round_ % 2;
    fetch(isa::FetchLhs(), shape_.ibuf_depth / 2, shape_.lhs_banks(), side);
    fetch(isa::FetchRhs(), shape_.wbuf_depth / 2, shape_.rhs_banks(), side);
    const unsigned computes = 1 + draw(3);
    for (unsigned c = 0; c < computes; ++c) {
      nest(side);
      isa::Compute compute = compute_;
      compute.wait_lhs = compute.wait_rhs = c == 0;
      compute.free_lhs = compute.free_rhs = c + 1 == computes && round_ + 2 < rounds;
      // Without accumulate, the tile is begun anew.
      compute.accumulate = c > 0 && draw(4) != 0;
      compute.emit = c + 1 == computes;
      if (compute.accumulate) out_.accumulated += words;
      add(compute);
    }
    ++round_;
  }

  template <typename Fetch>
  void fetch(Fetch fetch, unsigned depth, unsigned banks, unsigned side) {
    fetch.wait_free = round_ >= 2;
    fetch.send_filled = 1;
    fetch.buffer_base = side * depth;
    // Whole at first, so that nothing is read that was never written.
    fetch.words = depth * banks - (round_ < 2 ? 0 : draw(std::min(depth, 4u) * banks));
    const unsigned span = static_cast<unsigned>(fetch.words) * shape_.port_bytes;
    fetch.dram_base = 64 * draw(512);
    fetch.lane_stride = shape_.lanes > 1 ? (span / 64 + 1 + draw(4)) * 64 : 0;
    add(fetch);
  }

  // SETUP, LOOPs and the addresses of a COMPUTE, whose steps all lie in the half.
  void nest(unsigned side) {
    isa::Setup setup = modes_.setup;
    if (modes_.random) {
      setup.lhs_mode = draw(3);
      setup.rhs_mode = draw(3);
      setup.lhs_signed = draw(2);
      setup.rhs_signed = draw(2);
      setup.lhs_wide = setup.lhs_mode == 2 && draw(2);
      setup.rhs_wide = setup.rhs_mode == 2 && draw(2);
    }
    add(setup);
    std::array<std::uint64_t, 8> last{};  // iterations - 1
    for (unsigned l = 0; l < 4; ++l) last[l] = draw(2) ? draw(3) : 0;
    if (setup.lhs_wide) last[2] = 1;
    if (setup.rhs_wide) last[3] = 1;
    std::copy(output_levels_.begin() + 4, output_levels_.end(), last.begin() + 4);
    std::array<std::int64_t, 8> lhs{};
    std::array<std::int64_t, 8> rhs{};
    compute_ = {};
    compute_.lhs_base =
        strides(shape_.ibuf_depth / 2, mode_quarters(setup.rhs_mode), side, last, lhs);
    compute_.rhs_base =
        strides(shape_.wbuf_depth / 2, mode_quarters(setup.lhs_mode), side, last, rhs);
    std::int64_t lhs_walked = 0;  // by the loops inside
    std::int64_t rhs_walked = 0;
    for (unsigned l = 0; l < 8; ++l) {
      isa::Loop loop;
      loop.level = l;
      loop.iterations = last[l];
      loop.lhs_jump = jump(lhs[l] - lhs_walked);
      loop.rhs_jump = jump(rhs[l] - rhs_walked);
      lhs_walked += lhs[l] * static_cast<std::int64_t>(last[l]);
      rhs_walked += rhs[l] * static_cast<std::int64_t>(last[l]);
      if (last[l] != 0 || draw(4) == 0) add(loop);
    }
  }

  // Random strides of both signs for all levels, in quarters; returns the first address.
  std::uint64_t strides(unsigned words, unsigned quarters, unsigned side,
                        const std::array<std::uint64_t, 8>& last,
                        std::array<std::int64_t, 8>& stride) {
    std::int64_t below = 0;
    std::int64_t above = 0;
    const std::int64_t room = 4 * words / quarters - 1;
    for (unsigned l = 0; l < 8; ++l) {
      if (last[l] == 0) continue;
      const std::int64_t most = (room - below - above) / static_cast<std::int64_t>(last[l]);
      const std::int64_t size = draw(static_cast<unsigned>(std::min<std::int64_t>(most, 8) + 1));
      const bool down = draw(3) == 0;
      (down ? below : above) += size * static_cast<std::int64_t>(last[l]);
      stride[l] = (down ? -size : size) * quarters;
    }
    const std::int64_t free = room - below - above;
    const std::int64_t base = below + draw(static_cast<unsigned>(free + 1));
    return static_cast<std::uint64_t>(base * quarters + 4 * words * side);
  }

  const BitfusionShape& shape_;
  std::mt19937& rng_;
  BitfusionModes modes_;
  BitfusionCase out_;
  isa::Compute compute_;
  std::array<std::uint64_t, 8> output_levels_{};
  unsigned round_ = 0;
  std::uint32_t result_ = kResultBase;
};

}  // namespace

BitfusionCase make_bitfusion(const BitfusionShape& shape, unsigned rounds, std::mt19937& rng,
                             const BitfusionModes& modes) {
  return Builder(shape, rng, modes).build(rounds);
}

}  // namespace bittern::rtl_test
