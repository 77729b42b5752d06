// QONNX: the nodes Quant and BipolarQuant between ONNX's own (Pappalardo et al., "QONNX", 2022;
// github.com/fastmachinelearning/qonnx, docs/qonnx-custom-ops).
#include "host/base/error.h"
#include "host/export/formats.h"
#include "host/export/network_onnx.h"

namespace bittern {
namespace {

constexpr const char* kDomain = "qonnx.custom_op.general";

/// Bits of the codes of a range.
int bits_of(const CodeRange& range) {
  int bits = 1;
  while ((range.low < 0 ? (1 << (bits - 1)) - 1 : (1 << bits) - 1) < range.high) ++bits;
  return bits;
}

class Qonnx : public QuantiserStyle {
 public:
  void activations(OnnxFile& file, const std::string& input, const CodeFormat& format,
                   const std::string& name) override {
    quant(file, input, file.constant(name + ".scale", {}, {format.scale}), bits_of(format.range),
          format.range.low < 0, name);
  }

  std::string weights(OnnxFile& file, const QuantisedNetwork& network, std::size_t layer,
                      const std::vector<std::int64_t>& shape) override {
    const Layer& of = network.layers[layer];
    std::string name = of.name + ".weight";
    const int bits = network.precision[layer].bits.weight;
    if (has_odd_weights(network, layer) && bits > 1) {
      fail_usage(
          "layer {}: its weights are odd codes of {} bits, which QONNX has not: export packed or "
          "golden",
          of.name, bits);
    }
    const std::vector<float> scales = weight_scales(network, layer);
    const std::vector<std::int16_t>& codes =
        network.nodes[static_cast<std::size_t>(network.layer_nodes[layer])].weights;
    const std::size_t length = codes.size() / static_cast<std::size_t>(of.out_channels);
    std::vector<float> values;
    values.reserve(codes.size());
    for (std::size_t i = 0; i < codes.size(); ++i) {
      values.push_back(static_cast<float>(codes[i]) * scales[scales.size() == 1 ? 0 : i / length]);
    }
    std::vector<std::int64_t> extents;
    if (scales.size() > 1) {
      extents.assign(shape.size(), 1);
      extents[0] = of.out_channels;
    }
    const std::string value = file.constant(name + ".values", shape, values);
    const std::string scale = file.constant(name + ".scale", extents, scales);
    if (has_odd_weights(network, layer)) {
      file.node("BipolarQuant", {value, scale}, name, kDomain);
      import(file);
    } else {
      quant(file, value, scale, bits, true, name);
    }
    return name;
  }

  std::string bias(OnnxFile& file, const QuantisedNetwork& network, std::size_t layer) override {
    const QuantisedNode& node = network.nodes[static_cast<std::size_t>(network.layer_nodes[layer])];
    std::vector<float> values;
    for (std::size_t c = 0; c < node.bias.size(); ++c) {
      values.push_back(
          static_cast<float>(node.bias[c] * node.sum_scales[node.sum_scales.size() == 1 ? 0 : c]));
    }
    return file.constant(network.layers[layer].name + ".bias",
                         {static_cast<std::int64_t>(values.size())}, values);
  }

 private:
  /// Signed codes are symmetric, without the least of two's complement.
  void quant(OnnxFile& file, const std::string& input, const std::string& scale, int bits,
             bool is_signed, const std::string& name) {
    onnx::NodeProto& made =
        file.node("Quant",
                  {input, scale, file.constant(name + ".zero_point", {}, {0.0f}),
                   file.constant(name + ".bits", {}, {static_cast<float>(bits)})},
                  name, kDomain);
    made.set_name(name + ".quantiser");
    set_attribute(made, "signed", std::int64_t{is_signed ? 1 : 0});
    set_attribute(made, "narrow", std::int64_t{is_signed ? 1 : 0});
    set_attribute(made, "rounding_mode", std::string("ROUND"));
    import(file);
  }

  void import(OnnxFile& file) {
    if (!imported_) file.import_domain(kDomain, 1);
    imported_ = true;
  }

  bool imported_ = false;
};

}  // namespace

void write_qonnx(const ExportInput& input, const std::filesystem::path& path) {
  Qonnx style;
  network_onnx(input, style).write(path);
}

}  // namespace bittern
