#include "host/energy/energy.h"

#include <algorithm>
#include <cmath>

#include "host/base/error.h"
#include "host/base/yaml.h"

namespace bittern {
namespace {

constexpr double kPico = 1e-12;

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

double product(const std::vector<std::string>& factors, const Variant& variant) {
  double out = 1.0;
  for (const std::string& factor : factors) {
    out *= is_number(factor) ? std::stod(factor) : static_cast<double>(variant.parameter(factor));
  }
  return out;
}

std::uint64_t count_of(const EnergyEvent& event, const RunCounts& counts,
                       const EnergyTable& table) {
  if (event.event == "cycles") return counts.cycles;
  const auto it = counts.events.find(event.event);
  if (it != counts.events.end()) return it->second;
  std::vector<std::string> names;
  for (const auto& [name, count] : counts.events) names.push_back(name);
  fail("energy table '{}' charges for event '{}', which was not counted{}", table.name, event.event,
       suggestion(event.event, names));
}

}  // namespace

const char* basis_name(Basis basis) {
  switch (basis) {
    case Basis::kMeasured:
      return "measured";
    case Basis::kDerived:
      return "derived";
    case Basis::kCalibrated:
      return "calibrated";
    case Basis::kUpperBound:
      return "upper_bound";
    case Basis::kAssumption:
      return "assumption";
  }
  return "unknown";
}

double Energy::on_chip_j() const {
  double sum = 0.0;
  for (const EnergyPart& part : parts) sum += part.joules;
  return sum;
}

double sram_pj_per_bit(const EnergyTable& table, std::uint64_t bytes, bool write) {
  const auto value = [write](const SramPoint& point) {
    return write ? point.write_pj_per_bit : point.read_pj_per_bit;
  };
  if (table.sram.empty() || bytes > table.sram.back().bytes) {
    fail("energy table '{}': its SRAM curve does not reach a memory of {} bytes; add points to it",
         table.name, bytes);
  }
  const auto above = std::find_if(table.sram.begin(), table.sram.end(),
                                  [bytes](const SramPoint& point) { return point.bytes >= bytes; });
  if (above->bytes == bytes || above == table.sram.begin()) return value(*above);
  const SramPoint& below = *(above - 1);
  const double position =
      std::log(static_cast<double>(bytes) / static_cast<double>(below.bytes)) /
      std::log(static_cast<double>(above->bytes) / static_cast<double>(below.bytes));
  return value(below) * std::pow(value(*above) / value(below), position);
}

Energy energy_of(const RunCounts& counts, const EnergyTable& table, const Variant& variant) {
  const auto core = table.cores.find(variant.core);
  if (core == table.cores.end()) {
    fail("energy table '{}' says nothing about core '{}' (of variant '{}')", table.name,
         variant.core, variant.name);
  }
  Energy energy;
  for (const EnergyEvent& event : core->second) {
    double pj = event.number.value;
    if (!event.sram_bits.empty()) {
      const double bytes = product(event.sram_bits, variant) / 8.0;
      pj = sram_pj_per_bit(table, static_cast<std::uint64_t>(bytes), event.sram_write);
    }
    const double joules = static_cast<double>(count_of(event, counts, table)) *
                          product(event.times, variant) * pj * kPico;
    const auto part =
        std::find_if(energy.parts.begin(), energy.parts.end(),
                     [&event](const EnergyPart& known) { return known.part == event.part; });
    if (part == energy.parts.end()) {
      energy.parts.push_back({event.part, joules});
    } else {
      part->joules += joules;
    }
  }
  energy.parts.push_back({"static", table.static_power.value * variant.seconds(counts.cycles)});
  const double bits =
      8.0 * (static_cast<double>(counts.bytes_read) + static_cast<double>(counts.bytes_written));
  for (std::size_t i = 0; i < table.dram.size(); ++i) {
    energy.dram_j[i] = bits * table.dram[i].number.value * kPico;
  }
  return energy;
}

}  // namespace bittern
