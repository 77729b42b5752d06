#include "host/cost/cost_models.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/hash.h"
#include "host/cores/planner_hash.h"
#include "host/network/model_size.h"

namespace bittern {
namespace {

std::string fingerprint_of(const std::string& kind, const Network& network,
                           const std::string& rest) {
  Sha256 hash;
  hash.update_field("bittern-cost-1").update_field(kind).update_field(rest);
  for (const Layer& layer : network.layers) {
    hash.update_field(layer.name).update_field(layer.key());
    hash.update_field(layer.signed_input ? "signed" : "unsigned");
  }
  return hash.hex();
}

/// What costs depend on beside the RTL. The planner stands for the programs, which are too many to
/// be made for a fingerprint.
std::string lowering_and_scaling(const Variant& variant, const EnergyTable& energy) {
  return fmt::format("{} planner={} clock_mhz={} energy={}", variant.key(), planner_hash(),
                     variant.clock_mhz, energy.hash);
}

}  // namespace

LayerCost policy_cost(CostModel& model, const Policy& policy) {
  const Network& network = model.network();
  if (policy.size() != network.layers.size()) {
    fail("policy has {} layers, network {} has {}", policy.size(), network.name,
         network.layers.size());
  }
  LayerCost sum;
  for (std::size_t i = 0; i < policy.size(); ++i) sum += model.layer_cost(i, policy[i]);
  return sum;
}

bool knows_policy(const CostModel& model, const Policy& policy) {
  for (std::size_t i = 0; i < policy.size(); ++i) {
    if (!model.knows(i, policy[i])) return false;
  }
  return true;
}

LutRow lut_row(const Layer& layer, BitPair bits, const Measurement& measurement,
               const Variant& variant, const EnergyTable& energy) {
  LutRow row;
  row.variant = variant.name;
  row.layer = layer.name;
  row.shape = layer.key();
  row.bits = bits;
  row.activation_signed = layer.signed_input;
  row.batch = variant.batch;
  row.cycles = measurement.cycles;
  row.latency_s = variant.seconds(measurement.cycles);
  const Energy joules = energy_of(
      {measurement.cycles, measurement.events, measurement.bytes_read, measurement.bytes_written},
      energy, variant);
  row.energy_j = joules.low_j();
  row.energy_high_j = joules.high_j();
  row.bytes_read = measurement.bytes_read;
  row.bytes_written = measurement.bytes_written;
  row.origin = measurement.origin;
  row.schedule = measurement.schedule;
  row.key = measurement.key;
  return row;
}

Measurement model_measurement(const KnownPlan& plan, const Variant& variant) {
  Measurement measurement;
  measurement.cycles = plan.cycles;
  measurement.events = plan.events;
  measurement.schedule = plan.schedule;
  measurement.origin = Origin::kModel;
  std::tie(measurement.bytes_read, measurement.bytes_written) =
      bytes_moved(measurement.events, variant);
  return measurement;
}

Measurement published_measurement(const PublishedResult& result) {
  Measurement measurement;
  measurement.cycles = result.cycles();
  for (const auto& [name, count] : result.events) measurement.events[name] = count;
  measurement.events[kPublishedRun] = result.compute;
  measurement.events[kPublishedStall] = result.stalls;
  measurement.bytes_read = result.bytes_read;
  measurement.bytes_written = result.bytes_written;
  measurement.origin = Origin::kPublished;
  measurement.schedule = result.schedule;
  return measurement;
}

LayerCost RowCostModel::layer_cost(std::size_t index, BitPair bits) {
  const LutRow& known = row(index, bits);
  LayerCost cost;
  cost.cycles = known.cycles;
  cost.latency_s = known.latency_s;
  cost.energy_j = known.energy_j;
  cost.energy_high_j = known.energy_high_j;
  const Layer& layer = network_.layers[index];
  cost.weight_bytes = uncoded_.empty() ? static_cast<double>(layer.weights()) * bits.weight / 8.0
                                       : codebook_layer_bytes(layer, bits.weight) + uncoded_[index];
  cost.origin = origin_of(known);
  return cost;
}

void RowCostModel::count_codebooks() { uncoded_ = uncoded_bytes(network_); }

const LutRow& RowCostModel::row(std::size_t index, BitPair bits) {
  const Key key{index, bits.weight, bits.activation};
  auto known = rows_.find(key);
  if (known == rows_.end()) {
    prefetch({{index, bits}});
    known = rows_.find(key);
  }
  return known->second;
}

void RowCostModel::prefetch(const std::vector<Point>& points) {
  std::map<Key, Point> missing;
  for (const Point& point : points) {
    const auto& [index, bits] = point;
    if (index >= network_.layers.size()) {
      fail("cost of layer {}: network {} has {} layers", index, network_.name,
           network_.layers.size());
    }
    for (const int width : {bits.weight, bits.activation}) {
      if (width >= 1 && width <= 8) continue;
      fail("cost of layer {} at {}/{} bits: expected 1 to 8 bits", network_.layers[index].name,
           bits.weight, bits.activation);
    }
    const Key key{index, bits.weight, bits.activation};
    if (rows_.count(key) == 0) missing.emplace(key, point);
  }
  if (missing.empty()) return;
  std::vector<Point> fresh;
  for (const auto& [key, point] : missing) fresh.push_back(point);
  std::vector<LutRow> rows = compute(fresh);
  std::size_t i = 0;
  for (const auto& [key, point] : missing) rows_.emplace(key, std::move(rows[i++]));
}

std::vector<LutRow> RowCostModel::lut() const {
  std::vector<LutRow> rows;
  for (const auto& [key, row] : rows_) rows.push_back(row);
  return rows;
}

RtlCostModel::RtlCostModel(Network network, std::shared_ptr<Measurer> measurer, EnergyTable energy)
    : RowCostModel(std::move(network)), measurer_(std::move(measurer)), energy_(std::move(energy)) {
  const Variant& variant = measurer_->variant();
  const DeviceIdentity& identity = measurer_->identity();
  fingerprint_ = fingerprint_of(
      identity.kind == DeviceKind::kBoard ? "board" : "rtl", this->network(),
      fmt::format("rtl={} {}", identity.rtl_hash, lowering_and_scaling(variant, energy_)));
}

std::vector<LutRow> RtlCostModel::compute(const std::vector<Point>& points) {
  const Variant& variant = measurer_->variant();
  std::vector<LayerJob> jobs;
  for (const auto& [index, bits] : points) {
    jobs.push_back(network_job(measurer_->core(), variant, network().layers[index], bits));
  }
  const std::vector<Measurement> measured = measurer_->measure(jobs);
  std::vector<LutRow> rows;
  for (std::size_t i = 0; i < points.size(); ++i) {
    rows.push_back(lut_row(network().layers[points[i].first], points[i].second, measured[i],
                           variant, energy_));
  }
  return rows;
}

ModelCostModel::ModelCostModel(Network network, std::shared_ptr<Planner> planner,
                               EnergyTable energy)
    : RowCostModel(std::move(network)), planner_(std::move(planner)), energy_(std::move(energy)) {}

ModelCostModel::ModelCostModel(Network network, Variant variant, EnergyTable energy)
    : ModelCostModel(std::move(network), std::make_shared<Planner>(std::move(variant)),
                     std::move(energy)) {}

std::string ModelCostModel::fingerprint() const {
  return fingerprint_of("model", network(), lowering_and_scaling(planner_->variant(), energy_));
}

std::vector<LutRow> ModelCostModel::compute(const std::vector<Point>& points) {
  const Variant& variant = planner_->variant();
  std::vector<LayerJob> jobs;
  for (const auto& [index, bits] : points) {
    jobs.push_back(network_job(planner_->core(), variant, network().layers[index], bits));
  }
  const std::vector<KnownPlan> plans = planner_->know(jobs);
  std::vector<LutRow> rows;
  for (std::size_t i = 0; i < points.size(); ++i) {
    rows.push_back(lut_row(network().layers[points[i].first], points[i].second,
                           model_measurement(plans[i], variant), variant, energy_));
  }
  return rows;
}

TableCostModel::TableCostModel(Network network, const std::filesystem::path& file,
                               const std::string& expected_variant)
    : RowCostModel(std::move(network)), file_(file.string()) {
  std::vector<LutRow> rows = load_lut(file);
  variant_ = rows.front().variant;
  batch_ = rows.front().batch;
  if (!expected_variant.empty() && variant_ != expected_variant) {
    fail_usage(
        "{}: its rows are of {}, the campaign says `variant: {}`; leave `variant` out (a table "
        "says "
        "itself what it is of), or take a table of {}",
        file_, variant_, expected_variant, expected_variant);
  }
  for (LutRow& row : rows) {
    if (row.variant != variant_ || row.batch != batch_) {
      fail_usage(
          "{}:{}: layer {} was measured on {} with batch {}, the row in line {} on {} with batch "
          "{}; a table is of one variant and one batch",
          file_, row.line, row.layer, row.variant, row.batch, rows.front().line, variant_, batch_);
    }
  }
  for (LutRow& row : rows) {
    table_.emplace(Place(row.shape, row.bits.weight, row.bits.activation, row.activation_signed),
                   row);
  }
  rows.clear();
  for (const auto& [point, row] : table_) rows.push_back(row);
  fingerprint_ = fingerprint_of("table", this->network(), lut_csv(rows));
}

TableCostModel::Place TableCostModel::place(std::size_t index, BitPair bits) const {
  const Layer& layer = network().layers.at(index);
  return {layer.key(), bits.weight, bits.activation, layer.signed_input};
}

bool TableCostModel::knows(std::size_t index, BitPair bits) const {
  return table_.count(place(index, bits)) > 0;
}

std::vector<int> TableCostModel::widths(int BitPair::*operand) const {
  std::set<int> found;
  for (const auto& [point, row] : table_) {
    const auto is_row = [&row = row](const Layer& layer) {
      return layer.key() == row.shape && layer.signed_input == row.activation_signed;
    };
    const std::vector<Layer>& layers = network().layers;
    if (std::any_of(layers.begin(), layers.end(), is_row)) found.insert(row.bits.*operand);
  }
  return {found.begin(), found.end()};
}

std::string TableCostModel::what_is_there(const Layer& layer) const {
  std::vector<std::string> pairs;
  std::vector<std::string> shapes;
  bool other_sign = false;
  for (const auto& [point, row] : table_) {
    const auto& [shape, weight, activation, is_signed] = point;
    if (shape == layer.key() && is_signed == layer.signed_input) {
      pairs.push_back(fmt::format("{}/{}", weight, activation));
    } else if (shape == layer.key()) {
      other_sign = true;
    } else if (row.layer == layer.name && (shapes.empty() || shapes.back() != shape)) {
      shapes.push_back(shape);
    }
  }
  if (!pairs.empty()) return fmt::format("it has {}", fmt::join(pairs, " "));
  if (other_sign) {
    return fmt::format("its rows of this shape have signed {}", layer.signed_input ? 0 : 1);
  }
  if (!shapes.empty()) return fmt::format("its rows of that name are {}", fmt::join(shapes, "; "));
  return "it has no row of this shape";
}

std::vector<LutRow> TableCostModel::compute(const std::vector<Point>& points) {
  std::vector<LutRow> rows;
  for (const auto& [index, bits] : points) {
    const Layer& layer = network().layers[index];
    const auto found = table_.find(place(index, bits));
    if (found == table_.end()) {
      fail_usage(
          "{}: no row for layer {} ({}, {} activations) at {}/{} bits: {}; add it, or search only "
          "among the widths that are there (min_bits, max_bits, pin_first_last)",
          file_, layer.name, layer.key(), layer.signed_input ? "signed" : "unsigned", bits.weight,
          bits.activation, what_is_there(layer));
    }
    rows.push_back(found->second);
    rows.back().layer = layer.name;
  }
  return rows;
}

}  // namespace bittern
