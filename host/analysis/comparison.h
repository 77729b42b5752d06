#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "host/analysis/measured_layers.h"
#include "host/analysis/roofline.h"
#include "host/network/network.h"

namespace bittern {

/// A policy with the name that it has in a comparison. One that is called like a variant was made
/// for that variant.
struct NamedPolicy {
  std::string name;
  Policy policy;  ///< all layers of the network
};

/// What a layer, or a sum, costs for one image: variants have batches of their own, so this is what
/// can be compared. With a batch above 1 it is the batch's cost divided by the images in it; no
/// image is ready earlier than its batch.
Cost image_cost(const LayerReport& report, int batch);

/// A policy on a variant.
struct ComparedPolicy {
  std::vector<LayerReport> layers;
  LayerReport total;
  std::vector<RooflinePoint> roofline;  ///< of the layers
  RooflinePoint total_roofline;
};

/// A variant with all policies of the comparison.
struct ComparedVariant {
  Variant variant;
  EnergyTable energy;
  std::string rtl_hash;       ///< empty for the closed form
  std::string store;          ///< file; empty when none was used
  std::size_t simulated = 0;  ///< layers that ran on a device now
  std::size_t recalled = 0;   ///< answers from the store
  std::vector<ComparedPolicy> policies;
};

/// Policies on variants, layer by layer.
struct Comparison {
  Network network;
  std::vector<std::size_t> layers;  ///< indices of those that were compared
  std::vector<NamedPolicy> policies;
  std::vector<ComparedVariant> variants;

  /// Headings of the variants' cycle splits, each once, "other" last.
  std::vector<std::string> split_headings() const;
};

/// A policy on a variant in the transfer matrix: the cost for one image.
struct Transfer : Cost {
  Origin origin = Origin::kRtl;
  /// Latency as a multiple of that of the policy made for this variant; none when there is no such
  /// policy.
  std::optional<double> penalty;
};

/// How well policies made for one machine do on the others (HAQ, CVPR 2019, Table 1): a row for
/// every policy, a column for every variant.
std::vector<std::vector<Transfer>> transfer_matrix(const Comparison& comparison);

/// A variant and its energy table.
struct ComparisonVariant {
  Variant variant;
  EnergyTable energy;
};

/// Measures every policy on every variant, one variant after the other; points that policies share
/// are measured once. `layers` are indices into the network. Throws Error (exit status 2) when
/// there is no policy, layer or variant, a name comes twice, or a policy does not have the
/// network's number of layers; otherwise as measure_layers does.
Comparison compare(Network network, std::vector<std::size_t> layers,
                   std::vector<NamedPolicy> policies,
                   const std::vector<ComparisonVariant>& variants, const LayerSource& source);

}  // namespace bittern
