#include "host/variant/rules.h"

#include <iterator>

#include "host/base/error.h"
#include "host/base/text.h"
#include "host/variant/variant.h"

namespace bittern {
namespace {

/// Parameters of every top (docs/rtl.md). Eight ports of a kind at most: an event grows by up to 15
/// a cycle (4 bits), and the beats of all ports are one event.
constexpr ParameterRule kShell[] = {
    {"NumReadPorts", 1, 8, true},
    {"NumWritePorts", 1, 8, true},
    {"PortWidth", 64, 256, true},
    {"MaxBurstBeats", 1, 256, true},
};

/// Of an AXI burst.
constexpr std::int64_t kMostBurstBytes = 4096;

}  // namespace

bool ParameterRule::allows(std::int64_t value) const {
  return value >= low && value <= high && (!power_of_two || (value & (value - 1)) == 0);
}

std::vector<ParameterRule> VariantRules::all_parameters() const {
  std::vector<ParameterRule> all(std::begin(kShell), std::end(kShell));
  all.insert(all.end(), parameters.begin(), parameters.end());
  return all;
}

void VariantRules::check_together(const Variant& variant) const {
  const std::int64_t burst =
      variant.parameter("MaxBurstBeats") * variant.parameter("PortWidth") / 8;
  if (burst > kMostBurstBytes) {
    fail_usage("a burst of {} bytes; AXI allows {}: make MaxBurstBeats smaller", burst,
               kMostBurstBytes);
  }
  if (check_core) check_core(variant);
  const std::int64_t width = variant.parameter("PortWidth");
  if (width != 64 && width != 256) {
    fail_usage("PortWidth is {}, expected 64 or 256: the widths of the simulated memory ports",
               width);
  }
}

void VariantRules::check(const Variant& variant) const {
  for (const ParameterRule& rule : all_parameters()) {
    if (rule.optional && variant.rtl.count(rule.name) == 0) continue;
    const std::int64_t value = variant.parameter(rule.name);
    if (rule.allows(value)) continue;
    fail_usage("variant {}: rtl.{} is {}, expected {}{} to {}; correct {}", variant.name, rule.name,
               value, rule.power_of_two ? "a power of two, " : "", rule.low, rule.high,
               variant.file.empty() ? "the variant" : variant.file.string());
  }
  const std::int64_t pack = variant.lowering_choice("depthwise_pack", 1);
  if (pack < 1 || pack > kMostDepthwisePack) {
    fail_usage("variant {}: lowering.depthwise_pack is {}, expected 1 to {}", variant.name, pack,
               kMostDepthwisePack);
  }
  try {
    check_together(variant);
  } catch (const Error& error) {
    fail_usage("variant {}: {}", variant.name, error.what());
  }
}

void check_results(const Variant& variant, const std::string& what, const std::string& units_text,
                   std::int64_t units) {
  const std::int64_t beat = variant.parameter("PortWidth") * variant.parameter("NumWritePorts");
  const auto narrow = variant.rtl.find("MinResultBits");
  const std::int64_t least = narrow == variant.rtl.end() ? 32 : narrow->second;
  if (least == 16) fail_usage("MinResultBits is 16, expected 2, 4, 8 or 32");
  for (const std::int64_t bits : {std::int64_t{32}, least}) {
    if (units * bits % beat == 0) continue;
    fail_usage(
        "{} ({}*{} = {} bits) must be a whole number of beats (PortWidth*NumWritePorts = {} bits): "
        "make {} larger, or NumWritePorts smaller",
        what, units_text, bits, units * bits, beat, bits == 32 ? units_text : "MinResultBits");
  }
  if (least == 32 && variant.lowering_choice("requantise", 0) != 0) {
    fail_usage("lowering.requantise needs write ports that can: give rtl.MinResultBits 2, 4 or 8");
  }
}

void check_read_ports(const Variant& variant, const std::string& lanes_text, std::int64_t lanes,
                      const std::string& both) {
  const std::int64_t ports = variant.parameter("NumReadPorts");
  if (ports != lanes && ports != 2 * lanes) {
    fail_usage(
        "NumReadPorts is {}, expected {} = {} (one fetch group) or {} ({} fetched "
        "concurrently)",
        ports, lanes_text, lanes, 2 * lanes, both);
  }
}

}  // namespace bittern
