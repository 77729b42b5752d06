#include "host/campaign/provenance.h"

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
  if (space.options().pin_first_last) {
    const BitPair ends = space.options().pinned;
    text += fmt::format("; first and last layer at {}/{}", ends.weight, ends.activation);
  }
  for (const LayerBits& layers : space.options().layers) {
    text += fmt::format("; {}:", layers.layers);
    if (!layers.weight_bits.empty()) {
      text += fmt::format(" weights {}", fmt::join(layers.weight_bits, " "));
    }
    if (!layers.activation_bits.empty()) {
      text += fmt::format(" activations {}", fmt::join(layers.activation_bits, " "));
    }
  }
  for (const auto& group : space.options().ties) {
    text += fmt::format("; one width for {}", fmt::join(group, " "));
  }
  return text;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> campaign_provenance(
    const Campaign& campaign, const CampaignHardware& hardware, const BitSpace& space,
    const DeviceIdentity* identity,
    const std::vector<std::pair<std::string, std::string>>& accuracies) {
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
  from.emplace_back("settings", sha256_hex(campaign_key(campaign)));
  from.insert(from.end(), accuracies.begin(), accuracies.end());
  return from;
}

}  // namespace bittern
