// What is known of every layer, for programs and for spreadsheets.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "host/base/csv.h"
#include "host/base/file.h"
#include "host/base/json.h"
#include "host/export/formats.h"
#include "host/store/measurement.h"

namespace bittern {
namespace {

using nlohmann::json;

json format_json(const CodeFormat& format) {
  return {{"scale", format.scale},
          {"zero_point", 0},
          {"low", format.range.low},
          {"high", format.range.high},
          {"signed", format.range.low < 0}};
}

json cost_json(const LayerReport& cost) {
  return {{"cycles", cost.cycles},
          {"latency_s", cost.latency_s},
          {"energy_j", cost.energy_j},
          {"energy_high_j", cost.energy_high_j},
          {"weight_bits", cost.run_bits.weight},
          {"activation_bits", cost.run_bits.activation},
          {"origin", origin_name(cost.origin)},
          {"schedule", cost.schedule},
          {"key", cost.key}};
}

/// Multipliers and shifts from the sums to the codes of the output.
json rescale_json(const std::vector<Rescale>& outputs) {
  if (outputs.empty()) return nullptr;
  json multipliers = json::array();
  json shifts = json::array();
  for (const Rescale& output : outputs) {
    multipliers.push_back(output.multiplier);
    shifts.push_back(output.shift);
  }
  return {{"multiplier", multipliers}, {"shift", shifts}};
}

json layer_json(const ExportInput& input, std::size_t i) {
  const QuantisedNetwork& network = *input.integers;
  const Layer& layer = network.layers[i];
  const auto node_index = static_cast<std::size_t>(network.layer_nodes[i]);
  const QuantisedNode& node = network.nodes[node_index];
  const int to = network.scheme.point_of_node[node_index];
  const auto point = static_cast<std::size_t>(network.scheme.point_of_layer[i]);
  json out = {{"name", layer.name},
              {"op", layer_kind_name(layer.kind)},
              {"shape", layer.key()},
              {"stride", {layer.stride_h, layer.stride_w}},
              {"dilation", {layer.dilation_h, layer.dilation_w}},
              {"pads", {layer.pad_top, layer.pad_bottom, layer.pad_left, layer.pad_right}},
              {"groups", layer.groups},
              {"relu", network.graph.nodes[node_index].attributes.relu},
              {"weight_bits", network.precision[i].bits.weight},
              {"activation_bits", network.precision[i].bits.activation},
              {"weights",
               {{"shape", weight_shape(layer)},
                {"scales", weight_scales(network, i)},
                {"zero_point", 0},
                {"codes", has_odd_weights(network, i) ? "odd" : "two's complement"}}},
              {"activations", format_json(network.formats[point])},
              {"rescale", rescale_json(node.outputs)}};
  // The answer is made of sums, without codes.
  out["output"] = to == QuantisationScheme::kSums
                      ? json(nullptr)
                      : format_json(network.formats[static_cast<std::size_t>(to)]);
  if (!input.costs.empty()) out["cost"] = cost_json(input.costs[i]);
  return out;
}

}  // namespace

void write_policy_json(const ExportInput& input, const std::filesystem::path& path) {
  const QuantisedNetwork& network = *input.integers;
  json out = {{"format", "bittern-quantised-1"}, {"network", network.name},
              {"integers", network.hash()},      {"image", format_json(network.formats[0])},
              {"layers", json::array()},         {"stored", json::array()},
              {"origin", input.origin}};
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    out["layers"].push_back(layer_json(input, i));
  }
  for (std::size_t i = 0; i < network.scheme.points.size(); ++i) {
    const CodePoint& point = network.scheme.points[i];
    if (point.kind != CodePoint::Kind::kStored) continue;
    json stored = format_json(network.formats[i]);
    stored["node"] = network.graph.nodes[point.place].name;
    stored["place"] = point.place;
    out["stored"].push_back(stored);
  }
  if (!input.costs.empty()) {
    const LayerReport total = total_report(input.costs);
    out["cost"] = {{"cycles", total.cycles},
                   {"latency_s", total.latency_s},
                   {"energy_j", total.energy_j},
                   {"energy_high_j", total.energy_high_j},
                   {"origin", origin_name(total.origin)}};
  }
  write_file(path, printed_json(out) + "\n");
}

void write_policy_csv(const ExportInput& input, const std::filesystem::path& path) {
  const QuantisedNetwork& network = *input.integers;
  std::string out =
      "layer,op,shape,weight_bits,activation_bits,activation_signed,activation_scale,weight_scales";
  if (!input.costs.empty()) out += ",cycles,latency_s,energy_j,energy_high_j,origin,schedule,key";
  out += "\n";
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    const CodeFormat& format =
        network.formats[static_cast<std::size_t>(network.scheme.point_of_layer[i])];
    out +=
        fmt::format("{},{},{},{},{},{},{},{}", csv_field(layer.name), layer_kind_name(layer.kind),
                    csv_field(layer.key()), network.precision[i].bits.weight,
                    network.precision[i].bits.activation, format.range.low < 0 ? 1 : 0,
                    format.scale, fmt::join(weight_scales(network, i), " "));
    if (!input.costs.empty()) {
      const LayerReport& cost = input.costs[i];
      out += fmt::format(",{},{},{},{},{},{},{}", cost.cycles, cost.latency_s, cost.energy_j,
                         cost.energy_high_j, origin_name(cost.origin), csv_field(cost.schedule),
                         csv_field(cost.key));
    }
    out += "\n";
  }
  write_file(path, out);
}

}  // namespace bittern
