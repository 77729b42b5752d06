#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "host/cores/core.h"
#include "host/cores/matrix/matrix_schedule.h"

namespace bittern {

/// Plan of a core that multiplies matrices: the chosen schedule, and what the closed form says of
/// it.
class MatrixPlan : public Plan {
 public:
  std::string key() const override { return schedule.key(); }

  MatrixShape shape;
  MatrixSchedule schedule;
  ModelResult predicted;
};

/// What BISMO and Stripes have in common: layers become matrix products of bit planes. Activations
/// are the LHS operand (rows are output pixels of the whole batch), weights the RHS (rows are
/// output channels).
class MatrixCore : public Core {
 public:
  explicit MatrixCore(const MatrixConfig& config) : config_(config) {}

  std::unique_ptr<Plan> plan(const Layer& layer, const Precision& precision,
                             int batch) const override;
  ProgramOutline outline(const Plan& plan) const override;
  std::vector<std::int32_t> unpack(const Plan& plan, Bytes result) const override;
  ModelResult model(const Plan& plan) const override;
  int max_bits() const override { return config_.max_bits; }
  BitPair supported(BitPair bits) const override;
  double peak_macs_per_cycle(BitPair bits) const override;
  std::vector<std::pair<std::string, std::string>> cycle_split() const override;

  /// A plan with this schedule instead of the best one. The schedule must be one of candidates().
  std::unique_ptr<MatrixPlan> plan_with(const Layer& layer, const Precision& precision, int batch,
                                        const MatrixSchedule& schedule) const;
  /// All schedules considered for a layer, with and without staggered columns.
  std::vector<MatrixSchedule> candidates(const Layer& layer, int batch, const BitPair& bits) const;
  const MatrixConfig& config() const { return config_; }

 private:
  /// An instruction of 128 bits, least significant word first.
  using Word = std::array<std::uint64_t, 2>;
  virtual Word encode(const MatrixStep& step, const Plan& plan) const = 0;
  std::vector<std::vector<std::uint8_t>> pack(const Plan& plan,
                                              const LayerData& data) const override;

  /// The machine as it works on a layer with a schedule.
  MatrixConfig config_for(const ResultFormat& result, const MatrixSchedule& schedule) const {
    return config_.staggered(schedule.columns, schedule.cascade).for_results(result.bits);
  }

  ModelResult model_schedule(const MatrixConfig& config, const MatrixShape& shape,
                             const MatrixSchedule& schedule, const BitPair& bits) const;

  MatrixConfig config_;
};

}  // namespace bittern
