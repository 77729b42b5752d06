#include "host/run/random_jobs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "host/base/error.h"
#include "host/base/random.h"

namespace bittern {
namespace {

// Cycles of a random layer, by the closed form, lie below a bound that is itself drawn between
// these, and mostly within a factor of it: layers of all sizes, each fast to simulate.
constexpr double kLeastBound = 1e4;
constexpr double kGreatestBound = 4e5;
constexpr double kFactor = 10.0;
constexpr int kAttempts = 1000;
/// Weights of a random layer at most: with 16 bits each they fit half of the least memory of our
/// variants, 64 MiB.
constexpr std::int64_t kMostWeights = 1 << 24;

class Draw {
 public:
  explicit Draw(Rng rng) : rng_(rng) {}

  int integer(int low, int high) { return static_cast<int>(rng_.integer(low, high)); }
  bool chance(double probability) { return rng_.uniform() < probability; }
  /// From low to high, small values as likely as large ones are in the logarithm.
  double logarithmic(double low, double high) {
    return low * std::exp(rng_.uniform() * std::log(high / low));
  }
  int size(int low, int high) {
    return std::min(high, static_cast<int>(logarithmic(low, high + 1.0)));
  }

 private:
  Rng rng_;
};

Layer random_shape(Draw& draw) {
  Layer layer;
  const double kind = draw.logarithmic(1.0, 2.0) - 1.0;
  if (kind < 0.2) {
    layer.kind = LayerKind::kLinear;
    layer.in_channels = draw.size(1, 1 << 17);
    layer.out_channels = draw.size(1, 1000);
    return layer;
  }
  if (kind < 0.35) {
    layer.kind = LayerKind::kDepthwise;
    layer.in_channels = layer.groups = draw.size(1, 64);
    layer.out_channels = layer.in_channels * (draw.chance(0.2) ? 2 : 1);
  } else {
    layer.groups = draw.chance(0.25) ? draw.integer(2, 5) : 1;
    layer.in_channels = layer.groups * draw.size(1, 256);
    layer.out_channels = layer.groups * draw.size(1, 256);
  }
  layer.kernel_h = draw.integer(1, 5);
  layer.kernel_w = draw.chance(0.5) ? layer.kernel_h : draw.integer(1, 7);
  if (draw.chance(0.2)) {
    layer.dilation_h = draw.integer(1, 4);
    layer.dilation_w = draw.chance(0.5) ? layer.dilation_h : draw.integer(1, 4);
  }
  // Now and then more padding than the kernel reaches: some windows lie in it altogether.
  const int more = draw.chance(0.1) ? 4 : 0;
  layer.pad_top = draw.integer(0, layer.reach_h() - 1 + more);
  layer.pad_bottom = draw.integer(0, layer.reach_h() - 1 + more);
  layer.pad_left = draw.integer(0, layer.reach_w() - 1 + more);
  layer.pad_right = draw.integer(0, layer.reach_w() - 1 + more);
  layer.in_height = std::max(draw.size(1, 40), layer.reach_h() - layer.pad_top - layer.pad_bottom);
  layer.in_width = std::max(draw.size(1, 40), layer.reach_w() - layer.pad_left - layer.pad_right);
  layer.stride_h = draw.integer(1, 3);
  layer.stride_w = draw.chance(0.7) ? layer.stride_h : draw.integer(1, 4);
  return layer;
}

LayerJob random_job(Draw& draw, int variant_batch, int max_bits) {
  LayerJob job;
  job.layer = random_shape(draw);
  const auto bits = [&draw, max_bits] {
    if (max_bits > 8 && draw.chance(0.15)) return draw.integer(9, max_bits);
    return draw.chance(0.15) ? 1 : draw.integer(1, 8);
  };
  job.precision.bits.weight = bits();
  job.precision.bits.activation = bits();
  job.precision.weight_signed = draw.chance(0.75);
  job.precision.activation_signed = draw.chance(0.5);
  const double batch = draw.logarithmic(1.0, 2.0) - 1.0;
  job.batch = batch < 0.5 ? variant_batch : batch < 0.75 ? 1 : draw.integer(2, 5);
  return job;
}

}  // namespace

std::vector<LayerJob> random_jobs(const Core& core, const Variant& variant, std::size_t count,
                                  std::uint64_t seed) {
  std::vector<LayerJob> jobs;
  const Rng root(seed);
  for (std::size_t i = 0; i < count; ++i) {
    Draw draw(root.split(i));
    const double bound = draw.logarithmic(kLeastBound, kGreatestBound);
    const bool small_too = draw.chance(0.1);
    int attempt = 0;
    while (true) {
      LayerJob job = random_job(draw, variant.batch, core.max_bits());
      job.layer.name = fmt::format("random_{}", i);
      job.precision.bits = core.supported(job.precision.bits);
      job.seed = seed * 1000003 + i + 1;
      // A quick bound first: planning a huge layer takes long.
      const double work = static_cast<double>(job.layer.macs()) * job.batch /
                          core.peak_macs_per_cycle(job.precision.bits);
      if (work <= bound && job.layer.weights() <= kMostWeights) {
        const auto cycles = static_cast<double>(plan_layer(core, job).predicted.cycles);
        if (cycles <= bound && (small_too || cycles * kFactor >= bound)) {
          jobs.push_back(std::move(job));
          break;
        }
      }
      if (++attempt == kAttempts) {
        fail("random layers for variant {}: none with at most {:.0f} cycles in {} draws",
             variant.name, bound, kAttempts);
      }
    }
  }
  return jobs;
}

std::vector<LayerJob> network_jobs(const Core& core, const Variant& variant,
                                   const Network& network) {
  std::vector<BitPair> pairs = {{8, 8}, {4, 4}, {1, 1}, {1, 8}, {7, 2}, {3, 5}};
  const int most = core.max_bits();
  if (most > 8) pairs.insert(pairs.end(), {{most, most}, {most, 4}});
  std::vector<LayerJob> jobs;
  for (const Layer& layer : network.layers) {
    std::vector<BitPair> seen;
    for (const BitPair pair : pairs) {
      LayerJob job;
      job.layer = layer;
      job.precision.bits = core.supported(pair);
      job.precision.activation_signed = layer.signed_input;
      job.batch = variant.batch;
      if (std::find(seen.begin(), seen.end(), job.precision.bits) != seen.end()) continue;
      seen.push_back(job.precision.bits);
      jobs.push_back(std::move(job));
    }
  }
  return jobs;
}

}  // namespace bittern
