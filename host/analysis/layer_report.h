#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "host/cost/cost.h"
#include "host/cost/cost_models.h"

namespace bittern {

/// What is shown of a measured layer, or of their sum. For the whole batch of the variant.
struct LayerReport : Cost {
  std::string name;
  BitPair bits;      ///< that were asked for
  BitPair run_bits;  ///< that ran: Core::supported()
  std::int64_t macs = 0;
  /// That the largest sums of the layer need at the bits that ran (SumRange::bits()); of a sum of
  /// layers the most of them.
  int sum_bits = 0;
  std::uint64_t cycles = 0;
  /// Cycles that the array would take at these bits if it never waited and every unit had work.
  double ideal_cycles = 0.0;
  /// Core::cycle_split() in cycles, or "run" and "stall" of a published model; then "other".
  std::vector<std::pair<std::string, std::uint64_t>> split;
  std::uint64_t bytes_read = 0;  ///< of device memory, instructions included
  std::uint64_t bytes_written = 0;
  /// Of the data port that read most, and of the one that wrote most: ports work side by side.
  std::uint64_t port_bytes_read = 0;
  std::uint64_t port_bytes_written = 0;
  Origin origin = Origin::kRtl;
  /// Endpoint of the device that ran it, when that was no process of ours; of a sum: of any of
  /// them.
  std::string remote;
  /// Counters by the names of the register map, or what a model says in their place.
  std::map<std::string, std::uint64_t> events;
  std::string schedule;
  std::string key;

  double macs_per_cycle() const;
  /// MACs per cycle as a share of the array's peak at these bits, 0 to 1.
  double utilisation() const;
  /// Part of the split as a share of the cycles, 0 to 1.
  double share(std::size_t part) const;
};

/// Report of a layer. Throws Error when an event of the split was not counted, or when 64 bits
/// cannot count something.
LayerReport report_layer(const Layer& layer, BitPair bits, const Measurement& measurement,
                         const Core& core, const Variant& variant, const EnergyTable& energy);

/// "2 of 5 layers were measured on devices elsewhere: tcp:board:4000", a line; empty when none was.
std::string remote_note(const std::vector<LayerReport>& layers);

/// Sum of layers of one variant; bits are 0. Called "total", or so that no layer has the name.
LayerReport total_report(const std::vector<LayerReport>& layers);

}  // namespace bittern
