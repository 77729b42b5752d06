#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/cores/bitfusion/bitfusion_schedule.h"
#include "host/cores/core.h"

namespace bittern {

/// Plan of a BitFusion core: the chosen form and schedule, and what the closed form says of it.
class BitFusionPlan : public Plan {
 public:
  std::string key() const override { return schedule.key(); }
  /// A plan as one of ours; throws Error for that of another core.
  static const BitFusionPlan& of(const Plan& plan);

  FusionShape shape;
  FusionSchedule schedule;
  ModelResult predicted;
};

/// The BitFusion core: convolutions on a systolic array of fusion units. Activations are the LHS
/// operand (rows of the array, input channels), weights the RHS (columns, output channels).
class BitFusionCore : public Core {
 public:
  explicit BitFusionCore(const BitFusionConfig& config) : config_(config) {}

  std::unique_ptr<Plan> plan(const Layer& layer, const Precision& precision,
                             int batch) const override;
  ProgramOutline outline(const Plan& plan) const override;
  std::vector<std::int32_t> unpack(const Plan& plan, Bytes result) const override;
  ModelResult model(const Plan& plan) const override;
  /// 1 to 16 bits, rounded up to 2, 4, 8 or 16.
  BitPair supported(BitPair bits) const override;
  int max_bits() const override { return kMostBits; }
  double peak_macs_per_cycle(BitPair bits) const override;
  std::vector<std::pair<std::string, std::string>> cycle_split() const override;
  /// The simulator of Bit Fusion's authors. Groups run one after another; convolutions of at most
  /// four channels are gathered, as the simulator gathers the first layer of a network.
  std::optional<PublishedResult> published(const Layer& layer, BitPair bits,
                                           int batch) const override;
  std::optional<PublishedResult> published_for(const Plan& plan) const override;

  /// A plan with this schedule instead of the best one. The schedule must be one of
  /// candidate_schedules().
  std::unique_ptr<BitFusionPlan> plan_with(const Layer& layer, const Precision& precision,
                                           int batch, const FusionSchedule& schedule) const;
  /// Forms in which a layer may be lowered, one or two: direct unless its kernel is dilated, and
  /// im2col where it takes fewer steps or the kernel is dilated.
  std::vector<FusionShape> shapes(const Layer& layer, const BitPair& bits, int batch) const;
  const BitFusionConfig& config() const { return config_; }

 private:
  std::vector<std::vector<std::uint8_t>> pack(const Plan& plan,
                                              const LayerData& data) const override;

  BitFusionConfig config_;
};

}  // namespace bittern
