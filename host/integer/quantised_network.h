#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "host/integer/device_codes.h"
#include "host/integer/rescale.h"
#include "host/integer/scheme.h"
#include "host/integer/stated_node.h"
#include "host/integer/threshold.h"
#include "host/network/graph.h"

namespace bittern {

/// Integers that stand for real values: value = code * scale. There is no zero point: code 0 is 0,
/// so that padding is exact.
struct CodeFormat {
  CodeRange range;
  float scale = 1.0f;
};

/// How the weights of a layer become codes: one scale, or one for each output channel.
struct WeightFormat {
  CodeRange range;
  std::vector<float> scales;
};

/// A sum of codes times real factors plus a real number, as integers compute it:
/// floor((factors[0] * x0 + factors[1] * x1 + ... + offset) / 2^shift + 1/2).
struct ScaledSum {
  std::vector<std::int32_t> factors;
  std::int64_t offset = 0;
  int shift = 1;  ///< 1 .. 62

  /// The nearest to real factors and a real number. The common shift gives the greatest factor 31
  /// bits, or fewer where the number would need more than 61. Throws Error for what is not finite
  /// or beyond 2^30.
  static ScaledSum of(const std::vector<double>& factors, double offset);
};

/// What a node computes with, beside the codes of its inputs. Each op uses its own part.
struct QuantisedNode {
  /// Codes of a layer's weights, [out_channel][in_channel / groups][kernel_h][kernel_w].
  std::vector<std::int16_t> weights;
  std::vector<std::int32_t> bias;  ///< layer: one for each output channel, in units of its sums
  /// Layer: value of one unit of the sums (scale of weights times scale of activations), one, or
  /// one for each output channel. Average pooling that is the answer: of its sums, divided by the
  /// pixels of the window, for each output pixel.
  std::vector<double> sum_scales;
  /// From sums to the codes of the output. Layer: like sum_scales. Average pooling: for each output
  /// pixel. Concatenation: for each input. Empty where the sums are the answer.
  std::vector<Rescale> outputs;
  Rescale input;  ///< layer: from the codes of the map that it takes to its own
  /// Addition: one, over the inputs. Normalisation, batch norm: one for each channel.
  std::vector<ScaledSum> sums;
  int low = 0;             ///< clip: bounds, as codes of its map
  std::vector<int> highs;  ///< one, or one for each channel
};

/// A network in integers: weights and activations of at most 8 bits, sums of 32. All that it takes
/// to compute it is here; host/integer/integer_executor.h does. Batch norms should have been folded
/// before: those that were not are computed on codes, with a rounding of their own.
struct QuantisedNetwork {
  std::string name;
  Graph graph;
  QuantisationScheme scheme;
  std::vector<Layer> layers;         ///< of the graph
  std::vector<int> layer_nodes;      ///< the nodes that these are
  std::vector<Precision> precision;  ///< of each layer
  /// Of each layer. Odd codes of weights (CodeRange::odd) have one bit more than the policy says.
  std::vector<DeviceCodes> device_codes;
  std::vector<CodeFormat> formats;   ///< of each point of the scheme
  std::vector<QuantisedNode> nodes;  ///< of each node; stated quantisers: weights of layers only

  /// Where the network states its quantisers (stated_network()): of each node, in place of scheme
  /// and formats, which are empty then; otherwise empty.
  std::vector<StatedNode> stated;
  int answer_source = kImage;            ///< likewise: whose integers the answer has
  std::vector<Reading> answer_readings;  ///< of each channel

  const CodeFormat& format_of(int source) const {
    return formats[static_cast<std::size_t>(scheme.point_of(source))];
  }
  /// Hexadecimal SHA-256 over everything that decides an answer.
  std::string hash() const;
};

/// The format of the image: bytes in steps of 1 / 255.
CodeFormat image_format();

/// Code of a weight or an activation, as LinearQuantiser::codes() has it: in single precision, ties
/// to even.
int code_of(float value, float scale, const CodeRange& range);

}  // namespace bittern
