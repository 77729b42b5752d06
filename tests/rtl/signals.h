// Bit fields of Verilated ports, whatever C++ type Verilator gave the port (8 to 64-bit integers or
// an array of words).
#pragma once

#include <verilated.h>

#include <cstdint>
#include <type_traits>

namespace bittern::rtl_test {

/// Bits [lsb, lsb + width) of a port of up to 64 bits; width at most 64.
template <typename T, std::enable_if_t<std::is_integral_v<T>, int> = 0>
std::uint64_t get_bits(const T& port, unsigned lsb, unsigned width) {
  const std::uint64_t value = static_cast<std::uint64_t>(port) >> lsb;
  return width >= 64 ? value : value & ((std::uint64_t{1} << width) - 1);
}

/// Bits [lsb, lsb + width) of a wide port; width at most 64.
template <std::size_t N>
std::uint64_t get_bits(const VlWide<N>& port, unsigned lsb, unsigned width) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < width; ++i) {
    const unsigned bit = lsb + i;
    value |= static_cast<std::uint64_t>((port[bit / 32] >> (bit % 32)) & 1) << i;
  }
  return value;
}

/// Sets bits [lsb, lsb + width) of a port of up to 64 bits.
template <typename T, std::enable_if_t<std::is_integral_v<T>, int> = 0>
void set_bits(T& port, unsigned lsb, unsigned width, std::uint64_t value) {
  const std::uint64_t mask = (width >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1)
                             << lsb;
  port = static_cast<T>((static_cast<std::uint64_t>(port) & ~mask) | ((value << lsb) & mask));
}

/// Sets bits [lsb, lsb + width) of a wide port.
template <std::size_t N>
void set_bits(VlWide<N>& port, unsigned lsb, unsigned width, std::uint64_t value) {
  for (unsigned i = 0; i < width; ++i) {
    const unsigned bit = lsb + i;
    const std::uint32_t mask = std::uint32_t{1} << (bit % 32);
    port[bit / 32] = (port[bit / 32] & ~mask) | (((value >> i) & 1) ? mask : 0);
  }
}

}  // namespace bittern::rtl_test
