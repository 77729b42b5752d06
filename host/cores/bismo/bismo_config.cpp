#include "host/base/error.h"
#include "host/cores/bismo/bismo_core.h"

namespace bittern {
namespace {

bool power_of_two(std::int64_t value) { return value > 0 && (value & (value - 1)) == 0; }

}  // namespace

MatrixConfig bismo_config(const Variant& variant) {
  MatrixConfig config;
  config.core = "BISMO";
  config.lhs.rows = config.lhs.words = checked_parameter(variant, "Dm", 2, 256);
  config.rhs.rows = config.rhs.words = checked_parameter(variant, "Dn", 2, 256);
  config.k_elements = checked_parameter(variant, "Dk", 64, 4096);
  config.lhs.depth = checked_parameter(variant, "LhsDepth", 8, 1 << 16);
  config.rhs.depth = checked_parameter(variant, "RhsDepth", 8, 1 << 16);
  config.tile_units = config.lhs.rows * config.rhs.rows;
  // rtl/bismo/bismo_core.sv: 4 + PopStages
  config.step_to_tile = 6;
  for (const char* key : {"Dm", "Dn"}) {
    if (!power_of_two(variant.parameter(key))) {
      fail_usage("variant {}: rtl.{} is {}, expected a power of two", variant.name, key,
                 variant.parameter(key));
    }
  }
  const int port_width = checked_parameter(variant, "PortWidth", 64, 256);
  if (config.k_elements % port_width != 0) {
    fail_usage("variant {}: rtl.Dk is {}, expected a multiple of rtl.PortWidth ({})", variant.name,
               config.k_elements, port_width);
  }
  read_ports(variant, config.k_elements / port_width, config);
  return config;
}

}  // namespace bittern
