#include "host/variant/variant.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "host/base/error.h"
#include "host/base/yaml.h"
#include "host/base/zoo.h"

namespace bittern {
namespace {

void read_rtl(Variant& variant, const YamlNode& node, const VariantRules& rules) {
  std::vector<std::string> names;
  const std::vector<ParameterRule> parameters = rules.all_parameters();
  for (const ParameterRule& parameter : parameters) names.emplace_back(parameter.name);
  const YamlMap map(node, names);
  for (const ParameterRule& parameter : parameters) {
    if (parameter.optional && !map.has(parameter.name)) continue;
    const std::int64_t value = map.integer(parameter.name, parameter.low, parameter.high);
    if (!parameter.allows(value)) {
      map.at(parameter.name).fail(fmt::format("{} is not a power of two", value));
    }
    variant.rtl[parameter.name] = value;
  }
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

Variant read_variant(const std::string& name_or_path, const std::vector<VariantRules>& cores) {
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
  for (const VariantRules& rules : cores) core_names.push_back(rules.core);
  variant.core = map.choice("core", core_names);
  const auto rules = std::find_if(cores.begin(), cores.end(), [&](const VariantRules& each) {
    return each.core == variant.core;
  });
  variant.description = map.text("description", "");
  variant.clock_mhz = map.real("clock_mhz", 0.001, 10000.0);
  variant.batch = static_cast<int>(map.integer("batch", 1, 4096));
  variant.axi_checks = map.boolean("axi_checks", false);
  read_rtl(variant, map.at("rtl"), *rules);
  variant.memory = read_memory(map.at("memory"));
  if (const auto lowering = map.find("lowering")) {
    const YamlMap choices(*lowering, {"depthwise_pack", "by_image", "requantise"});
    if (choices.has("depthwise_pack")) {
      variant.lowering["depthwise_pack"] = choices.integer("depthwise_pack", 1, kMostDepthwisePack);
    }
    // Left out when false: what was measured without it keeps its key.
    if (choices.boolean("by_image", false)) variant.lowering["by_image"] = 1;
    if (choices.boolean("requantise", false)) variant.lowering["requantise"] = 1;
  }
  try {
    rules->check_together(variant);
  } catch (const Error& error) {
    map.at("rtl").fail(error.what());
  }
  variant.energy = zoo_reference("energy", map.at("energy"));
  if (const auto synthesis = map.find("synthesis")) variant.synthesis = read_synthesis(*synthesis);
  return variant;
}

std::vector<std::string> variant_names() { return zoo_names("variants"); }

}  // namespace bittern
