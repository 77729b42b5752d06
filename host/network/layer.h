#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bittern {

/// Kinds of quantisable operation.
enum class LayerKind { kConv, kDepthwise, kLinear };

/// "conv", "depthwise" or "linear".
const char* layer_kind_name(LayerKind kind);

/// Shape of one quantisable operation, for one image (batch 1), in NCHW terms. Filters are
/// out_channels x (in_channels / groups) x kernel_h x kernel_w. A linear layer has height, width,
/// kernel, stride and dilation of 1. Depthwise means groups == in_channels (out_channels a multiple
/// of it).
struct Layer {
  std::string name;
  LayerKind kind = LayerKind::kConv;
  int in_channels = 1;
  int in_height = 1;
  int in_width = 1;
  int out_channels = 1;
  int kernel_h = 1;
  int kernel_w = 1;
  int stride_h = 1;
  int stride_w = 1;
  /// Pixels from one position of the kernel to the next; 1: none is left out.
  int dilation_h = 1;
  int dilation_w = 1;
  int pad_top = 0;
  int pad_bottom = 0;
  int pad_left = 0;
  int pad_right = 0;
  int groups = 1;
  /// Whether the layer's input activations are signed (no ReLU before it).
  bool signed_input = false;

  /// Output height and width in pixels.
  int out_height() const { return (in_height + pad_top + pad_bottom - reach_h()) / stride_h + 1; }
  int out_width() const { return (in_width + pad_left + pad_right - reach_w()) / stride_w + 1; }
  /// Rows and columns from the first to the last position of the kernel, both counted.
  int reach_h() const { return (kernel_h - 1) * dilation_h + 1; }
  int reach_w() const { return (kernel_w - 1) * dilation_w + 1; }
  /// Whether positions of the kernel have pixels between them that it leaves out.
  bool dilated() const { return reach_h() != kernel_h || reach_w() != kernel_w; }
  /// Length of one dot product: in_channels / groups * kernel_h * kernel_w.
  std::int64_t reduction() const;
  /// Multiply-accumulates for one image.
  std::int64_t macs() const;
  /// Number of weights (biases not counted).
  std::int64_t weights() const;
  /// Number of input activations of one image.
  std::int64_t inputs() const;
  /// Number of outputs of one image.
  std::int64_t outputs() const;
  /// Canonical text of the shape without the name (and without signedness, which belongs to the
  /// precision): two layers with equal keys cost the same at the same precision. Goes
  /// into content keys.
  std::string key() const;
  /// Throws Error naming the layer and the field when the shape is impossible (zero or negative
  /// sizes, groups that do not divide, a kernel with its dilation larger than the padded input,
  /// sizes beyond 2^31 elements).
  void validate() const;
};

/// Most bits of an operand that anything here knows. Cores and searches may take fewer.
constexpr int kMostBits = 16;

/// Bitwidths of one layer.
struct BitPair {
  int weight = 8;
  int activation = 8;
  bool operator==(const BitPair& other) const {
    return weight == other.weight && activation == other.activation;
  }
  bool operator!=(const BitPair& other) const { return !(*this == other); }
};

/// One bit pair per layer, in the network's layer order.
using Policy = std::vector<BitPair>;

/// Bits and signedness with which a layer runs on a device. Weights are two's complement unless
/// said otherwise.
struct Precision {
  BitPair bits;
  bool weight_signed = true;
  bool activation_signed = false;

  /// "w4s a8u": canonical text, goes into content keys.
  std::string key() const;
};

}  // namespace bittern
