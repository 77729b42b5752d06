#include "host/analysis/comparison.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <tuple>
#include <utility>

#include "host/base/error.h"
#include "host/cores/cores.h"

namespace bittern {
namespace {

constexpr const char* kOther = "other";

void check(const Network& network, const std::vector<std::size_t>& layers,
           const std::vector<NamedPolicy>& policies,
           const std::vector<ComparisonVariant>& variants) {
  if (variants.empty()) fail_usage("nothing to compare: no variants");
  if (policies.empty()) fail_usage("nothing to compare: no policies");
  if (layers.empty()) fail_usage("nothing to compare: no layers");
  std::set<std::string> names;
  for (const ComparisonVariant& v : variants) {
    if (!names.insert(v.variant.name).second) {
      fail_usage("variant {} is given twice", v.variant.name);
    }
  }
  names.clear();
  for (const NamedPolicy& policy : policies) {
    if (!names.insert(policy.name).second) {
      fail_usage("two policies are called '{}'; name them: --policy name=file", policy.name);
    }
    if (policy.policy.size() != network.layers.size()) {
      fail_usage("policy {} has {} layers, network {} has {}", policy.name, policy.policy.size(),
                 network.name, network.layers.size());
    }
  }
  for (const std::size_t layer : layers) {
    if (layer >= network.layers.size()) {
      fail_usage("layer {}: network {} has {} layers", layer, network.name, network.layers.size());
    }
  }
}

/// Bits that one of the variants cannot run are told before anything is simulated on another.
void check_bits(const Network& network, const std::vector<std::size_t>& layers,
                const std::vector<NamedPolicy>& policies,
                const std::vector<ComparisonVariant>& variants) {
  for (const ComparisonVariant& on : variants) {
    const std::unique_ptr<Core> core = make_core(on.variant);
    for (const NamedPolicy& policy : policies) {
      for (const std::size_t layer : layers) {
        network_job(*core, on.variant, network.layers[layer], policy.policy[layer]);
      }
    }
  }
}

ComparedPolicy compared_policy(std::vector<LayerReport> layers, const Variant& variant) {
  ComparedPolicy result;
  result.layers = std::move(layers);
  result.total = total_report(result.layers);
  for (const LayerReport& layer : result.layers) {
    result.roofline.push_back(roofline_point(layer, variant));
  }
  result.total_roofline = roofline_total(result.roofline);
  return result;
}

ComparedVariant compare_on(const ComparisonVariant& on, const Comparison& what,
                           const LayerSource& source) {
  std::vector<LayerPoint> points;
  std::map<std::tuple<std::size_t, int, int>, std::size_t> index_of;
  std::vector<std::vector<std::size_t>> used(what.policies.size());
  for (std::size_t p = 0; p < what.policies.size(); ++p) {
    for (const std::size_t layer : what.layers) {
      const BitPair bits = what.policies[p].policy[layer];
      const auto [at, fresh] =
          index_of.emplace(std::make_tuple(layer, bits.weight, bits.activation), points.size());
      if (fresh) points.push_back({&what.network.layers[layer], bits});
      used[p].push_back(at->second);
    }
  }
  MeasuredLayers measured = measure_layers(on.variant, on.energy, points, source);

  ComparedVariant result;
  result.variant = on.variant;
  result.energy = on.energy;
  result.rtl_hash = measured.rtl_hash;
  result.store = measured.store;
  result.simulated = measured.simulated;
  result.recalled = measured.recalled;
  for (const std::vector<std::size_t>& indices : used) {
    std::vector<LayerReport> layers;
    for (const std::size_t i : indices) layers.push_back(measured.layers[i]);
    result.policies.push_back(compared_policy(std::move(layers), on.variant));
  }
  return result;
}

}  // namespace

Cost image_cost(const LayerReport& report, int batch) { return report / batch; }

std::vector<std::string> Comparison::split_headings() const {
  std::vector<std::string> headings;
  for (const ComparedVariant& variant : variants) {
    for (const auto& [heading, cycles] : variant.policies.front().total.split) {
      if (heading == kOther) continue;
      if (std::find(headings.begin(), headings.end(), heading) == headings.end()) {
        headings.push_back(heading);
      }
    }
  }
  headings.emplace_back(kOther);
  return headings;
}

std::vector<std::vector<Transfer>> transfer_matrix(const Comparison& comparison) {
  std::vector<std::vector<Transfer>> matrix(comparison.policies.size());
  for (const ComparedVariant& on : comparison.variants) {
    std::optional<double> own_s;
    for (std::size_t p = 0; p < matrix.size(); ++p) {
      if (comparison.policies[p].name == on.variant.name) {
        own_s = on.policies[p].total.latency_s;
      }
    }
    for (std::size_t p = 0; p < matrix.size(); ++p) {
      const LayerReport& total = on.policies[p].total;
      Transfer cell{image_cost(total, on.variant.batch), total.origin, std::nullopt};
      if (own_s) cell.penalty = total.latency_s / *own_s;
      matrix[p].push_back(cell);
    }
  }
  return matrix;
}

Comparison compare(Network network, std::vector<std::size_t> layers,
                   std::vector<NamedPolicy> policies,
                   const std::vector<ComparisonVariant>& variants, const LayerSource& source) {
  check(network, layers, policies, variants);
  check_bits(network, layers, policies, variants);
  Comparison comparison{std::move(network), std::move(layers), std::move(policies), {}};
  for (const ComparisonVariant& on : variants) {
    comparison.variants.push_back(compare_on(on, comparison, source));
  }
  return comparison;
}

}  // namespace bittern
