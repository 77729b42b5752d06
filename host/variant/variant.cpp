#include "host/variant/variant.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <utility>

#include "host/base/error.h"
#include "host/base/yaml.h"
#include "host/base/zoo.h"

namespace bittern {
namespace {

/// An RTL parameter that a variant must give, or may when it is optional: then the RTL has a value.
struct Parameter {
  const char* name;
  std::int64_t low;
  std::int64_t high;
  bool power_of_two;
  bool optional = false;
};

/// Parameters of every top (docs/rtl.md). Eight ports of a kind at most: an event grows by up to 15
/// a cycle (4 bits), and the beats of all ports are one event.
const std::vector<Parameter>& shell_parameters() {
  static const std::vector<Parameter> parameters = {
      {"NumReadPorts", 1, 8, true},
      {"NumWritePorts", 1, 8, true},
      {"PortWidth", 64, 256, true},
      {"MaxBurstBeats", 1, 256, true},
  };
  return parameters;
}

/// What a core adds to the shell's parameters.
struct CoreRules {
  std::vector<Parameter> parameters;
  /// Rules between parameters; throws through variant.rtl's node.
  std::function<void(const Variant&, const YamlNode&)> check;
};

/// `units` results that leave together (`what`), as sums and as narrow as they can be, in whole
/// beats of all ports.
void check_results(const Variant& variant, const std::string& what, const std::string& units_text,
                   std::int64_t units, const YamlNode& node) {
  const std::int64_t beat = variant.parameter("PortWidth") * variant.parameter("NumWritePorts");
  const auto narrow = variant.rtl.find("MinResultBits");
  const std::int64_t least = narrow == variant.rtl.end() ? 32 : narrow->second;
  if (least == 16) node.fail("MinResultBits is 16, expected 2, 4, 8 or 32");
  for (const std::int64_t bits : {std::int64_t{32}, least}) {
    if (units * bits % beat == 0) continue;
    node.fail(fmt::format(
        "{} ({}*{} = {} bits) must be a whole number of beats "
        "(PortWidth*NumWritePorts = {} bits): make {} larger, or NumWritePorts smaller",
        what, units_text, bits, units * bits, beat, bits == 32 ? units_text : "MinResultBits"));
  }
}

void check_bismo(const Variant& variant, const YamlNode& node) {
  const std::int64_t lanes = variant.parameter("Dk") / variant.parameter("PortWidth");
  const std::int64_t ports = variant.parameter("NumReadPorts");
  if (variant.parameter("Dk") < variant.parameter("PortWidth")) {
    node.fail("Dk must be at least PortWidth: a word of the buffers is made of whole ports");
  }
  if (ports != lanes && ports != 2 * lanes) {
    node.fail(
        fmt::format("NumReadPorts is {}, expected Dk/PortWidth = {} (one fetch group) or {} "
                    "(LHS and RHS fetched concurrently)",
                    ports, lanes, 2 * lanes));
  }
  check_results(variant, "a result tile", "Dm*Dn",
                variant.parameter("Dm") * variant.parameter("Dn"), node);
}

void check_bitfusion(const Variant& variant, const YamlNode& node) {
  const std::int64_t n = variant.parameter("N");
  const std::int64_t m = variant.parameter("M");
  const std::int64_t lanes = variant.parameter("FetchLanes");
  const std::int64_t ports = variant.parameter("NumReadPorts");
  const std::int64_t fetch = lanes * variant.parameter("PortWidth");
  if (n * 32 % fetch != 0) {
    node.fail(
        fmt::format("a word of the input buffer (N*32 = {} bits) must be a whole number of fetch "
                    "words (FetchLanes*PortWidth = {} bits): make N larger, or FetchLanes smaller",
                    n * 32, fetch));
  }
  if (ports != lanes && ports != 2 * lanes) {
    node.fail(
        fmt::format("NumReadPorts is {}, expected FetchLanes = {} (one fetch group) or {} "
                    "(activations and weights fetched concurrently)",
                    ports, lanes, 2 * lanes));
  }
  check_results(variant, "an output word", "M", m, node);
}

void check_stripes(const Variant& variant, const YamlNode& node) {
  const std::int64_t filters = variant.parameter("Rows") * variant.parameter("Tiles");
  const std::int64_t columns = variant.parameter("Columns");
  const std::int64_t lanes = variant.parameter("Lanes");
  const std::int64_t fetch_lanes = variant.parameter("FetchLanes");
  const std::int64_t ports = variant.parameter("NumReadPorts");
  if (filters < 2) node.fail("Rows * Tiles must be at least 2");
  if (lanes > variant.parameter("PortWidth")) {
    node.fail("Lanes must be at most PortWidth: a port carries whole bricks");
  }
  if (ports != fetch_lanes && ports != 2 * fetch_lanes) {
    node.fail(
        fmt::format("NumReadPorts is {}, expected FetchLanes = {} (one fetch group) or {} "
                    "(activations and weights fetched concurrently)",
                    ports, fetch_lanes, 2 * fetch_lanes));
  }
  const std::int64_t word = fetch_lanes * variant.parameter("PortWidth");
  const std::int64_t serial = variant.parameter("Serial");
  const std::int64_t planes = variant.parameter("MaxBits");
  for (const auto& [rows, parallel] :
       {std::pair(columns, serial == 1), std::pair(filters, serial == 0)}) {
    if ((parallel ? planes : 1) * rows * lanes % word != 0) {
      node.fail(fmt::format(
          "{} of {} rows of {} lanes must be a whole number of fetch words "
          "(FetchLanes * PortWidth = {} bits)",
          parallel ? fmt::format("{} bit planes", planes) : "a bit plane", rows, lanes, word));
    }
  }
  check_results(variant, "a result tile", "Columns*Rows*Tiles", columns * filters, node);
}

const std::map<std::string, CoreRules>& cores() {
  static const std::map<std::string, CoreRules> rules = {
      {"bismo",
       {{{"Dm", 1, 64, true},
         {"Dk", 64, 1024, true},
         {"Dn", 1, 64, true},
         {"LhsDepth", 16, 65536, true},
         {"RhsDepth", 16, 65536, true},
         {"MinResultBits", 2, 32, true, true}},
        check_bismo}},
      {"stripes",
       {{{"Rows", 1, 256, true},
         {"Columns", 2, 64, true},
         {"Tiles", 1, 64, true},
         {"Lanes", 8, 256, true},
         {"Serial", 0, 2, false},
         {"MaxBits", 8, 16, true},
         {"LhsDepth", 16, 131072, true},
         {"RhsDepth", 16, 65536, true},
         {"FetchLanes", 1, 16, true},
         {"MinResultBits", 2, 32, true, true}},
        check_stripes}},
      {"bitfusion",
       {{{"N", 2, 64, true},
         {"M", 2, 64, true},
         {"IbufDepth", 2, 65536, true},
         {"WbufDepth", 2, 65536, true},
         {"ObufDepth", 4, 65536, true},
         {"FetchLanes", 1, 16, true},
         {"MinResultBits", 2, 32, true, true}},
        check_bitfusion}},
  };
  return rules;
}

bool power_of_two(std::int64_t value) { return value > 0 && (value & (value - 1)) == 0; }

void read_rtl(Variant& variant, const YamlNode& node) {
  const CoreRules& rules = cores().at(variant.core);
  std::vector<Parameter> parameters = shell_parameters();
  parameters.insert(parameters.end(), rules.parameters.begin(), rules.parameters.end());
  std::vector<std::string> names;
  for (const Parameter& parameter : parameters) names.emplace_back(parameter.name);
  const YamlMap map(node, names);
  for (const Parameter& parameter : parameters) {
    if (parameter.optional && !map.has(parameter.name)) continue;
    const std::int64_t value = map.integer(parameter.name, parameter.low, parameter.high);
    if (parameter.power_of_two && !power_of_two(value)) {
      map.at(parameter.name).fail(fmt::format("{} is not a power of two", value));
    }
    variant.rtl[parameter.name] = value;
  }
  const std::int64_t burst = variant.rtl["MaxBurstBeats"] * variant.rtl["PortWidth"] / 8;
  if (burst > 4096) {
    map.at("MaxBurstBeats")
        .fail(fmt::format("a burst of {} bytes; AXI allows 4096 (MaxBurstBeats * PortWidth / 8)",
                          burst));
  }
  rules.check(variant, node);
}

MemoryConfig read_memory(const YamlNode& node) {
  const YamlMap map(node, {"size_mib", "latency_cycles", "bytes_per_cycle", "outstanding"});
  MemoryConfig memory;
  // Addresses have 32 bits; the last page stays free so that "end" never wraps.
  memory.size_bytes = static_cast<std::uint64_t>(map.integer("size_mib", 1, 4095)) << 20;
  memory.latency_cycles = static_cast<int>(map.integer("latency_cycles", 1, 10000));
  memory.bytes_per_cycle = static_cast<int>(map.integer("bytes_per_cycle", 1, 256));
  memory.outstanding = static_cast<int>(map.integer("outstanding", 1, 64));
  return memory;
}

Synthesis read_synthesis(const YamlNode& node) {
  const YamlMap map(node, {"family", "part", "budget"});
  Synthesis synthesis;
  synthesis.family = map.choice("family", {"xc7", "xcu", "xcup"});
  synthesis.part = map.text("part");
  const YamlMap budget(map.at("budget"), {"LUT", "FF", "BRAM36", "DSP"});
  for (const char* key : {"LUT", "FF", "BRAM36", "DSP"}) {
    synthesis.budget[key] = budget.integer(key, 1, 100000000);
  }
  return synthesis;
}

}  // namespace

std::int64_t Variant::parameter(const std::string& key) const {
  const auto it = rtl.find(key);
  if (it != rtl.end()) return it->second;
  std::vector<std::string> names;
  for (const auto& [name_, value] : rtl) names.push_back(name_);
  fail("variant '{}' has no RTL parameter '{}'{}", name, key, suggestion(key, names));
}

std::int64_t Variant::lowering_choice(const std::string& key, std::int64_t fallback) const {
  const auto it = lowering.find(key);
  return it == lowering.end() ? fallback : it->second;
}

std::string Variant::key() const {
  std::string out = fmt::format("core={} batch={}", core, batch);
  for (const auto& [parameter_name, value] : rtl) {
    out += fmt::format(" rtl.{}={}", parameter_name, value);
  }
  out += fmt::format(" memory.size={} memory.latency={} memory.width={} memory.outstanding={}",
                     memory.size_bytes, memory.latency_cycles, memory.bytes_per_cycle,
                     memory.outstanding);
  for (const auto& [choice, value] : lowering) out += fmt::format(" lowering.{}={}", choice, value);
  return out;
}

Variant load_variant(const std::string& name_or_path) {
  const std::filesystem::path path = zoo_file("variants", name_or_path);
  const YamlMap map(YamlNode::load(path),
                    {"name", "core", "description", "clock_mhz", "batch", "axi_checks", "rtl",
                     "memory", "lowering", "energy", "synthesis"});
  Variant variant;
  variant.file = path;
  variant.name = map.text("name");
  if (variant.name != path.stem().string()) {
    map.at("name").fail("'" + variant.name + "' differs from the file's name '" +
                        path.stem().string() + "'");
  }
  // The name becomes part of file names, CMake targets and C++ identifiers.
  const auto good = [](unsigned char c) {
    return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '_';
  };
  if (std::islower(static_cast<unsigned char>(variant.name[0])) == 0 || variant.name.size() > 64 ||
      !std::all_of(variant.name.begin(), variant.name.end(), good)) {
    map.at("name").fail(
        "expected a lower-case letter and then at most 63 of a-z, 0-9 and '_', got '" +
        variant.name.substr(0, 70) + "'");
  }
  std::vector<std::string> core_names;
  for (const auto& [core, rules] : cores()) core_names.push_back(core);
  variant.core = map.choice("core", core_names);
  variant.description = map.text("description", "");
  variant.clock_mhz = map.real("clock_mhz", 0.001, 10000.0);
  variant.batch = static_cast<int>(map.integer("batch", 1, 4096));
  variant.axi_checks = map.boolean("axi_checks", false);
  read_rtl(variant, map.at("rtl"));
  variant.memory = read_memory(map.at("memory"));
  if (const auto lowering = map.find("lowering")) {
    const YamlMap choices(*lowering, {"depthwise_pack", "by_image", "requantise"});
    if (choices.has("depthwise_pack")) {
      variant.lowering["depthwise_pack"] = choices.integer("depthwise_pack", 1, 1024);
    }
    // Left out when false: what was measured without it keeps its key.
    if (choices.boolean("by_image", false)) variant.lowering["by_image"] = 1;
    if (choices.boolean("requantise", false)) variant.lowering["requantise"] = 1;
  }
  variant.energy = zoo_reference(map.at("energy"));
  if (const auto synthesis = map.find("synthesis")) variant.synthesis = read_synthesis(*synthesis);
  return variant;
}

std::vector<std::string> variant_names() { return zoo_names("variants"); }

}  // namespace bittern
