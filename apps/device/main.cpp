// bittern-device-<variant>: the simulated device of one variant behind the device protocol.
//
// The options are those of every device (host/protocol/device_arguments.h). --variant gives the
// memory model and the clock; without it the shipped file of the variant is used. The RTL
// parameters in the file must be the ones that the executable was built with.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "host/base/error.h"
#include "host/base/log.h"
#include "host/base/text.h"
#include "host/base/version.h"
#include "host/protocol/server.h"
#include "host/variant/variant.h"
#include "sim/build_info.h"
#include "sim/simulated_device.h"

namespace {

using bittern::Variant;
using bittern::sim::BuildInfo;

/// Any values of the parameters that this executable has: which ones they must be, it says itself.
bittern::VariantRules rules_of(const BuildInfo& info) {
  bittern::VariantRules rules{info.core, {}, {}};
  const std::vector<bittern::ParameterRule> shell = rules.all_parameters();
  for (const auto& [name, value] : info.parameters) {
    const auto known = [&name = name](const bittern::ParameterRule& rule) {
      return rule.name == name;
    };
    if (std::any_of(shell.begin(), shell.end(), known)) continue;
    rules.parameters.push_back({name.c_str(), 0, std::numeric_limits<int>::max(), false});
  }
  return rules;
}

void check_variant(const Variant& variant, const BuildInfo& info) {
  if (variant.core != info.core) {
    bittern::fail("{}: core {}, but this executable simulates variant {} with core {}",
                  variant.file.string(), variant.core, info.variant, info.core);
  }
  for (const auto& [name, value] : info.parameters) {
    const auto found = variant.rtl.find(name);
    if (found == variant.rtl.end() || found->second != value) {
      bittern::fail(
          "{}: rtl.{} is {}, but this executable was built with {}: build again, or use the "
          "executable of that variant",
          variant.file.string(), name,
          found == variant.rtl.end() ? "missing" : std::to_string(found->second), value);
    }
  }
}

int run(int argc, char** argv) {
  const bittern::DeviceArguments arguments = bittern::DeviceArguments::parse(argc, argv);
  if (arguments.help) {
    std::fputs(arguments.help_text().c_str(), stdout);
    return 0;
  }
  bittern::start_logging(arguments.log_level);
  const BuildInfo& info = bittern::sim::build_info();
  const Variant variant = bittern::read_variant(
      arguments.variant.empty() ? info.variant : arguments.variant, {rules_of(info)});
  check_variant(variant, info);

  bittern::sim::MemoryTiming timing;
  timing.size_bytes = variant.memory.size_bytes;
  timing.latency = static_cast<std::uint32_t>(variant.memory.latency_cycles);
  timing.bytes_per_cycle = static_cast<std::uint32_t>(variant.memory.bytes_per_cycle);
  timing.outstanding = static_cast<std::uint32_t>(variant.memory.outstanding);
  bittern::sim::SimulatedDevice device(bittern::sim::make_systemc_top(timing, variant.clock_mhz),
                                       info);
  spdlog::debug("device {}: RTL {}, {}", info.variant, info.rtl_hash, info.verilator);
  return bittern::device_main(arguments, device);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2 && std::string(argv[1]) == "--version") {
    const std::string name = "bittern-device-" + bittern::sim::build_info().variant;
    // Which hardware it is, says its RTL hash: no revision of the sources.
    std::printf("%s %s (%s), RTL %s, %s\n", name.c_str(), bittern::version().c_str(),
                bittern::build_description().c_str(), bittern::sim::build_info().rtl_hash.c_str(),
                bittern::sim::build_info().verilator.c_str());
    return std::fflush(stdout) == 0 ? 0 : 1;
  }
  try {
    return run(argc, argv);
  } catch (const bittern::Error& error) {
    std::fprintf(stderr, "bittern-device: %s\n", bittern::printable_lines(error.what()).c_str());
    return static_cast<int>(error.status());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bittern-device: unexpected: %s\n",
                 bittern::printable_lines(error.what()).c_str());
    return 1;
  }
}
