#include "host/analysis/layer_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "host/base/checked.h"
#include "host/base/error.h"
#include "host/integer/sum_range.h"
#include "host/network/layer_name.h"
#include "host/run/cycle_split.h"

namespace bittern {
namespace {

/// Bytes of the data port that moved most. A closed form that does not tell ports apart has none of
/// these events: its `bytes` count as spread evenly.
std::uint64_t busiest_port(const Measurement& measurement, const std::string& event,
                           std::uint64_t bytes, const char* ports, const Variant& variant) {
  const std::int64_t count = variant.parameter(ports);
  const std::uint64_t beat = static_cast<std::uint64_t>(variant.parameter("PortWidth")) / 8;
  std::uint64_t most = 0;
  bool counted = false;
  for (std::int64_t port = 0; port < count; ++port) {
    const auto found = measurement.events.find(fmt::format("{}[{}]", event, port));
    if (found == measurement.events.end()) continue;
    counted = true;
    most = std::max(most, found->second * beat);
  }
  return counted ? most : bytes / static_cast<std::uint64_t>(count);
}

}  // namespace

double LayerReport::macs_per_cycle() const {
  return cycles == 0 ? 0.0 : static_cast<double>(macs) / static_cast<double>(cycles);
}

double LayerReport::utilisation() const {
  return cycles == 0 ? 0.0 : ideal_cycles / static_cast<double>(cycles);
}

double LayerReport::share(std::size_t part) const {
  return cycles == 0 ? 0.0 : static_cast<double>(split[part].second) / static_cast<double>(cycles);
}

LayerReport report_layer(const Layer& layer, BitPair bits, const Measurement& measurement,
                         const Core& core, const Variant& variant, const EnergyTable& energy) {
  const LutRow row = lut_row(layer, bits, measurement, variant, energy);
  LayerReport report;
  report.name = layer.name;
  report.bits = bits;
  report.run_bits = core.supported(bits);
  const std::string what = "multiply-accumulates of layer " + layer.name;
  report.macs = checked_product(layer.macs(), std::int64_t{variant.batch}, what.c_str());
  report.sum_bits =
      sum_range(layer, {report.run_bits, /*weight_signed=*/true, layer.signed_input}).bits();
  report.cycles = row.cycles;
  report.latency_s = row.latency_s;
  report.ideal_cycles =
      static_cast<double>(report.macs) / core.peak_macs_per_cycle(report.run_bits);
  std::uint64_t known = 0;
  const bool published = measurement.origin == Origin::kPublished;
  const std::vector<std::pair<std::string, std::string>> split =
      published ? std::vector<std::pair<std::string, std::string>>{{"run", kPublishedRun},
                                                                   {"stall", kPublishedStall}}
                : core.cycle_split();
  for (const auto& [heading, event] : split) {
    const auto found = measurement.events.find(event);
    if (found == measurement.events.end()) {
      fail("layer {}: event '{}' was not counted", layer.name, event);
    }
    report.split.emplace_back(heading, found->second);
    known += found->second;
  }
  if (known > row.cycles) {
    fail("layer {}: the array's events add up to {} of {} cycles; they may not overlap", layer.name,
         known, row.cycles);
  }
  report.split.emplace_back("other", row.cycles - known);
  report.bytes_read = row.bytes_read;
  report.bytes_written = row.bytes_written;
  report.port_bytes_read =
      busiest_port(measurement, "read_port_beats", row.bytes_read, "NumReadPorts", variant);
  report.port_bytes_written =
      busiest_port(measurement, "write_port_beats", row.bytes_written, "NumWritePorts", variant);
  report.energy_j = row.energy_j;
  report.energy_high_j = row.energy_high_j;
  report.origin = row.origin;
  report.remote = measurement.remote;
  report.events = measurement.events;
  report.schedule = row.schedule;
  report.key = row.key;
  return report;
}

std::string remote_note(const std::vector<LayerReport>& layers) {
  std::set<std::string> endpoints;
  std::size_t count = 0;
  for (const LayerReport& layer : layers) {
    if (layer.remote.empty()) continue;
    ++count;
    endpoints.insert(layer.remote);
  }
  if (count == 0) return {};
  return fmt::format("{} of {} layers were measured on devices elsewhere: {}.\n", count,
                     layers.size(), fmt::join(endpoints, ", "));
}

LayerReport total_report(const std::vector<LayerReport>& layers) {
  LayerReport sum;
  std::vector<std::string> names;
  for (const LayerReport& layer : layers) names.push_back(layer.name);
  sum.name = sum_row_name(names);
  sum.bits = sum.run_bits = {0, 0};
  if (layers.empty()) return sum;
  sum.split = layers.front().split;
  for (auto& [heading, cycles] : sum.split) cycles = 0;
  sum.origin = layers.front().origin;
  for (const LayerReport& layer : layers) {
    checked_add(sum.macs, layer.macs, "multiply-accumulates of all layers");
    checked_add(sum.cycles, layer.cycles, "cycles of all layers");
    sum.sum_bits = std::max(sum.sum_bits, layer.sum_bits);
    sum += layer;
    sum.ideal_cycles += layer.ideal_cycles;
    for (std::size_t i = 0; i < sum.split.size(); ++i) sum.split[i].second += layer.split[i].second;
    for (const auto& [event, count] : layer.events) sum.events[event] += count;
    checked_add(sum.bytes_read, layer.bytes_read, "bytes read by all layers");
    checked_add(sum.bytes_written, layer.bytes_written, "bytes written by all layers");
    sum.port_bytes_read += layer.port_bytes_read;
    sum.port_bytes_written += layer.port_bytes_written;
    sum.origin = std::max(sum.origin, layer.origin);
    if (sum.remote.empty()) sum.remote = layer.remote;
  }
  return sum;
}

}  // namespace bittern
