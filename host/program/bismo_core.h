#pragma once

#include <memory>
#include <string>
#include <vector>

#include "host/program/bismo_schedule.h"
#include "host/program/core.h"

namespace bittern {

/// Plan of a BISMO core: the chosen schedule, and what the closed form says of it.
class BismoPlan : public Plan {
 public:
  std::string key() const override { return schedule.key(); }

  GemmShape shape;
  BismoSchedule schedule;
  ModelResult predicted;
};

/// The bit-serial BISMO core: layers become matrix products of bit planes. Activations are the LHS
/// operand (rows are output pixels of the whole batch), weights the RHS (rows are output channels).
class BismoCore : public Core {
 public:
  explicit BismoCore(const BismoConfig& config) : config_(config) {}

  std::unique_ptr<Plan> plan(const Layer& layer, const Precision& precision,
                             int batch) const override;
  Program build(const Plan& plan, const LayerData& data) const override;
  std::vector<std::int32_t> unpack(const Plan& plan, Bytes result) const override;
  ModelResult model(const Plan& plan) const override;
  BitPair supported(BitPair bits) const override;
  double peak_macs_per_cycle(BitPair bits) const override;
  std::vector<std::pair<std::string, std::string>> cycle_split() const override;
  int lowering_version() const override { return 2; }

  /// A plan with this schedule instead of the best one. The schedule must be one of
  /// candidate_schedules().
  std::unique_ptr<BismoPlan> plan_with(const Layer& layer, const Precision& precision, int batch,
                                       const BismoSchedule& schedule) const;
  const BismoConfig& config() const { return config_; }

 private:
  ModelResult model_schedule(const GemmShape& shape, const BismoSchedule& schedule,
                             const BitPair& bits) const;

  BismoConfig config_;
};

}  // namespace bittern
