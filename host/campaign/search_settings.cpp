#include "host/campaign/search_settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>

#include "host/base/error.h"
#include "host/network/passes/joined_layers.h"

namespace bittern {
namespace {

/// Bits whose cost an operand has that stays in floating point.
constexpr int kFloatCost = 8;

/// Widths from min_bits to max_bits that the hardware runs as they are. One that it rounds up costs
/// what the wider one costs and computes less exactly, so there is nothing in it for a search. A
/// table says itself what its hardware can do: the widths of its rows.
std::vector<int> searched_widths(const Campaign& campaign, const CampaignHardware& hardware,
                                 int BitPair::*operand) {
  const SearchSettings& s = campaign.search;
  const std::vector<int> in_table =
      hardware.table ? hardware.table->widths(operand) : std::vector<int>();
  std::vector<int> widths;
  for (int b = s.min_bits; b <= s.max_bits; ++b) {
    const bool there = hardware.table
                           ? std::find(in_table.begin(), in_table.end(), b) != in_table.end()
                           : hardware.runs({b, b}).*operand == b;
    if (there) widths.push_back(b);
  }
  if (!widths.empty()) return widths;
  if (hardware.table) {
    fail_usage(
        "search: min_bits {} to max_bits {}: {} has no such {} bits for network {}; it has {}",
        s.min_bits, s.max_bits, campaign.table,
        operand == &BitPair::weight ? "weight" : "activation", hardware.table->network().name,
        in_table.empty() ? "no row for any of its layers"
                         : fmt::format("{}", fmt::join(in_table, " ")));
  }
  fail_usage("search: min_bits {} to max_bits {}: {} (core {}) rounds them all up to {} bits",
             s.min_bits, s.max_bits, hardware.name, hardware.variant->core,
             hardware.runs({s.max_bits, s.max_bits}).*operand);
}

/// What is given for single layers has to run as it is, too.
void check_layer_bits(const LayerBits& entry, const CampaignHardware& hardware) {
  for (const int bits : entry.weight_bits) {
    const int runs = hardware.runs({bits, 8}).weight;
    if (runs == bits) continue;
    fail_usage("search: bits for layers \"{}\": {} runs {} weight bits as {}; name that one",
               entry.layers, hardware.name, bits, runs);
  }
  for (const int bits : entry.activation_bits) {
    const int runs = hardware.runs({8, bits}).activation;
    if (runs == bits) continue;
    fail_usage("search: bits for layers \"{}\": {} runs {} activation bits as {}; name that one",
               entry.layers, hardware.name, bits, runs);
  }
}

}  // namespace

SearchOptions search_options(const Campaign& campaign, const CampaignHardware& hardware,
                             const Network& network) {
  const SearchSettings& s = campaign.search;
  for (const LayerBits& entry : s.bits) check_layer_bits(entry, hardware);
  const int fixed = s.fixed.value_or(kFloatCost);
  if (const BitPair runs = hardware.runs({fixed, fixed});
      (s.mode == "w" && runs.activation != fixed) || (s.mode == "a" && runs.weight != fixed)) {
    fail_usage("search: fixed: {} runs {} bits as {}/{}; name one that it has", hardware.name,
               fixed, runs.weight, runs.activation);
  }
  SearchOptions out;
  out.bits.mode = parse_bit_mode(s.mode);
  out.bits.fixed = {fixed, fixed};
  out.bits.weight_bits = searched_widths(campaign, hardware, &BitPair::weight);
  out.bits.activation_bits = searched_widths(campaign, hardware, &BitPair::activation);
  out.bits.pin_first_last = s.pin_first_last;
  out.bits.layers = s.bits;
  out.bits.ties = s.ties;
  for (const std::string& join : s.tied_inputs_of) {
    const auto groups = joined_layers(network.graph, join == "add" ? Op::kAdd : Op::kConcat);
    if (groups.empty()) {
      fail_usage("search: tie: network {} has no {} of two layers", network.name, join);
    }
    for (const auto& group : groups) {
      out.bits.ties.emplace_back();
      for (const std::size_t layer : group) {
        out.bits.ties.back().push_back(network.layers[layer].name);
      }
    }
  }
  out.wall.mode = parse_wall_mode(s.wall);
  out.wall.epsilon = s.must_pay_share;
  out.reward.accuracy_floor = s.accuracy_floor;
  out.reward.goal = parse_goal(s.goal);
  out.reward.accuracy_weight = s.accuracy_weight;
  out.reward.scale = s.lambda;
  return out;
}

std::vector<Constraint> search_constraints(const Campaign& campaign) {
  std::vector<Constraint> constraints;
  for (const auto& c : campaign.constraints) {
    constraints.push_back({parse_resource(c.resource), c.is_ratio, c.limit});
  }
  return constraints;
}

}  // namespace bittern
