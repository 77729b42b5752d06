// QCDQ: QuantizeLinear, Clip and DequantizeLinear of ONNX itself, 8 bits wide, where the Clip says
// how many of them are used (Pappalardo et al., "QONNX", 2022, section IV).
#include <cmath>

#include "host/base/error.h"
#include "host/export/formats.h"
#include "host/export/network_onnx.h"

namespace bittern {
namespace {

/// Whether codes are all those of a byte, signed or not.
bool whole_byte(const CodeRange& range) {
  return range.low < 0 ? range.low == -128 && range.high == 127
                       : range.low == 0 && range.high == 255;
}

class Qcdq : public QuantiserStyle {
 public:
  void activations(OnnxFile& file, const std::string& input, const CodeFormat& format,
                   const std::string& name) override {
    const bool is_signed = format.range.low < 0;
    const std::string scale = file.constant(name + ".scale", {}, {format.scale});
    const std::string zero = file.codes(name + ".zero_point", {}, {0}, is_signed);
    std::string codes = name + ".codes";
    if (whole_byte(format.range)) {
      file.node("QuantizeLinear", {input, scale, zero}, codes);
    } else {
      file.node("QuantizeLinear", {input, scale, zero}, name + ".byte");
      clip(file, name + ".byte", format.range, codes);
    }
    file.node("DequantizeLinear", {codes, scale, zero}, name).set_name(name + ".decode");
  }

  std::string weights(OnnxFile& file, const QuantisedNetwork& network, std::size_t layer,
                      const std::vector<std::int64_t>& shape) override {
    std::string name = network.layers[layer].name + ".weight";
    if (has_odd_weights(network, layer)) {
      fail_usage(
          "layer {}: its weights are odd codes, which QCDQ has not: export qonnx (binary weights), "
          "packed or golden",
          network.layers[layer].name);
    }
    const QuantisedNode& node = network.nodes[static_cast<std::size_t>(network.layer_nodes[layer])];
    const int high = (1 << (network.precision[layer].bits.weight - 1)) - 1;
    const std::string codes = file.codes(name + ".codes", shape, node.weights, true);
    clip(file, codes, {-high, high}, name + ".clipped");
    const std::vector<float> scales = weight_scales(network, layer);
    const auto count = static_cast<std::int64_t>(scales.size());
    const bool one = count == 1;
    using Extents = std::vector<std::int64_t>;
    const Extents extents = one ? Extents{} : Extents{count};
    onnx::NodeProto& made =
        file.node("DequantizeLinear",
                  {name + ".clipped", file.constant(name + ".scale", extents, scales),
                   file.codes(name + ".zero_point", extents,
                              std::vector<std::int16_t>(scales.size(), 0), true)},
                  name);
    if (!one) set_attribute(made, "axis", std::int64_t{0});
    return name;
  }

  std::string bias(OnnxFile& file, const QuantisedNetwork& network, std::size_t layer) override {
    std::string name = network.layers[layer].name + ".bias";
    const QuantisedNode& node = network.nodes[static_cast<std::size_t>(network.layer_nodes[layer])];
    std::vector<float> units(node.sum_scales.begin(), node.sum_scales.end());
    using Extents = std::vector<std::int64_t>;
    const bool one = units.size() == 1;
    const Extents extents = one ? Extents{} : Extents{static_cast<std::int64_t>(units.size())};
    onnx::NodeProto& made = file.node("DequantizeLinear",
                                      {file.constant_int32(name + ".codes", node.bias),
                                       file.constant(name + ".scale", extents, units)},
                                      name);
    if (!one) set_attribute(made, "axis", std::int64_t{0});
    return name;
  }

 private:
  static void clip(OnnxFile& file, const std::string& input, const CodeRange& range,
                   const std::string& name) {
    const bool is_signed = range.low < 0;
    const auto bound = [&](const char* what, int value) {
      return file.codes(name + what, {}, {static_cast<std::int16_t>(value)}, is_signed);
    };
    file.node("Clip", {input, bound(".low", range.low), bound(".high", range.high)}, name);
  }
};

}  // namespace

void write_qcdq(const ExportInput& input, const std::filesystem::path& path) {
  Qcdq style;
  network_onnx(input, style).write(path);
}

}  // namespace bittern
