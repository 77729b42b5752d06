#include "host/base/error.h"
#include "host/cores/bismo/bismo_core.h"

namespace bittern {
namespace {

void check_together(const Variant& variant) {
  if (variant.parameter("Dk") < variant.parameter("PortWidth")) {
    fail_usage("Dk must be at least PortWidth: a word of the buffers is made of whole ports");
  }
  check_read_ports(variant, "Dk/PortWidth",
                   variant.parameter("Dk") / variant.parameter("PortWidth"), "LHS and RHS");
  check_results(variant, "a result tile", "Dm*Dn",
                variant.parameter("Dm") * variant.parameter("Dn"));
}

}  // namespace

VariantRules bismo_rules() {
  return {"bismo",
          {{"Dm", 2, 64, true},
           {"Dk", 64, 1024, true},
           {"Dn", 2, 64, true},
           {"LhsDepth", 16, 65536, true},
           {"RhsDepth", 16, 65536, true},
           {"MinResultBits", 2, 32, true, true}},
          check_together};
}

MatrixConfig bismo_config(const Variant& variant) {
  MatrixConfig config;
  config.core = "BISMO";
  config.lhs.rows = config.lhs.words = variant.size("Dm");
  config.rhs.rows = config.rhs.words = variant.size("Dn");
  config.k_elements = variant.size("Dk");
  config.lhs.depth = variant.size("LhsDepth");
  config.rhs.depth = variant.size("RhsDepth");
  config.tile_units = config.lhs.rows * config.rhs.rows;
  // rtl/bismo/bismo_core.sv: 4 + PopStages
  config.step_to_tile = 6;
  read_ports(variant, config.k_elements / variant.size("PortWidth"), config);
  return config;
}

}  // namespace bittern
