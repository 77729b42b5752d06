#include "agent/campaign/provenance.h"

#include <fmt/format.h>

#include "host/base/hash.h"
#include "host/base/version.h"
#include "host/measure/measurer.h"

namespace bittern {

std::vector<std::pair<std::string, std::string>> campaign_provenance(
    const Campaign& campaign, const Variant& variant, const EnergyTable& energy,
    const DeviceIdentity* identity, const DataSplits& splits, const std::string& model_hash,
    const std::set<std::string>& processors) {
  std::vector<std::pair<std::string, std::string>> from;
  from.emplace_back("bittern", fmt::format("{} ({})", version(), source_revision()));
  from.emplace_back("build", build_description());
  from.emplace_back("latency", campaign.cost == "rtl"
                                   ? "RTL, simulated layer by layer, outputs checked"
                               : campaign.cost == "model"
                                   ? "closed-form model, nothing simulated"
                                   : "table " + campaign.as_written("table", campaign.table));
  if (identity != nullptr) {
    from.emplace_back("RTL hash", identity->rtl_hash);
    from.emplace_back("tools", tools_text(*identity));
  }
  from.emplace_back("variant", fmt::format("{}: {}, {:g} MHz, batch {}", variant.name,
                                           variant.description, variant.clock_mhz, variant.batch));
  from.emplace_back("energy table", fmt::format("{} ({})", energy.name, energy.hash.substr(0, 16)));
  for (const auto& anchor : energy.dram) {
    from.emplace_back(
        "DRAM anchor " + anchor.name,
        fmt::format("{:g} {} - {}", anchor.number.value, anchor.number.unit, anchor.number.source));
  }
  from.emplace_back("static power",
                    fmt::format("{:g} {} ({})", energy.static_power.value, energy.static_power.unit,
                                basis_name(energy.static_power.basis)));
  from.emplace_back(
      "data", fmt::format("{}: {} train, {} validation, {} test images ({})", splits.train.name,
                          splits.train.size(), splits.validation.size(), splits.test.size(),
                          splits.hash.substr(0, 16)));
  from.emplace_back("full-precision weights", model_hash);
  from.emplace_back("settings", sha256_hex(campaign_key(campaign)));
  from.emplace_back("accuracy",
                    "fake quantisation of weights and activations, bias and everything between "
                    "layers in float");
  std::string computed_on;
  for (const std::string& processor : processors) {
    computed_on += (computed_on.empty() ? "" : "; ") + processor;
  }
  from.emplace_back("processor", computed_on);
  return from;
}

}  // namespace bittern
