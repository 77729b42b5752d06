#include "host/cores/cores.h"

#include <fmt/format.h>

#include <vector>

#include "host/base/error.h"
#include "host/cores/bismo/bismo_core.h"
#include "host/cores/bitfusion/bitfusion_core.h"
#include "host/cores/stripes/stripes_core.h"

namespace bittern {
namespace {

struct Entry {
  VariantRules rules;
  std::unique_ptr<Core> (*make)(const Variant& variant);
};

/// The cores. A new one is a line here.
std::vector<Entry> cores() {
  return {
      {bismo_rules(),
       [](const Variant& v) -> std::unique_ptr<Core> {
         return std::make_unique<BismoCore>(bismo_config(v));
       }},
      {stripes_rules(),
       [](const Variant& v) -> std::unique_ptr<Core> {
         return std::make_unique<StripesCore>(stripes_config(v));
       }},
      {bitfusion_rules(),
       [](const Variant& v) -> std::unique_ptr<Core> {
         return std::make_unique<BitFusionCore>(BitFusionConfig::from(v));
       }},
  };
}

}  // namespace

Variant load_variant(const std::string& name_or_path) {
  std::vector<VariantRules> rules;
  for (const Entry& entry : cores()) rules.push_back(entry.rules);
  return read_variant(name_or_path, rules);
}

std::unique_ptr<Core> make_core(const Variant& variant) {
  std::string names;
  for (const Entry& entry : cores()) {
    if (entry.rules.core == variant.core) {
      entry.rules.check(variant);
      return entry.make(variant);
    }
    names += fmt::format("{}\"{}\"", names.empty() ? "" : ", ", entry.rules.core);
  }
  fail_usage("variant {}: unknown core \"{}\", expected one of {}", variant.name, variant.core,
             names);
}

}  // namespace bittern
