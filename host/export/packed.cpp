// Integers as hardware and C programs take them.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <cstdint>
#include <string>
#include <vector>

#include "host/base/file.h"
#include "host/export/formats.h"

namespace bittern {
namespace {

/// Codes one behind the other, each with its lowest bits, the first in the lowest bits of the first
/// byte. Output channels begin at whole bytes.
std::string packed(const std::vector<std::int16_t>& codes, int bits, int out_channels) {
  const auto channels = static_cast<std::size_t>(out_channels);
  const std::size_t length = codes.size() / channels;
  const std::size_t stride = (length * static_cast<std::size_t>(bits) + 7) / 8;
  std::string out(stride * channels, '\0');
  for (std::size_t i = 0; i < codes.size(); ++i) {
    const std::size_t first = i / length * stride * 8 + i % length * static_cast<std::size_t>(bits);
    for (int bit = 0; bit < bits; ++bit) {
      if (((codes[i] >> bit) & 1) == 0) continue;
      const std::size_t at = first + static_cast<std::size_t>(bit);
      out[at / 8] = static_cast<char>(static_cast<unsigned char>(out[at / 8]) | 1u << at % 8);
    }
  }
  return out;
}

/// One code a line in hexadecimal digits, as $readmemh reads them.
template <typename T>
std::string hexadecimal(const std::vector<T>& codes, int bits) {
  std::string out;
  const std::uint64_t mask = (std::uint64_t{1} << bits) - 1;
  for (const T code : codes) {
    out += fmt::format("{:0{}x}\n", static_cast<std::uint64_t>(std::int64_t{code}) & mask,
                       (bits + 3) / 4);
  }
  return out;
}

/// A name that C takes, in its own name space.
std::string c_name(const std::string& network) {
  std::string out = "bittern_";
  for (const char c : network) {
    out += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  }
  return out;
}

/// Names come from files: what is no plain character, or could end a comment, is not written.
std::string plain(const std::string& text) {
  std::string out;
  for (const char c : text) {
    out += std::isprint(static_cast<unsigned char>(c)) != 0 && c != '*' ? c : '?';
  }
  return out;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : plain(text)) {
    if (c == '"' || c == '\\' || c == '?') out += '\\';  // "??" begins a trigraph
    out += c;
  }
  return out + '"';
}

/// What the header says of a layer, in this order. Designated initialisers, so that a reader of the
/// file sees what is what.
constexpr const char* kLayerType = R"(struct bittern_layer {
  const char *name;
  int in_channels, in_height, in_width, out_channels, out_height, out_width;
  int kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, pad_top, pad_left, groups;
  int weight_bits, odd_weights, activation_bits, activation_signed;
  int32_t input_multiplier;    /* from the codes of the map that the layer takes to its own, ... */
  uint8_t input_shift;         /* ... rescaled as outputs are; 2^30 and 30: they are the same */
  int output_low, output_high; /* what the output is clamped to, a ReLU included */
  uint32_t weights;            /* first byte in weights.bin */
  uint32_t bias;               /* first number in biases.bin */
  int rescales;                /* multipliers and shifts: 0, 1, or one for each output channel */
  const int32_t *multiplier;
  const uint8_t *shift;
  int sum_scales; /* 1, or one for each output channel */
  const double *sum_scale;
};
)";

constexpr const char* kExplanation =
    R"( * sum    = bias[o] + weight . input, 32 bits
 * output = clamp((sum * multiplier + (1 << (shift - 1))) >> shift), 64 bits, arithmetic shift
 *
 * weights.bin, or layerNNN_weights.mem for $readmemh: codes in the order output channel, input
 * channel of the group, row, column; weight_bits bits each, two's complement, the first in the lowest
 * bits of the first byte; every output channel begins at a whole byte. Where odd_weights is 1, a code
 * c stands for the weight 2 c + 1: sum = bias + 2 (c . input) + the sum of the window's inputs.
 * biases.bin, or layerNNN_bias.mem: 32 bits each, little endian.
 * A layer without rescales gives the answer: sums times sum_scale.
)";

/// Everything of a layer, collected for the files that hold all layers.
class Packer {
 public:
  explicit Packer(const QuantisedNetwork& network)
      : network_(network), name_(c_name(network.name)) {}

