#include "host/network/shape_walk.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "host/base/error.h"
#include "host/base/text.h"
#include "host/network/layer_name.h"

namespace bittern {
namespace {

constexpr std::int64_t kMax = 1 << 24;

/// An integer or [height, width].
std::array<int, 2> pair_of(const YamlNode& node, std::int64_t low) {
  if (!node.is_sequence()) {
    const int both = static_cast<int>(node.integer(low, kMax));
    return {both, both};
  }
  const auto values = node.integers(low, kMax, 2, 2);
  return {static_cast<int>(values[0]), static_cast<int>(values[1])};
}

/// Kernel, stride and padding of a window that slides over a map.
struct Window {
  std::array<int, 2> kernel{1, 1};
  std::array<int, 2> stride{1, 1};
  std::array<int, 4> pad{0, 0, 0, 0};  ///< top, bottom, left, right
};

/// Padding on both sides of one axis so that output = ceil(size / stride); the odd one goes last.
std::array<int, 2> same_padding(int size, int kernel, int stride) {
  const int out = (size + stride - 1) / stride;
  const std::int64_t all =
      std::max<std::int64_t>(0, std::int64_t{out - 1} * stride + kernel - size);
  return {static_cast<int>(all / 2), static_cast<int>(all - all / 2)};
}

Window window_of(const YamlMap& map, const MapShape& in, bool stride_is_kernel) {
  Window window;
  window.kernel = pair_of(map.at("kernel"), 1);
  if (stride_is_kernel) window.stride = window.kernel;
  if (const auto stride = map.find("stride")) window.stride = pair_of(*stride, 1);
  const auto pad = map.find("pad");
  if (!pad) return window;
  if (pad->is_sequence() && pad->items().size() == 4) {
    const auto values = pad->integers(0, kMax, 4, 4);
    std::transform(values.begin(), values.end(), window.pad.begin(),
                   [](std::int64_t value) { return static_cast<int>(value); });
  } else if (pad->is_scalar() && pad->text() == "same") {
    const auto rows = same_padding(in.height, window.kernel[0], window.stride[0]);
    const auto columns = same_padding(in.width, window.kernel[1], window.stride[1]);
    window.pad = {rows[0], rows[1], columns[0], columns[1]};
  } else {
    const auto both = pair_of(*pad, 0);
    window.pad = {both[0], both[0], both[1], both[1]};
  }
  return window;
}

}  // namespace

ShapeWalk::ShapeWalk(const MapShape& input) : current_(input) { named_["input"] = input; }

void ShapeWalk::add(const YamlNode& entry) {
  const auto one = entry.entries(1, 1);
  const std::string& kind = one[0].first;
  const YamlNode& body = one[0].second;
  if (kind == "conv") return add_conv(body, LayerKind::kConv);
  if (kind == "depthwise") return add_conv(body, LayerKind::kDepthwise);
  if (kind == "linear") return add_linear(body);
  if (kind == "pool") return add_pool(body);
  entry.fail("unknown layer kind '" + kind + "'" +
             suggestion(kind, {"conv", "depthwise", "linear", "pool"}));
}

MapShape ShapeWalk::source(const YamlMap& map) const {
  MapShape in = current_;
  if (const auto from = map.find("from")) {
    const auto it = named_.find(from->text());
    if (it == named_.end()) {
      std::vector<std::string> names;
      for (const auto& [name, shape] : named_) names.push_back(name);
      from->fail("no earlier entry is called '" + from->text() + "'" +
                 suggestion(from->text(), names));
    }
    in = it->second;
  }
  if (const auto stated = map.find("in")) {
    const auto values = stated->integers(1, kMax, 3, 3);
    if (values != std::vector<std::int64_t>{in.channels, in.height, in.width}) {
      stated->fail(
          fmt::format("the file says [{}, {}, {}], but the layers before it give "
                      "[{}, {}, {}] (channels, height, width)",
                      values[0], values[1], values[2], in.channels, in.height, in.width));
    }
  }
  return in;
}

void ShapeWalk::remember(const std::string& name, const YamlNode& entry, const MapShape& shape) {
  current_ = shape;
  if (name.empty()) return;
  const std::string fault = layer_name_fault(name);
  if (!fault.empty()) {
    entry.fail("name '" + shortened(name) + "': " + fault);
  }
  if (!named_.emplace(name, shape).second) {
    entry.fail("a second entry called '" + name + "'");
  }
}

void ShapeWalk::finish(const YamlMap& map, const Layer& layer, const MapShape& in,
                       const YamlNode& entry) {
  try {
    layer.validate();
  } catch (const Error& error) {
    entry.fail(error.what());
  }
  const bool relu = map.boolean("relu", true);
  const Source source{static_cast<int>(layers_.size()), {}};
  remember(layer.name, entry,
           {layer.out_channels, layer.out_height(), layer.out_width(), !relu, source});
  layers_.push_back(layer);
  wiring_.push_back({in.source, relu, entry.where()});
}

void ShapeWalk::add_conv(const YamlNode& entry, LayerKind kind) {
  const bool depthwise = kind == LayerKind::kDepthwise;
  std::vector<std::string> keys = {"name", "kernel", "stride", "pad", "out", "relu", "from", "in"};
  if (!depthwise) keys.push_back("groups");
  const YamlMap map(entry, keys);
  const MapShape in = source(map);
  const Window window = window_of(map, in, false);
  Layer layer;
  layer.name = map.text("name");
  layer.kind = kind;
  layer.in_channels = in.channels;
  layer.in_height = in.height;
  layer.in_width = in.width;
  layer.signed_input = in.is_signed;
  if (depthwise) {
    layer.groups = in.channels;
    layer.out_channels = static_cast<int>(map.integer("out", 1, kMax, in.channels));
  } else {
    layer.groups = static_cast<int>(map.integer("groups", 1, kMax, 1));
    layer.out_channels = static_cast<int>(map.integer("out", 1, kMax));
  }
  layer.kernel_h = window.kernel[0];
  layer.kernel_w = window.kernel[1];
  layer.stride_h = window.stride[0];
  layer.stride_w = window.stride[1];
  layer.pad_top = window.pad[0];
  layer.pad_bottom = window.pad[1];
  layer.pad_left = window.pad[2];
  layer.pad_right = window.pad[3];
  finish(map, layer, in, entry);
}

void ShapeWalk::add_linear(const YamlNode& entry) {
  const YamlMap map(entry, {"name", "out", "relu", "from", "in"});
  const MapShape in = source(map);
  const std::int64_t inputs = std::int64_t{in.channels} * in.height;
  if (inputs > kMax || inputs * in.width > kMax) {
    entry.fail(fmt::format("a linear layer over {}x{}x{} inputs has more than {} of them",
                           in.channels, in.height, in.width, kMax));
  }
  Layer layer;
  layer.name = map.text("name");
  layer.kind = LayerKind::kLinear;
  layer.in_channels = in.channels * in.height * in.width;
  layer.out_channels = static_cast<int>(map.integer("out", 1, kMax));
  layer.signed_input = in.is_signed;
  finish(map, layer, in, entry);
}

void ShapeWalk::add_pool(const YamlNode& entry) {
  const YamlMap map(entry, {"name", "kernel", "stride", "pad", "global", "from", "in"});
  const MapShape in = source(map);
  MapShape out = in;
  if (map.boolean("global", false)) {
    for (const char* key : {"kernel", "stride", "pad"}) {
      if (map.has(key)) map.at(key).fail("not used with global: true");
    }
    out.height = 1;
    out.width = 1;
    Pool pool;
    pool.global = true;
    pool.where = entry.where();
    out.source.pools.push_back(pool);
  } else {
    // Pooling has the same window arithmetic as a depthwise convolution.
    const Window window = window_of(map, in, true);
    Layer layer;
    layer.name = map.text("name", "pool");
    layer.kind = LayerKind::kDepthwise;
    layer.in_channels = layer.out_channels = layer.groups = in.channels;
    layer.in_height = in.height;
    layer.in_width = in.width;
    layer.kernel_h = window.kernel[0];
    layer.kernel_w = window.kernel[1];
    layer.stride_h = window.stride[0];
    layer.stride_w = window.stride[1];
    layer.pad_top = window.pad[0];
    layer.pad_bottom = window.pad[1];
    layer.pad_left = window.pad[2];
    layer.pad_right = window.pad[3];
    try {
      layer.validate();
    } catch (const Error& error) {
      entry.fail(error.what());
    }
    out.height = layer.out_height();
    out.width = layer.out_width();
    out.source.pools.push_back({window.kernel[0], window.kernel[1], window.stride[0],
                                window.stride[1], window.pad[0], window.pad[1], window.pad[2],
                                window.pad[3], false, entry.where()});
  }
  remember(map.text("name", ""), entry, out);
}

}  // namespace bittern
