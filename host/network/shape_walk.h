#pragma once

#include <map>
#include <string>
#include <vector>

#include "host/base/yaml.h"
#include "host/network/layer.h"
#include "host/network/wiring.h"

namespace bittern {

/// Shape of a feature map of one image, whether its values are signed, and where it comes from.
struct MapShape {
  int channels = 1;
  int height = 1;
  int width = 1;
  bool is_signed = false;
  Source source = {};
};

/// Walks the `layers:` list of a network file and works out every shape from the input's. Entries
/// are mappings with one key:
///
///     - conv: {name: c1, out: 20, kernel: 5, stride: 1, pad: 0, groups: 1, relu: true}
///     - depthwise: {name: d1, kernel: 3, stride: 2, pad: 1}
///     - linear: {name: f1, out: 10, relu: false}        # flattens its input
///     - pool: {kernel: 2, stride: 2, pad: 0}            # or {global: true}; stride: kernel's
///
/// kernel and stride: an integer or [height, width]; pad: an integer, [height, width],
/// [top, bottom, left, right] or `same` (output = ceil(input / stride)). `from: name` takes the
/// output of an earlier named entry, or `input`, instead of the previous one's (branches). `relu`
/// (true unless said) makes the output unsigned. `in: [channels, height, width]` states the
/// expected input shape, which is checked.
class ShapeWalk {
 public:
  explicit ShapeWalk(const MapShape& input);
  /// Adds one entry. Throws Error with file and line.
  void add(const YamlNode& entry);
  /// The quantisable layers so far.
  const std::vector<Layer>& layers() const { return layers_; }
  /// How each of them is connected.
  const std::vector<Wiring>& wiring() const { return wiring_; }
  /// Where the map behind the last entry comes from.
  const Source& output() const { return current_.source; }

 private:
  MapShape source(const YamlMap& map) const;
  void finish(const YamlMap& map, const Layer& layer, const MapShape& in, const YamlNode& entry);
  void add_conv(const YamlNode& entry, LayerKind kind);
  void add_linear(const YamlNode& entry);
  void add_pool(const YamlNode& entry);
  void remember(const std::string& name, const YamlNode& entry, const MapShape& shape);

  MapShape current_;
  std::map<std::string, MapShape> named_;
  std::vector<Layer> layers_;
  std::vector<Wiring> wiring_;
};

}  // namespace bittern
