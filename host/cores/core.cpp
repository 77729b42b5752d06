#include "host/cores/core.h"

#include "host/base/error.h"
#include "host/cores/bismo/bismo_core.h"
#include "host/cores/bitfusion/bitfusion_core.h"
#include "host/cores/stripes/stripes_core.h"

namespace bittern {

std::unique_ptr<Core> make_core(const Variant& variant) {
  if (variant.core == "bismo") return std::make_unique<BismoCore>(bismo_config(variant));
  if (variant.core == "stripes") return std::make_unique<StripesCore>(stripes_config(variant));
  if (variant.core == "bitfusion") {
    return std::make_unique<BitFusionCore>(BitFusionConfig::from(variant));
  }
  fail_usage("variant {}: unknown core \"{}\", expected \"bismo\", \"stripes\" or \"bitfusion\"",
             variant.name, variant.core);
}

}  // namespace bittern