  void add(std::size_t i) {
    const Layer& layer = network_.layers[i];
    const auto index = static_cast<std::size_t>(network_.layer_nodes[i]);
    const QuantisedNode& node = network_.nodes[index];
    const int bits = network_.precision[i].bits.weight;
    const std::string own = fmt::format("{}_{:03}", name_, i);
    const bool rescaled = !node.outputs.empty();
    if (rescaled) {
      std::vector<std::int32_t> multipliers;
      std::vector<int> shifts;
      for (const Rescale& output : node.outputs) {
        multipliers.push_back(output.multiplier);
        shifts.push_back(output.shift);
      }
      array("int32_t", own + "_multiplier", multipliers);
      array("uint8_t", own + "_shift", shifts);
    }
    array("double", own + "_sum_scale", node.sum_scales);

    rows_ += "  {\n";
    field("name", quoted(layer.name));
    field("in_channels", layer.in_channels);
    field("in_height", layer.in_height);
    field("in_width", layer.in_width);
    field("out_channels", layer.out_channels);
    field("out_height", layer.out_height());
    field("out_width", layer.out_width());
    field("kernel_h", layer.kernel_h);
    field("kernel_w", layer.kernel_w);
    field("stride_h", layer.stride_h);
    field("stride_w", layer.stride_w);
    field("dilation_h", layer.dilation_h);
    field("dilation_w", layer.dilation_w);
    field("pad_top", layer.pad_top);
    field("pad_left", layer.pad_left);
    field("groups", layer.groups);
    field("weight_bits", bits);
    field("odd_weights", has_odd_weights(network_, i) ? 1 : 0);
    field("activation_bits", network_.precision[i].bits.activation);
    field("activation_signed", network_.precision[i].activation_signed ? 1 : 0);
    field("input_multiplier", node.input.multiplier);
    field("input_shift", node.input.shift);
    if (rescaled) {
      const CodeRange out = network_.format_of(static_cast<int>(index)).range;
      const bool relu = network_.graph.nodes[index].attributes.relu;
      field("output_low", relu ? std::max(out.low, 0) : out.low);
      field("output_high", out.high);
    }
    field("weights", weights_.size());
    field("bias", biases_.size() / sizeof(std::int32_t));
    field("rescales", node.outputs.size());
    if (rescaled) {
      field("multiplier", own + "_multiplier");
      field("shift", own + "_shift");
    }
    field("sum_scales", node.sum_scales.size());
    field("sum_scale", own + "_sum_scale");
    rows_ += "  },\n";

    weights_ += packed(hardware_codes(network_, i), bits, layer.out_channels);
    for (const std::int32_t bias : node.bias) {
      for (int byte = 0; byte < 4; ++byte) {
        biases_ += static_cast<char>((static_cast<std::uint32_t>(bias) >> 8 * byte) & 0xff);
      }
    }
  }

  const std::string& weights() const { return weights_; }
  const std::string& biases() const { return biases_; }

  std::string header(const std::string& version) const {
    const std::string guard = name_ + "_H";
    std::string out = fmt::format("/* {} in integers (hash {}), exported by Bittern {}.\n *\n",
                                  plain(network_.name), network_.hash(), version);
    out += kExplanation;
    out += fmt::format(" */\n#ifndef {0}\n#define {0}\n\n#include <stdint.h>\n\n", guard);
    // Several networks may be part of one program.
    out += "#ifndef BITTERN_LAYER\n#define BITTERN_LAYER\n";
    out += kLayerType;
    out += "#endif\n\n" + arrays_;
    out += fmt::format("\nstatic const struct bittern_layer {}[{}] = {{\n{}}};\n\n#endif\n", name_,
                       network_.layers.size(), rows_);
    return out;
  }

 private:
  template <typename T>
  void array(const char* type, const std::string& name, const std::vector<T>& values) {
    arrays_ += fmt::format("static const {} {}[{}] = {{{}}};\n", type, name, values.size(),
                           fmt::join(values, ", "));
  }
  template <typename T>
  void field(const char* name, const T& value) {
    rows_ += fmt::format("    .{} = {},\n", name, value);
  }

  const QuantisedNetwork& network_;
  const std::string name_;
  std::string weights_;
  std::string biases_;
  std::string arrays_;
  std::string rows_;
};

}  // namespace

void write_packed(const ExportInput& input, const std::filesystem::path& path) {
  const QuantisedNetwork& network = *input.integers;
  Packer packer(network);
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    packer.add(i);
    const QuantisedNode& node = network.nodes[static_cast<std::size_t>(network.layer_nodes[i])];
    write_file(path / fmt::format("layer{:03}_weights.mem", i),
               hexadecimal(hardware_codes(network, i), network.precision[i].bits.weight));
    write_file(path / fmt::format("layer{:03}_bias.mem", i), hexadecimal(node.bias, 32));
  }
  write_file(path / "weights.bin", packer.weights());
  write_file(path / "biases.bin", packer.biases());
  write_file(path / "network.h", packer.header(input.origin.value("version", "")));
}

}  // namespace bittern
