#include <cstdlib>
#include <utility>

#include "bittern/bittern.h"
#include "host/analysis/measured_layers.h"
#include "host/base/error.h"
#include "host/base/version.h"
#include "host/cores/cores.h"
#include "host/network/network.h"

namespace bittern::api {
namespace {

/// Runs `body`; errors of the host become the library's, which need no header of the host.
template <typename Body>
auto guarded(Body body) {
  try {
    return body();
  } catch (const bittern::Error& error) {
    throw Error(error.what(), error.status() == ExitStatus::kUsage);
  }
}

LayerModel model_of(Cycles cycles) {
  switch (cycles) {
    case Cycles::kRtl:
      return LayerModel::kRtl;
    case Cycles::kClosedForm:
      return LayerModel::kClosed;
    case Cycles::kPublished:
      return LayerModel::kPublished;
  }
  fail_usage("{} is no value of Cycles", static_cast<int>(cycles));
}

std::vector<LayerPoint> points_of(const Network& network, const std::vector<Bits>& bits) {
  if (bits.size() != 1 && bits.size() != network.layers.size()) {
    fail_usage("{} bit pairs for network {}; expected one, or one for each of its {} layers",
               bits.size(), network.name, network.layers.size());
  }
  std::vector<LayerPoint> points;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Bits& pair = bits[bits.size() == 1 ? 0 : i];
    for (const int width : {pair.weights, pair.activations}) {
      if (width < 1 || width > 8) {
        fail_usage("network {}, layer {}: {} bits; expected 1 to 8", network.name,
                   network.layers[i].name, width);
      }
    }
    points.push_back({&network.layers[i], {pair.weights, pair.activations}});
  }
  return points;
}

LayerCost cost_of(const LayerReport& report) {
  LayerCost cost;
  cost.name = report.name;
  cost.bits = {report.bits.weight, report.bits.activation};
  cost.cycles = report.cycles;
  cost.latency_s = report.latency_s;
  cost.energy_j = report.energy_j;
  cost.energy_high_j = report.energy_high_j;
  cost.bytes_read = report.bytes_read;
  cost.bytes_written = report.bytes_written;
  cost.origin = origin_name(report.origin);
  cost.events = report.events;
  return cost;
}

}  // namespace

std::string version() { return fmt::format("{} ({})", bittern::version(), source_revision()); }

Session::Session(const Places& places) {
  // Devices look for the configs themselves, so it has to be in the environment that they inherit.
  if (!places.home.empty()) ::setenv("BITTERN_HOME", places.home.c_str(), /*overwrite=*/0);
  const char* devices = std::getenv("BITTERN_DEVICES_DIR");
  programs_ = devices != nullptr && *devices != '\0' ? devices : places.programs;
}

std::vector<std::string> Session::networks() const { return guarded(network_names); }

std::vector<std::string> Session::variants() const { return guarded(variant_names); }

std::vector<Layer> Session::layers(const std::string& network) const {
  return guarded([&] {
    std::vector<Layer> out;
    for (const bittern::Layer& layer : load_network(network).layers) {
      out.push_back({layer.name, layer_kind_name(layer.kind), layer.macs(), layer.weights()});
    }
    return out;
  });
}

Costs Session::measure(const std::string& network_name, const std::string& variant_name,
                       const std::vector<Bits>& bits, const MeasureOptions& options) const {
  return guarded([&] {
    const Network network = load_network(network_name);
    const Variant variant = load_variant(variant_name);
    const EnergyTable energy = load_energy_table(variant.energy);
    LayerSource source;
    source.model = model_of(options.cycles);
    source.measurer.store = options.store;
    source.measurer.workers = options.workers;
    source.measurer.device.folder = programs_;
    const MeasuredLayers measured =
        measure_layers(variant, energy, points_of(network, bits), source);

    Costs costs;
    for (const LayerReport& report : measured.layers) costs.layers.push_back(cost_of(report));
    const LayerReport total = total_report(measured.layers);
    costs.cycles = total.cycles;
    costs.latency_s = total.latency_s;
    costs.energy_j = total.energy_j;
    costs.energy_high_j = total.energy_high_j;
    costs.clock_mhz = variant.clock_mhz;
    costs.batch = variant.batch;
    costs.simulated = measured.simulated;
    costs.from_store = measured.recalled;
    return costs;
  });
}

}  // namespace bittern::api
