#include "agent/campaign/provenance.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "host/base/hash.h"
#include "host/base/version.h"
#include "host/run/measurer.h"

namespace bittern {

namespace {

using Facts = std::vector<std::pair<std::string, std::string>>;

void add_hardware(Facts& from, const Variant& variant, const EnergyTable& energy) {
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
}

std::string space_text(const BitSpace& space) {
  std::string text = fmt::format(
      "mode {}: weights {}, activations {} bits", bit_mode_name(space.mode()),
      fmt::join(space.weight_choices(), " "), fmt::join(space.activation_choices(), " "));
  if (!space.options().pin_first_last) return text;
  const BitPair ends = space.options().pinned;
  return text + fmt::format("; first and last layer at {}/{}", ends.weight, ends.activation);
}

}  // namespace

std::vector<std::pair<std::string, std::string>> campaign_provenance(
    const Campaign& campaign, const CampaignHardware& hardware, const BitSpace& space,
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
  if (hardware.variant) {
    add_hardware(from, *hardware.variant, *hardware.energy);
  } else {
    from.emplace_back("variant", fmt::format("{}, batch {}, latencies and energies as the table "
                                             "gives them",
                                             hardware.name, hardware.batch));
  }
  from.emplace_back("search space", space_text(space));
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
