#include "host/export/export.h"

#include <fmt/ranges.h>

#include <string_view>

#include "host/base/error.h"
#include "host/base/yaml.h"
#include "host/export/formats.h"

namespace bittern {

bool ExportFormat::folder() const { return std::string_view(file).back() == '/'; }

const std::vector<ExportFormat>& export_formats() {
  constexpr ExportNeeds kIntegers{true, false, false};
  constexpr ExportNeeds kImages{true, true, false};
  constexpr ExportNeeds kCycles{false, false, true};
  static const std::vector<ExportFormat> kFormats = {
      {"json", "bits, scales, costs and origin of every layer", ".json", kIntegers,
       write_policy_json},
      {"csv", "the same, a line a layer", ".csv", kIntegers, write_policy_csv},
      {"qonnx", "ONNX with QONNX's Quant nodes (Brevitas, FINN, hls4ml)", ".qonnx.onnx", kIntegers,
       write_qonnx},
      {"qcdq", "ONNX with QuantizeLinear, Clip, DequantizeLinear (any runtime)", ".qcdq.onnx",
       kIntegers, write_qcdq},
      {"packed", "packed integers, text for $readmemh and a C header", "_packed/", kIntegers,
       write_packed},
      {"golden", "inputs, sums and outputs of every layer for some images (NumPy)", "_golden/",
       kImages, write_golden},
      {"haq-lut", "cycles of every layer at every pair of bits, HAQ's table (NumPy)", "_lut.npy",
       kCycles, write_haq_lut},
  };
  return kFormats;
}

const ExportFormat& export_format(const std::string& name) {
  std::vector<std::string> names;
  for (const ExportFormat& format : export_formats()) {
    if (format.name == name) return format;
    names.emplace_back(format.name);
  }
  fail_usage("there is no format '{}'{}; there are {}", name, suggestion(name, names),
             fmt::join(names, ", "));
}

bool has_odd_weights(const QuantisedNetwork& network, std::size_t layer) {
  return network.device_codes[layer] == DeviceCodes::odd_weights();
}

std::vector<float> weight_scales(const QuantisedNetwork& network, std::size_t layer) {
  // A unit of the sums is the product of two numbers of single precision, exact in double.
  const QuantisedNode& node = network.nodes[static_cast<std::size_t>(network.layer_nodes[layer])];
  const auto point = static_cast<std::size_t>(network.scheme.point_of_layer[layer]);
  std::vector<float> scales;
  for (const double unit : node.sum_scales) {
    scales.push_back(static_cast<float>(unit / network.formats[point].scale));
  }
  return scales;
}

std::vector<std::int64_t> weight_shape(const Layer& layer) {
  return {layer.out_channels, layer.in_channels / layer.groups, layer.kernel_h, layer.kernel_w};
}

std::vector<std::int16_t> hardware_codes(const QuantisedNetwork& network, std::size_t layer) {
  std::vector<std::int16_t> codes =
      network.nodes[static_cast<std::size_t>(network.layer_nodes[layer])].weights;
  if (has_odd_weights(network, layer)) {
    for (std::int16_t& code : codes) code = static_cast<std::int16_t>((code - 1) / 2);
  }
  return codes;
}

}  // namespace bittern
