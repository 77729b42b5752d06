#include "tests/rtl/bitfusion_model.h"

#include "host/protocol/registers.h"

namespace bittern::rtl_test {
namespace {

namespace isa = bitfusion_isa;
constexpr std::uint32_t kAddressMask = (1u << 20) - 1;

// Bits [lsb, lsb + bits) of an operand as a number.
std::int32_t part(std::uint32_t operand, unsigned lsb, unsigned bits, bool is_signed) {
  const std::uint32_t value = (operand >> lsb) & ((1u << bits) - 1);
  const bool negative = is_signed && (value >> (bits - 1)) != 0;
  return static_cast<std::int32_t>(value) - (negative ? 1 << bits : 0);
}

}  // namespace

BitfusionShape::operator CorePorts() const {
  const auto ports = registers::kBitfusionEvents.size();
  return {read_ports, write_ports, port_bytes, max_burst_beats, static_cast<unsigned>(ports)};
}

std::vector<BitfusionStep> walk(const BitfusionNest& nest, std::uint32_t lhs_base,
                                std::uint32_t rhs_base) {
  std::vector<BitfusionStep> steps;
  std::array<std::uint64_t, 8> index{};
  BitfusionStep step;
  step.lhs = lhs_base;
  step.rhs = rhs_base;
  for (;;) {
    step.first = index[0] + index[1] + index[2] + index[3] == 0;
    step.last = true;
    for (int l = 0; l < 4; ++l) step.last &= index[l] == nest.loops[l].iterations;
    step.lhs_high = nest.setup.lhs_wide && index[2] != 0;
    step.rhs_high = nest.setup.rhs_wide && index[3] != 0;
    steps.push_back(step);
    std::size_t level = 0;
    while (level < 8 && index[level] == nest.loops[level].iterations) index[level++] = 0;
    if (level == 8) return steps;
    ++index[level];
    step.lhs = static_cast<std::uint32_t>(step.lhs + nest.loops[level].lhs_jump) & kAddressMask;
    step.rhs = static_cast<std::uint32_t>(step.rhs + nest.loops[level].rhs_jump) & kAddressMask;
  }
}

std::int32_t fusion_unit(std::uint32_t lhs, std::uint32_t rhs, unsigned lhs_bits, unsigned rhs_bits,
                         bool lhs_signed, bool rhs_signed) {
  std::int32_t sum = 0;
  for (unsigned j = 0; j < 64 / (lhs_bits * rhs_bits); ++j) {
    sum += part(lhs, j * lhs_bits, lhs_bits, lhs_signed) *
           part(rhs, j * rhs_bits, rhs_bits, rhs_signed);
  }
  return sum;
}

BitfusionModel::BitfusionModel(const BitfusionShape& shape, std::vector<std::uint8_t>& memory)
    : shape_(shape),
      memory_(memory),
      ibuf_(shape.ibuf_depth * shape.lhs_bytes()),
      wbuf_(shape.wbuf_depth * shape.rhs_bytes()),
      tile_(shape.half() * shape.m) {}

void BitfusionModel::run(const std::vector<InstructionWord>& program) {
  for (const InstructionWord& word : program) {
    switch (word[0] & 15) {
      case isa::FetchLhs::kOpcode:
        fetch(isa::FetchLhs::decode(word), ibuf_, shape_.lhs_bytes(), shape_.lhs_banks());
        break;
      case isa::FetchRhs::kOpcode:
        fetch(isa::FetchLhs::decode(word), wbuf_, shape_.rhs_bytes(), shape_.rhs_banks());
        break;
      case isa::Compute::kOpcode:
        compute(isa::Compute::decode(word));
        break;
      case isa::Store::kOpcode:
        stores_.push_back({isa::Store::decode(word)});
        break;
      case isa::Setup::kOpcode:
        nest_ = {};
        nest_.setup = isa::Setup::decode(word);
        break;
      case isa::Loop::kOpcode: {
        const isa::Loop loop = isa::Loop::decode(word);
        nest_.loops.at(loop.level) = loop;
        break;
      }
      default:
        throw std::logic_error("bitfusion model: unknown opcode");
    }
  }
}

void BitfusionModel::fetch(const isa::FetchLhs& fetch, std::vector<std::uint8_t>& buffer,
                           unsigned word_bytes, unsigned banks) {
  for (std::uint64_t i = 0; i < fetch.words; ++i) {
    for (unsigned p = 0; p < shape_.lanes; ++p) {
      for (unsigned b = 0; b < shape_.port_bytes; ++b) {
        const std::uint64_t from =
            fetch.dram_base + p * fetch.lane_stride + i * shape_.port_bytes + b;
        const std::uint64_t to = (fetch.buffer_base + i / banks) * word_bytes +
                                 (p * banks + i % banks) * shape_.port_bytes + b;
        buffer.at(to) = memory_.at(from);
      }
    }
  }
}

void BitfusionModel::compute(const isa::Compute& compute) {
  const unsigned n = shape_.n;
  const unsigned m = shape_.m;
  const isa::Setup& setup = nest_.setup;
  const unsigned lhs_quarters = mode_quarters(setup.rhs_mode);
  const unsigned rhs_quarters = mode_quarters(setup.lhs_mode);
  std::vector<std::uint32_t> sums(m);
  std::size_t word = 0;
  for (const BitfusionStep& step : walk(nest_, static_cast<std::uint32_t>(compute.lhs_base),
                                        static_cast<std::uint32_t>(compute.rhs_base))) {
    if (step.first) sums.assign(m, 0);
    for (unsigned col = 0; col < m; ++col) {
      for (unsigned row = 0; row < n; ++row) {
        std::uint32_t lhs = 0;
        std::uint32_t rhs = 0;
        for (unsigned b = 0; b < lhs_quarters; ++b) {
          lhs |= std::uint32_t{ibuf_.at((step.lhs + b) * n + row)} << (8 * b);
        }
        for (unsigned b = 0; b < rhs_quarters; ++b) {
          rhs |= std::uint32_t{wbuf_.at((step.rhs + b) * n * m + col * n + row)} << (8 * b);
        }
        const std::int32_t product =
            fusion_unit(lhs, rhs, mode_bits(setup.lhs_mode), mode_bits(setup.rhs_mode),
                        setup.lhs_signed && (!setup.lhs_wide || step.lhs_high),
                        setup.rhs_signed && (!setup.rhs_wide || step.rhs_high));
        sums[col] += static_cast<std::uint32_t>(product) << (8 * (step.lhs_high + step.rhs_high));
      }
    }
    ++steps;
    lhs_reads += lhs_quarters;
    rhs_reads += rhs_quarters;
    if (!step.last) continue;
    for (unsigned col = 0; col < m; ++col) {
      std::uint32_t& out = tile_.at(word * m + col);
      out = (compute.accumulate ? out : 0) + sums[col];
    }
    ++word;
    ++outputs;
  }
  if (compute.emit) {
    tiles_.push_back(tile_);
    store_tiles();
  }
}

void BitfusionModel::store_tiles() {
  while (!tiles_.empty() && !stores_.empty()) {
    Pending& pending = stores_.front();
    const isa::Store& store = pending.store;
    const std::uint64_t tile_bytes = store.words * shape_.word_bytes();
    for (std::uint64_t i = 0; i < store.words * shape_.m * 4; ++i) {
      const std::uint64_t beat = i / shape_.port_bytes;
      const std::uint64_t address =
          store.dram_base + beat % shape_.write_ports * store.lane_stride +
          pending.done * tile_bytes + beat / shape_.write_ports * shape_.port_bytes +
          i % shape_.port_bytes;
      memory_.at(address) = static_cast<std::uint8_t>(tiles_.front().at(i / 4) >> (8 * (i % 4)));
    }
    tiles_.pop_front();
    if (++pending.done == store.tiles) stores_.pop_front();
  }
}

}  // namespace bittern::rtl_test
