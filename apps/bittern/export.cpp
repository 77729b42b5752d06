#include "host/export/export.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/nn/training.h"
#include "apps/bittern/command_line.h"
#include "apps/bittern/commands.h"
#include "apps/bittern/export_options.h"
#include "apps/bittern/quantised_command.h"
#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/hash.h"
#include "host/base/phase.h"
#include "host/base/version.h"
#include "host/cores/cores.h"
#include "host/energy/energy.h"
#include "host/network/io/network_weights.h"
#include "host/network/quantisation.h"

namespace bittern {
namespace {

/// The hardware whose costs are exported.
struct Hardware {
  Variant variant;
  EnergyTable energy;
  std::unique_ptr<Core> core;

  explicit Hardware(Variant v)
      : variant(std::move(v)),
        energy(load_energy_table(variant.energy)),
        core(make_core(variant)) {}
};

class Exporter {
 public:
  Exporter(const ExportArguments& arguments, const CLI::App& command)
      : arguments_(arguments),
        command_(command),
        format_(export_format(arguments.format)),
        phases_(make_phases(command)),
        network_(load_network(arguments.network)),
        out_(arguments.out.empty() ? network_.name + format_.file : arguments.out),
        input_{network_, nullptr, {}, {}, {}, {}} {
    if (!arguments.variant.empty()) {
      hardware_.emplace(arguments.batch.applied(load_variant(arguments.variant)));
    }
    check_output();
  }

  void go() {
    input_.origin = {
        {"version", version()}, {"revision", source_revision()}, {"network", network_.name}};
    if (format_.needs.cycles) {
      measure_all_bits();
    } else {
      require_trainable(network_);
      check_bits(arguments_.bits, arguments_.quantisers, network_);
      const bool stated = has_quantisers(network_.graph);
      if (stated && !format_.needs.images) {
        fail_usage(
            "network {} states its own quantisers, so that it is a quantised file already; of such "
            "a network there are golden vectors and tables of costs",
            network_.name);
      }
      const Policy policy =
          stated ? stated_policy(network_.graph, kLutBits) : policy_of(arguments_.bits, network_);
      if (hardware_) measure(policy);
      make_integers(policy);
    }
    format_.write(input_, out_);
    std::cout << fmt::format("{}: {} as {} ({})\n", out_.string(), network_.name, format_.name,
                             format_.text);
  }

 private:
  void check_output() const {
    if (!format_.folder()) return check_output_file(out_);
    if (std::filesystem::exists(out_) && !std::filesystem::is_directory(out_)) {
      fail_usage("{}: {} is a folder of files, and this is none", out_.string(), format_.name);
    }
    check_output_file(out_ / "manifest.json");
  }

  MeasuredLayers measured(const std::vector<LayerPoint>& points) {
    const LayerSource source = arguments_.source.source(command_);
    MeasuredLayers layers = measure_layers(hardware_->variant, hardware_->energy, points, source);
    input_.origin["hardware"] = {{"variant", hardware_->variant.name},
                                 {"batch", hardware_->variant.batch},
                                 {"clock_mhz", hardware_->variant.clock_mhz},
                                 {"rtl_hash", layers.rtl_hash},
                                 {"energy_table", hardware_->energy.name}};
    return layers;
  }

  void measure(const Policy& policy) {
    std::vector<LayerPoint> points;
    for (std::size_t i = 0; i < policy.size(); ++i) {
      points.push_back({&network_.layers[i], policy[i]});
    }
    input_.costs = measured(points).layers;
  }

  /// Bits that the hardware does not have cost 0, which no layer costs.
  void measure_all_bits() {
    std::vector<LayerPoint> points;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < network_.layers.size(); ++i) {
      for (int weight = 1; weight <= kLutBits; ++weight) {
        for (int activation = 1; activation <= kLutBits; ++activation) {
          if (!has(network_.layers[i], {weight, activation})) continue;
          points.push_back({&network_.layers[i], {weight, activation}});
          places.push_back((i * kLutBits + static_cast<std::size_t>(weight - 1)) * kLutBits +
                           static_cast<std::size_t>(activation - 1));
        }
      }
    }
    const MeasuredLayers layers = measured(points);
    input_.cycles.assign(network_.layers.size() * kLutBits * kLutBits, 0);
    for (std::size_t i = 0; i < places.size(); ++i) {
      input_.cycles[places[i]] = static_cast<std::int64_t>(layers.layers[i].cycles);
    }
    if (points.size() < input_.cycles.size()) {
      spdlog::warn("{} of {} entries are 0: {} does not have these bits",
                   input_.cycles.size() - points.size(), input_.cycles.size(),
                   hardware_->variant.name);
    }
    std::cout << fmt::format(
        "cycles of {} for a batch of {}: {}\n", hardware_->variant.name, hardware_->variant.batch,
        layers.layers.empty() ? "none" : origin_name(total_report(layers.layers).origin));
  }

  bool has(const Layer& layer, BitPair bits) const {
    try {
      network_job(*hardware_->core, hardware_->variant, layer, bits);
    } catch (const Error&) {
      return false;
    }
    return true;
  }

  void make_integers(const Policy& policy) {
    const TensorFile checkpoint = weights_of(arguments_.checkpoint, network_);
    const DataOptions data = data_options(arguments_.data, network_);
    const DataOutline outline = outline_data(data);
    check_data_fits(network_, data.name, outline);
    if (format_.needs.images && arguments_.images > outline.test) {
      fail_usage("--images {}: data set {} has {} test images", arguments_.images, data.name,
                 outline.test);
    }
    work_.emplace(quantise(network_, checkpoint, policy, arguments_.quantisers, data,
                           format_.needs.images ? arguments_.images : 0, phases_));
    input_.integers = &work_->integers;
    input_.images = {work_->images, work_->labels};
    if (!arguments_.checkpoint.empty()) {
      input_.origin["checkpoint"] = {
          {"file", std::filesystem::path(arguments_.checkpoint).filename().string()},
          {"sha256", sha256_hex(read_file(arguments_.checkpoint))}};
    }
    input_.origin["quantisers"] = {{"weights", arguments_.quantisers.weights},
                                   {"weight_range", arguments_.quantisers.weight_range},
                                   {"activation_range", arguments_.quantisers.activation_range},
                                   {"per_channel", arguments_.quantisers.per_channel},
                                   {"calibration_images", arguments_.quantisers.calibration_images},
                                   {"scales", work_->own_scales ? "checkpoint" : "calibrated"},
                                   {"dataset", data.name}};
  }

  const ExportArguments& arguments_;
  const CLI::App& command_;
  const ExportFormat& format_;
  const std::shared_ptr<Phases> phases_;
  const Network network_;
  const std::filesystem::path out_;
  std::optional<Hardware> hardware_;
  std::optional<QuantisedImages> work_;
  ExportInput input_;
};

}  // namespace

void add_export(CLI::App& app) {
  add_export_command(app, [](const ExportArguments& arguments, const CLI::App& command) {
    Exporter(arguments, command).go();
  });
}

}  // namespace bittern
