#include <algorithm>
#include <string>

#include "host/base/error.h"
#include "host/cores/stripes/stripes_core.h"

namespace bittern {
namespace {

/// Banks that a FETCH of the Stripes core can name.
constexpr int kMostBanks = 256;

bool power_of_two(std::int64_t value) { return value > 0 && (value & (value - 1)) == 0; }

}  // namespace

MatrixConfig stripes_config(const Variant& variant) {
  MatrixConfig config;
  config.core = "Stripes";
  const int filters =
      checked_parameter(variant, "Rows", 1, 256) * checked_parameter(variant, "Tiles", 1, 64);
  const int columns = checked_parameter(variant, "Columns", 2, 256);
  const int serial = checked_parameter(variant, "Serial", 0, 2);
  const int fetch_lanes = checked_parameter(variant, "FetchLanes", 1, 16);
  config.max_bits = checked_parameter(variant, "MaxBits", 8, 16);
  config.k_elements = checked_parameter(variant, "Lanes", 8, 256);
  config.bricks = true;
  config.tile_units = columns * filters;
  read_ports(variant, fetch_lanes, config);
  if (!power_of_two(filters) || filters < 2 || !power_of_two(columns)) {
    fail_usage(
        "variant {}: {} columns and {} filters (rtl.Rows * rtl.Tiles), expected powers of "
        "two of at least 2",
        variant.name, columns, filters);
  }
  if (!power_of_two(config.max_bits)) {
    fail_usage("variant {}: rtl.MaxBits is {}, expected 8 or 16", variant.name, config.max_bits);
  }
  if (!power_of_two(config.k_elements) || config.k_elements > config.port_width) {
    fail_usage("variant {}: rtl.Lanes is {}, expected a power of two up to rtl.PortWidth ({})",
               variant.name, config.k_elements, config.port_width);
  }
  const int word = fetch_lanes * config.port_width;
  const auto operand = [&](MatrixOperand& side, int rows, const char* depth, int most,
                           bool parallel) {
    side.rows = rows;
    // A brick of a serial operand takes an address for each bit, one of staggered columns likewise.
    side.depth = checked_parameter(variant, depth, config.max_bits, most);
    side.parallel = parallel;
    const int plane = rows * config.k_elements;
    if ((parallel ? config.max_bits * plane : plane) % word != 0) {
      fail_usage(
          "variant {}: {} of {} rows of {} lanes {} no whole number of words of {} bits "
          "(rtl.FetchLanes * rtl.PortWidth)",
          variant.name, parallel ? std::to_string(config.max_bits) + " bit planes" : "a bit plane",
          rows, config.k_elements, parallel ? "are" : "is", word);
    }
    side.words = std::max(1, plane / word);
    side.word_planes = std::max(1, word / plane);
    if (side.banks(config.max_bits) > kMostBanks) {
      fail_usage(
          "variant {}: {} of the {} banks that a FETCH can name are needed; make "
          "rtl.FetchLanes larger",
          variant.name, side.banks(config.max_bits), kMostBanks);
    }
  };
  operand(config.lhs, columns, "LhsDepth", 1 << 17, serial == 1);
  operand(config.rhs, filters, "RhsDepth", 1 << 16, serial == 0);
  config.max_columns = serial == 0 ? columns : 1;
  config.max_exec_tiles = 1u << 13;
  config.max_exec_words = 1 << 11;
  // rtl/stripes/stripes_core.sv
  config.step_to_tile = 8;
  config.slot_before_brick = true;
  config.counts_reads = true;
  return config;
}

}  // namespace bittern
