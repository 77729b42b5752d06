#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "host/analysis/layer_report.h"
#include "host/base/span.h"
#include "host/integer/quantised_network.h"
#include "host/network/network.h"

namespace bittern {

/// Widths of an operand that a table of costs has: 1 to 8 bits.
constexpr int kLutBits = 8;

/// Images that a network is exported with, for vectors to compare with.
struct ExportImages {
  std::vector<Bytes> images;  ///< bytes, planes of rows
  std::vector<int> labels;    ///< of each
};

/// What is taken elsewhere. Each format uses its own part.
struct ExportInput {
  const Network& network;
  /// The network in integers; null for formats that are about costs alone.
  const QuantisedNetwork* integers = nullptr;
  /// Of each layer at the bits of the policy; empty: it was not measured.
  std::vector<LayerReport> costs;
  /// Cycles at every pair of bits that the hardware has, [layer][weight bits - 1][activation bits -
  /// 1]; 0 where it has not. For formats that are tables of costs.
  std::vector<std::int64_t> cycles;
  ExportImages images;
  /// Where it comes from: versions, command line, hashes, hardware. An object.
  nlohmann::json origin;
};

/// What a format needs besides the network.
struct ExportNeeds {
  bool integers = false;
  bool images = false;
  bool cycles = false;
};

/// A format that networks can be exported in.
struct ExportFormat {
  const char* name;
  const char* text;  ///< what it is, for the help
  const char* file;  ///< name of the output where none is given: after the network's name
  ExportNeeds needs;
  /// Writes `path`, a file, or a folder where `file` ends in '/'. Throws Error (exit status 2) with
  /// the layer for what the format cannot say.
  void (*write)(const ExportInput& input, const std::filesystem::path& path);

  bool folder() const;
};

/// All of them.
const std::vector<ExportFormat>& export_formats();

/// The one of that name; throws Error (exit status 2) listing the names.
const ExportFormat& export_format(const std::string& name);

/// Whether a layer's weights are odd codes (CodeRange::odd).
bool has_odd_weights(const QuantisedNetwork& network, std::size_t layer);

/// Scales of a layer's weights: one, or one for each output channel.
std::vector<float> weight_scales(const QuantisedNetwork& network, std::size_t layer);

/// Extents of a layer's weights: output channels, input channels of a group, kernel rows and
/// columns.
std::vector<std::int64_t> weight_shape(const Layer& layer);

/// The codes of a layer's weights as hardware multiplies them: odd codes w become (w - 1) / 2, of
/// which twice the sum and the sum of the activations give the layer's.
std::vector<std::int16_t> hardware_codes(const QuantisedNetwork& network, std::size_t layer);

}  // namespace bittern
