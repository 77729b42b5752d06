#include <algorithm>
#include <utility>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/hash.h"
#include "host/base/yaml.h"
#include "host/base/zoo.h"
#include "host/energy/energy.h"

namespace bittern {
namespace {

/// Reads unit, technology, source and basis, which every number carries, and the value when the
/// mapping has one.
Sourced read_sourced(const YamlMap& map, const std::string& unit, bool has_value) {
  Sourced out;
  out.unit = map.choice("unit", {unit});
  if (has_value) out.value = map.real("value", 0.0, 1e6);
  out.technology = map.text("technology");
  out.source = map.text("source");
  const std::string basis =
      map.choice("basis", {"measured", "derived", "calibrated", "upper_bound", "assumption"});
  for (Basis one : {Basis::kMeasured, Basis::kDerived, Basis::kCalibrated, Basis::kUpperBound,
                    Basis::kAssumption}) {
    if (basis == basis_name(one)) out.basis = one;
  }
  return out;
}

std::vector<std::string> read_factors(const YamlNode& node) {
  std::vector<std::string> out;
  for (const YamlNode& item : node.items(1, 8)) out.push_back(item.text());
  return out;
}

EnergyEvent read_event(const YamlNode& node) {
  const YamlMap map(node, {"part", "event", "times", "value", "sram", "bits", "unit", "technology",
                           "source", "basis"});
  EnergyEvent event;
  event.part = map.text("part");
  event.event = map.text("event");
  if (const auto times = map.find("times")) event.times = read_factors(*times);
  const bool sram = map.has("sram");
  if (!sram) {
    if (map.has("bits")) map.at("bits").fail("only used with sram:");
    event.number = read_sourced(map, "pJ", true);
    return event;
  }
  for (const char* key : {"value", "unit", "technology", "source", "basis"}) {
    if (map.has(key)) map.at(key).fail("with sram: the number comes from the curve");
  }
  event.sram_write = map.choice("sram", {"read", "write"}) == "write";
  event.sram_bits = read_factors(map.at("bits"));
  return event;
}

void read_sram(EnergyTable& table, const YamlNode& node) {
  const YamlMap map(node, {"unit", "technology", "source", "basis", "points"});
  table.sram_source = read_sourced(map, "pJ/bit", false);
  for (const YamlNode& item : map.at("points").items(2, 64)) {
    const YamlMap point(item, {"bytes", "read", "write"});
    SramPoint out;
    out.bytes = static_cast<std::uint64_t>(point.integer("bytes", 1, std::int64_t{1} << 40));
    out.read_pj_per_bit = point.real("read", 1e-9, 1e6);
    out.write_pj_per_bit = point.real("write", 1e-9, 1e6);
    if (!table.sram.empty() && table.sram.back().bytes >= out.bytes) {
      item.fail("sizes must ascend");
    }
    table.sram.push_back(out);
  }
}

void read_dram(EnergyTable& table, const YamlNode& node) {
  const auto anchors = node.items(2, 2);
  for (std::size_t i = 0; i < 2; ++i) {
    const YamlMap map(anchors[i], {"name", "value", "unit", "technology", "source", "basis"});
    table.dram[i].name = map.text("name");
    table.dram[i].number = read_sourced(map, "pJ/bit", true);
  }
  if (table.dram[0].number.value > table.dram[1].number.value) {
    node.fail("the lower of the two anchors comes first");
  }
}

}  // namespace

EnergyTable load_energy_table(const std::string& name_or_path) {
  const std::filesystem::path path = zoo_file("energy", name_or_path);
  EnergyTable table;
  table.hash = sha256_hex(read_file(path));
  const YamlMap map(YamlNode::load(path),
                    {"name", "description", "static", "dram", "sram", "cores"});
  table.name = file_name_of(map.at("name"));
  if (table.name != path.stem().string()) {
    map.at("name").fail("'" + table.name + "' differs from the file's name '" +
                        path.stem().string() + "'");
  }
  table.description = map.text("description", "");
  const YamlMap power(map.at("static"), {"value", "unit", "technology", "source", "basis"});
  table.static_power = read_sourced(power, "W", true);
  read_dram(table, map.at("dram"));
  if (const auto sram = map.find("sram")) read_sram(table, *sram);
  for (const auto& [core, node] : map.at("cores").entries(1, 16)) {
    for (const YamlNode& item : node.items(1, 64)) {
      EnergyEvent event = read_event(item);
      if (!event.sram_bits.empty() && table.sram.empty()) {
        item.fail("uses the SRAM curve, but the table has no sram:");
      }
      if (!event.sram_bits.empty()) event.number = table.sram_source;
      table.cores[core].push_back(std::move(event));
    }
  }
  return table;
}

std::vector<std::string> energy_table_names() { return zoo_names("energy"); }

}  // namespace bittern
