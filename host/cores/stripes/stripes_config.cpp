#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "host/base/error.h"
#include "host/cores/stripes/stripes_core.h"

namespace bittern {
namespace {

/// Banks that a FETCH of the Stripes core can name.
constexpr int kMostBanks = 256;

/// How `rows` rows of an operand lie in their buffer.
MatrixOperand operand_of(const Variant& variant, int rows, const char* depth, bool parallel) {
  MatrixOperand side;
  side.rows = rows;
  side.depth = variant.size(depth);
  side.parallel = parallel;
  const int word = variant.size("FetchLanes") * variant.size("PortWidth");
  const int plane = rows * variant.size("Lanes");
  side.words = std::max(1, plane / word);
  side.word_planes = std::max(1, word / plane);
  return side;
}

MatrixOperand lhs_of(const Variant& variant) {
  return operand_of(variant, variant.size("Columns"), "LhsDepth", variant.size("Serial") == 1);
}

MatrixOperand rhs_of(const Variant& variant) {
  return operand_of(variant, variant.size("Rows") * variant.size("Tiles"), "RhsDepth",
                    variant.size("Serial") == 0);
}

void check_together(const Variant& variant) {
  const std::int64_t filters = variant.parameter("Rows") * variant.parameter("Tiles");
  const std::int64_t columns = variant.parameter("Columns");
  const std::int64_t lanes = variant.parameter("Lanes");
  const std::int64_t fetch_lanes = variant.parameter("FetchLanes");
  if (filters < 2) fail_usage("Rows * Tiles must be at least 2");
  if (lanes > variant.parameter("PortWidth")) {
    fail_usage("Lanes must be at most PortWidth: a port carries whole bricks");
  }
  check_read_ports(variant, "FetchLanes", fetch_lanes, "activations and weights");
  const std::int64_t word = fetch_lanes * variant.parameter("PortWidth");
  const int planes = variant.size("MaxBits");
  for (const MatrixOperand& side : {lhs_of(variant), rhs_of(variant)}) {
    if ((side.parallel ? planes : 1) * side.rows * lanes % word != 0) {
      fail_usage(
          "{} of {} rows of {} lanes must be a whole number of fetch words (FetchLanes * PortWidth "
          "= {} bits)",
          side.parallel ? fmt::format("{} bit planes", planes) : "a bit plane", side.rows, lanes,
          word);
    }
    if (side.banks(planes) > kMostBanks) {
      fail_usage("{} of the {} banks that a FETCH can name are needed; make FetchLanes larger",
                 side.banks(planes), kMostBanks);
    }
  }
  check_results(variant, "a result tile", "Columns*Rows*Tiles", columns * filters);
}

}  // namespace

VariantRules stripes_rules() {
  return {"stripes",
          {{"Rows", 1, 256, true},
           {"Columns", 2, 64, true},
           {"Tiles", 1, 64, true},
           {"Lanes", 8, 256, true},
           {"Serial", 0, 2, false},
           {"MaxBits", 8, kMostBits, true},
           {"LhsDepth", 16, 131072, true},
           {"RhsDepth", 16, 65536, true},
           {"FetchLanes", 1, 16, true},
           {"MinResultBits", 2, 32, true, true}},
          check_together};
}

MatrixConfig stripes_config(const Variant& variant) {
  MatrixConfig config;
  config.core = "Stripes";
  config.lhs = lhs_of(variant);
  config.rhs = rhs_of(variant);
  config.max_bits = variant.size("MaxBits");
  config.k_elements = variant.size("Lanes");
  config.bricks = true;
  config.tile_units = config.lhs.rows * config.rhs.rows;
  read_ports(variant, variant.size("FetchLanes"), config);
  config.max_columns = config.rhs.parallel ? config.lhs.rows : 1;
  config.max_exec_tiles = 1u << 13;
  config.max_exec_words = 1 << 11;
  // rtl/stripes/stripes_core.sv
  config.step_to_tile = 8;
  config.slot_before_brick = true;
  config.counts_reads = true;
  return config;
}

}  // namespace bittern
