#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "host/network/layer.h"
#include "host/network/quantiser.h"

namespace bittern {

/// Operations of a network. host/network/ops.cpp has the table of what each of them is.
enum class Op {
  kConv,
  kLinear,
  kBatchNorm,
  kRelu,
  kClip,
  kMaxPool,
  kAveragePool,
  kAdd,
  kConcat,
  kFlatten,
  kPadChannels,
  kSlice,
  kUpsample,
  kNormalise,
  kPad,        ///< a border around the map, of one value, its edge or its mirror image
  kRearrange,  ///< the same values in another order and shape
  kQuantise,   ///< every value to the nearest one that has a code
  kGiven,  ///< a map that the file states and nothing in it makes: can be measured, not computed
};

/// Shape of the feature map of one image.
struct Shape {
  int channels = 1;
  int height = 1;
  int width = 1;
  bool operator==(const Shape& other) const {
    return channels == other.channels && height == other.height && width == other.width;
  }
  bool operator!=(const Shape& other) const { return !(*this == other); }
  /// Values of one image.
  std::int64_t elements() const { return std::int64_t{channels} * height * width; }
};

/// What padding puts around a map.
enum class BorderMode { kValue, kEdge, kReflect };

/// What an operation is told besides its inputs. Each uses those that the table of ops names.
struct Attributes {
  int kernel_h = 1;  ///< kernel, stride, dilation, padding: convolution and pooling
  int kernel_w = 1;
  int stride_h = 1;
  int stride_w = 1;
  int dilation_h = 1;  ///< convolution and max pooling
  int dilation_w = 1;
  int pad_top = 0;  ///< padding too
  int pad_bottom = 0;
  int pad_left = 0;
  int pad_right = 0;
  int out_channels = 1;  ///< convolution, fully connected
  int groups = 1;
  bool depthwise = false;      ///< one group for each input channel
  bool bias = true;            ///< whether outputs get a number of their own added
  bool ceil = false;           ///< pooling: a last window that hangs over the edge counts
  bool count_padding = false;  ///< average: padded pixels count as zeros
  double low = 0.0;            ///< clip
  double high = std::numeric_limits<double>::infinity();
  int before = 0;  ///< channel padding: channels of zeros before and after
  int after = 0;
  int step_h = 1;  ///< slice: every step-th pixel; upsampling: times each pixel is repeated
  int step_w = 1;
  std::vector<int> begin;  ///< slice: first channel, row and column; empty: 0 of each
  std::vector<int> end;    ///< slice: the ones behind the last; empty: all
  double value = 0.0;      ///< padding: of the border
  BorderMode border = BorderMode::kValue;
  std::vector<int> view;          ///< rearrange: extents that the input's values are seen with
  std::vector<int> order;         ///< rearrange: which of them is first, second, ... in the output
  std::vector<int> shape;         ///< rearrange: channels, height and width of the output
  double epsilon = 1e-5;          ///< batch norm: added to the variance
  bool relu = false;              ///< whether a ReLU is part of the node; set by fuse_relu()
  std::vector<double> mean;       ///< normalise: one for each channel
  std::vector<double> deviation;  ///< normalise: what is divided by, one for each channel
  /// quantise: what it applies. Layers: the quantiser that their weights come from; the weights in
  /// checkpoints are its values already.
  std::optional<Quantiser> quantiser;
};

/// Where the input of a node is the image itself.
constexpr int kImage = -1;

/// One operation.
struct Node {
  Op op = Op::kConv;
  /// Unique where it is not empty; layers and batch norms have one, for the tensors of checkpoints.
  std::string name;
  std::vector<int> inputs;  ///< indices of nodes, or kImage
  Attributes attributes = {};
  std::string where = {};  ///< "file:line"
  Shape shape = {};        ///< of the output; add_node() fills it in (kGiven: the stated one)
};

/// A network as a directed graph. Nodes stand behind those whose outputs they take. Weights are
/// kept beside it, under the nodes' names.
struct Graph {
  Shape input;                ///< of the image
  bool signed_input = false;  ///< whether the image has negative values
  std::vector<Node> nodes;
  int output = kImage;  ///< the node whose output the network answers with
  /// The answer for class 0. Those before it stand for no class of the data (a background); they
  /// take no part when the greatest answer is looked for.
  int first_class = 0;

  /// Shape of what `source` (a node's index or kImage) gives.
  const Shape& shape_of(int source) const;
};

/// Appends a node, works out its shape, makes it the output, and returns its index. Throws Error
/// that says what is wrong with its inputs or attributes.
int add_node(Graph& graph, Node node);

/// The layers of a graph in its order: what is measured, and has bits. Input signs come from
/// mark_ranges().
std::vector<Layer> layers(const Graph& graph);

/// The nodes that are these layers.
std::vector<int> layer_nodes(const Graph& graph);

/// Classes that a network tells apart: its answers from `first_class` on.
int classes_of(const Graph& graph);

/// For each node whether the network's answer depends on it.
std::vector<bool> nodes_in_use(const Graph& graph);

/// How many nodes take each node's output; the answer counts as one.
std::vector<int> use_counts(const Graph& graph);

/// The graph without the nodes marked in `removed`: whoever took the output of one takes that of
/// its first input.
Graph without_nodes(const Graph& graph, const std::vector<bool>& removed);

/// Canonical text of all that decides what a graph computes: graphs with equal texts and equal
/// weights compute the same. Names are in it only as places of the weights. Goes into content keys;
/// for chains of layers, ReLU and max pooling it is the text that those have always had.
std::string graph_key(const Graph& graph);

}  // namespace bittern
