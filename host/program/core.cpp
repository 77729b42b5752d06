#include "host/program/core.h"

#include "host/base/error.h"
#include "host/program/bismo_core.h"
#include "host/program/bitfusion_core.h"

namespace bittern {

std::unique_ptr<Core> make_core(const Variant& variant) {
  if (variant.core == "bismo") return std::make_unique<BismoCore>(BismoConfig::from(variant));
  if (variant.core == "bitfusion") {
    return std::make_unique<BitFusionCore>(BitFusionConfig::from(variant));
  }
  fail_usage("variant {}: unknown core \"{}\", expected \"bismo\" or \"bitfusion\"", variant.name,
             variant.core);
}

}  // namespace bittern
