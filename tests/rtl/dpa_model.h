// What the dot-product array must do, cycle by cycle, in plain C++.
#pragma once

#include <cstdint>
#include <deque>
#include <random>
#include <vector>

namespace bittern::rtl_test {

/// Dimensions of an array.
struct DpaShape {
  unsigned dm;
  unsigned dk;
  unsigned dn;
  unsigned lanes;
  unsigned pop_stages;
};

/// Inputs of one cycle. Operands are bits, lane major as in bismo_dpa.
struct DpaInput {
  bool valid = false;
  bool clear = false;
  bool shift = false;
  bool negate = false;
  bool last = false;
  unsigned tag = 0;
  std::vector<bool> lhs;
  std::vector<bool> rhs;
};

/// Outputs of one cycle.
struct DpaOutput {
  std::vector<std::uint32_t> acc;  ///< [m][n]
  bool last = false;
  unsigned tag = 0;  ///< Meaningful with `last`.
};

/// Operands and control drawn at random; the first input clears all accumulators.
inline std::vector<DpaInput> random_inputs(const DpaShape& shape, unsigned cycles,
                                           std::mt19937& rng) {
  std::vector<DpaInput> inputs(cycles);
  for (unsigned i = 0; i < cycles; ++i) {
    DpaInput& in = inputs[i];
    in.valid = i == 0 || rng() % 4 != 0;
    in.clear = i == 0 || rng() % 16 == 0;
    in.shift = rng() % 4 == 0;
    in.negate = rng() % 2;
    in.last = rng() % 8 == 0;
    in.tag = rng() % 4;
    const unsigned density = rng() % 5;  // of ones, in quarters
    for (unsigned b = 0; b < shape.dm * shape.dk; ++b) in.lhs.push_back(rng() % 4 < density);
    for (unsigned b = 0; b < shape.dn * shape.dk; ++b) in.rhs.push_back(rng() % 4 < density);
  }
  return inputs;
}

/// The array as a queue of inputs and a set of accumulators.
class DpaModel {
 public:
  explicit DpaModel(const DpaShape& shape) : shape_(shape), acc_(shape.dm * shape.dn) {}

  /// Outputs that are seen after the rising edge that ends the cycle of `in`.
  DpaOutput step(const DpaInput& in) {
    pipeline_.push_back(in);
    DpaOutput out;
    if (pipeline_.size() > shape_.pop_stages) {
      const DpaInput now = pipeline_.front();
      pipeline_.pop_front();
      if (now.valid) accumulate(now);
      out.last = now.valid && now.last;
      out.tag = now.tag;
    }
    out.acc = acc_;
    return out;
  }

 private:
  void accumulate(const DpaInput& in) {
    const unsigned width = shape_.dk / shape_.lanes;
    for (unsigned m = 0; m < shape_.dm; ++m) {
      for (unsigned n = 0; n < shape_.dn; ++n) {
        std::uint32_t ones = 0;
        for (unsigned l = 0; l < shape_.lanes; ++l) {
          for (unsigned b = 0; b < width; ++b) {
            ones +=
                in.lhs[(l * shape_.dm + m) * width + b] && in.rhs[(l * shape_.dn + n) * width + b];
          }
        }
        std::uint32_t& acc = acc_[m * shape_.dn + n];
        acc = (in.clear ? 0 : in.shift ? acc << 1 : acc) + (in.negate ? 0u - ones : ones);
      }
    }
  }

  DpaShape shape_;
  std::vector<std::uint32_t> acc_;
  std::deque<DpaInput> pipeline_;
};

}  // namespace bittern::rtl_test
