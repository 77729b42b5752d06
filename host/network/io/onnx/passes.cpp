#include "host/network/io/onnx/passes.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "host/network/passes/ranges.h"

namespace bittern::onnx_io {
namespace {

Graph without_unused(const Graph& graph) {
  std::vector<bool> removed = nodes_in_use(graph);
  removed.flip();
  // What nothing uses may stand before what is left; without_nodes() puts its input in its place.
  return without_nodes(graph, removed);
}

/// Whether `node` computes the same when the border of `pad` is its own padding.
bool takes_border(const Node& node, const Node& pad, const Range& range) {
  const Attributes& a = node.attributes;
  const Attributes& p = pad.attributes;
  if (p.border != BorderMode::kValue) return false;
  if (node.op == Op::kConv) return p.value == 0.0;
  const bool fits = a.pad_top + p.pad_top < a.kernel_h &&
                    a.pad_bottom + p.pad_bottom < a.kernel_h &&
                    a.pad_left + p.pad_left < a.kernel_w && a.pad_right + p.pad_right < a.kernel_w;
  if (!fits || a.ceil) return false;
  if (node.op == Op::kMaxPool) return p.value <= range.low;
  const bool bare = a.pad_top + a.pad_bottom + a.pad_left + a.pad_right == 0;
  return node.op == Op::kAveragePool && p.value == 0.0 && (bare || a.count_padding);
}

Graph with_own_borders(Graph graph) {
  const std::vector<Range> ranges = mark_ranges(graph);
  const std::vector<int> uses = use_counts(graph);
  std::vector<bool> removed(graph.nodes.size(), false);
  for (Node& node : graph.nodes) {
    if (node.inputs.empty() || node.inputs[0] == kImage) continue;
    const auto before = static_cast<std::size_t>(node.inputs[0]);
    const Node& pad = graph.nodes[before];
    if (pad.op != Op::kPad || uses[before] != 1 || removed[before]) continue;
    const int source = pad.inputs[0];
    const Range range =
        source == kImage ? image_range(graph) : ranges[static_cast<std::size_t>(source)];
    if (!takes_border(node, pad, range)) continue;
    Attributes& a = node.attributes;
    a.pad_top += pad.attributes.pad_top;
    a.pad_bottom += pad.attributes.pad_bottom;
    a.pad_left += pad.attributes.pad_left;
    a.pad_right += pad.attributes.pad_right;
    if (node.op == Op::kAveragePool) a.count_padding = true;
    removed[before] = true;
  }
  return without_nodes(graph, removed);
}

/// What a batch norm multiplies with and adds, for each channel.
struct Affine {
  std::vector<double> scale;
  std::vector<double> shift;
};

Affine affine_of(const Node& node, const NamedTensors& weights) {
  Affine affine;
  if (node.op == Op::kNormalise) {
    for (std::size_t c = 0; c < node.attributes.mean.size(); ++c) {
      affine.scale.push_back(1.0 / node.attributes.deviation[c]);
      affine.shift.push_back(-node.attributes.mean[c] / node.attributes.deviation[c]);
    }
    return affine;
  }
  const auto values = [&](const char* tensor) -> const std::vector<float>& {
    return weights.at(node.name + "." + tensor).values;
  };
  for (std::size_t c = 0; c < values("weight").size(); ++c) {
    // In floats, where kNoEpsilon changes nothing.
    const auto variance =
        static_cast<float>(double{values("running_var")[c]} + node.attributes.epsilon);
    const double scale = values("weight")[c] / std::sqrt(double{variance});
    affine.scale.push_back(scale);
    affine.shift.push_back(values("bias")[c] - values("running_mean")[c] * scale);
  }
  return affine;
}

/// Whether floats hold it; as a normalisation: whether a network file may have it.
bool can_be_kept(const Affine& affine, bool normalisation) {
  constexpr double kMostFloat = 3e38;
  constexpr double kMost = 1e6;
  for (std::size_t c = 0; c < affine.scale.size(); ++c) {
    const double scale = affine.scale[c];
    const double shift = affine.shift[c];
    const bool fits = normalisation
                          ? scale > 1 / kMost && scale < kMost && std::abs(shift / scale) < kMost
                          : std::abs(scale) < kMostFloat && std::abs(shift) < kMostFloat;
    if (!fits) return false;
  }
  return true;
}

/// Two that follow one another as one; what is not possible (a normalisation that would multiply
/// with 0 or less) stays.
Graph with_merged_affines(Graph graph, NamedTensors& weights) {
  const std::vector<int> uses = use_counts(graph);
  std::vector<bool> removed(graph.nodes.size(), false);
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    Node& second = graph.nodes[i];
    if (second.op != Op::kBatchNorm || second.inputs[0] == kImage) continue;
    const auto before = static_cast<std::size_t>(second.inputs[0]);
    const Node first = graph.nodes[before];
    if ((first.op != Op::kBatchNorm && first.op != Op::kNormalise) || uses[before] != 1 ||
        first.shape != second.shape) {
      continue;
    }
    const Affine a = affine_of(first, weights);
    const Affine b = affine_of(second, weights);
    Affine both = a;
    for (std::size_t c = 0; c < a.scale.size(); ++c) {
      both.scale[c] = a.scale[c] * b.scale[c];
      both.shift[c] = a.shift[c] * b.scale[c] + b.shift[c];
    }
    if (!can_be_kept(both, first.op == Op::kNormalise)) continue;
    if (first.op == Op::kNormalise) {
      second.op = Op::kNormalise;
      second.name = first.name;
      second.attributes = first.attributes;
      for (std::size_t c = 0; c < both.scale.size(); ++c) {
        second.attributes.mean[c] = -both.shift[c] / both.scale[c];
        second.attributes.deviation[c] = 1.0 / both.scale[c];
      }
    } else {
      const std::string name = second.name;
      for (std::size_t c = 0; c < both.scale.size(); ++c) {
        weights.at(name + ".weight").values[c] = static_cast<float>(both.scale[c]);
        weights.at(name + ".bias").values[c] = static_cast<float>(both.shift[c]);
        weights.at(name + ".running_mean").values[c] = 0.0F;
        weights.at(name + ".running_var").values[c] = 1.0F;
      }
      second.attributes.epsilon = kNoEpsilon;
    }
    removed[before] = true;
  }
  return without_nodes(graph, removed);
}

/// Values that are moved and then seen with other extents, as one operation.
Graph with_merged_views(Graph graph) {
  const std::vector<int> uses = use_counts(graph);
  std::vector<bool> removed(graph.nodes.size(), false);
  for (Node& second : graph.nodes) {
    if (second.op != Op::kRearrange || !second.attributes.view.empty()) continue;
    if (second.inputs[0] == kImage) continue;
    const auto before = static_cast<std::size_t>(second.inputs[0]);
    const Node& first = graph.nodes[before];
    if (first.op != Op::kRearrange || uses[before] != 1) continue;
    second.attributes.view = first.attributes.view;
    second.attributes.order = first.attributes.order;
    removed[before] = true;
  }
  return without_nodes(graph, removed);
}

}  // namespace

Graph tidied(const Graph& graph, NamedTensors& weights) {
  return with_merged_affines(with_own_borders(with_merged_views(without_unused(graph))), weights);
}

}  // namespace bittern::onnx_io
