#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "host/cost/cost_model.h"
#include "host/cost/lut.h"
#include "host/energy/energy.h"
#include "host/run/measurer.h"
#include "host/run/planner.h"

namespace bittern {

/// Cost model that remembers what it answered, row by row.
class RowCostModel : public CostModel {
 public:
  LayerCost layer_cost(std::size_t index, BitPair bits) override;
  void prefetch(const std::vector<std::pair<std::size_t, BitPair>>& points) override;
  const Network& network() const override { return network_; }

  /// Every cost that was made available so far, by layer, weight bits, activation bits: the content
  /// of lut.csv.
  std::vector<LutRow> lut() const;
  /// The whole row behind a cost.
  const LutRow& row(std::size_t index, BitPair bits);
  /// From now on the model size is that of weights in codebooks (host/network/model_size.h);
  /// latency and energy stay those of linear weights of the same width.
  void count_codebooks();

 protected:
  explicit RowCostModel(Network network) : network_(std::move(network)) {}
  using Point = std::pair<std::size_t, BitPair>;
  /// Rows of points that were never asked for before, all different. Throws Error naming layer and
  /// bits.
  virtual std::vector<LutRow> compute(const std::vector<Point>& points) = 0;
  /// Origin of the costs of a row.
  virtual Origin origin_of(const LutRow& row) const { return row.origin; }

 private:
  using Key = std::tuple<std::size_t, int, int>;
  const Network network_;
  std::map<Key, LutRow> rows_;
  std::vector<double> uncoded_;  ///< bytes of each layer beside codebooks; empty: there are none
};

/// Costs from checked runs on devices, by way of the store. Never answers with anything else.
class RtlCostModel : public RowCostModel {
 public:
  /// The measurer may be shared. Starts one device, to learn which RTL it runs; simulates nothing.
  RtlCostModel(Network network, std::shared_ptr<Measurer> measurer, EnergyTable energy);
  std::string fingerprint() const override { return fingerprint_; }

 protected:
  std::vector<LutRow> compute(const std::vector<Point>& points) override;

 private:
  std::shared_ptr<Measurer> measurer_;
  const EnergyTable energy_;
  std::string fingerprint_;
};

/// Costs from the closed form.
class ModelCostModel : public RowCostModel {
 public:
  /// The planner may be shared, with a measurer for example.
  ModelCostModel(Network network, std::shared_ptr<Planner> planner, EnergyTable energy);
  /// With a planner of its own, which keeps nothing.
  ModelCostModel(Network network, Variant variant, EnergyTable energy);
  std::string fingerprint() const override;

 protected:
  std::vector<LutRow> compute(const std::vector<Point>& points) override;

 private:
  const std::shared_ptr<Planner> planner_;
  const EnergyTable energy_;
};

/// Costs from a LUT file, for the hardware and the batch that its rows are of. Rows are found by
/// shape, bits and sign of the activations; a point that is not in the file is an Error.
class TableCostModel : public RowCostModel {
 public:
  /// Throws Error (exit status 2) when the file is malformed, or its rows are of several variants
  /// or batches, or of another variant than the one that is expected (empty: any).
  TableCostModel(Network network, const std::filesystem::path& file,
                 const std::string& expected_variant = "");
  std::string fingerprint() const override { return fingerprint_; }
  bool knows(std::size_t index, BitPair bits) const override;

  /// Widths that the table's rows for this network's layers have for one operand, ascending.
  std::vector<int> widths(int BitPair::*operand) const;
  /// What the rows are of.
  const std::string& variant() const { return variant_; }
  int batch() const { return batch_; }

 protected:
  std::vector<LutRow> compute(const std::vector<Point>& points) override;
  Origin origin_of(const LutRow&) const override { return Origin::kTable; }

 private:
  /// Shape, weight bits, activation bits, whether the activations are signed.
  using Place = std::tuple<std::string, int, int, bool>;
  Place place(std::size_t index, BitPair bits) const;
  /// Error text: what the file has for a layer instead of `bits`.
  std::string what_is_there(const Layer& layer) const;

  std::string file_;
  std::string variant_;
  int batch_ = 1;
  std::map<Place, LutRow> table_;
  std::string fingerprint_;
};

/// The row that a measurement becomes.
LutRow lut_row(const Layer& layer, BitPair bits, const Measurement& measurement,
               const Variant& variant, const EnergyTable& energy);

/// What the closed form says of a plan, as a measurement of origin `model`.
Measurement model_measurement(const KnownPlan& plan, const Variant& variant);

/// What a published model says, as a measurement of origin `published`. Its events are the model's,
/// besides kPublishedRun and kPublishedStall, which are all of its cycles.
Measurement published_measurement(const PublishedResult& result);
constexpr const char* kPublishedRun = "exec_run";
constexpr const char* kPublishedStall = "published_stall";

}  // namespace bittern
