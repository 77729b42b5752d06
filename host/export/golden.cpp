// What every layer takes and gives for some images, as the integer executor computes it: for test
// benches and for other implementations.
#include <fmt/format.h>

#include "host/base/file.h"
#include "host/base/json.h"
#include "host/export/formats.h"
#include "host/export/npy_file.h"
#include "host/integer/integer_executor.h"

namespace bittern {
namespace {

using nlohmann::json;

/// What is collected of a layer, image after image.
struct Vectors {
  std::vector<std::int16_t> input;
  std::vector<std::int32_t> sums;
  std::vector<std::int16_t> output;
};

template <typename T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

}  // namespace

void write_golden(const ExportInput& input, const std::filesystem::path& path) {
  const QuantisedNetwork& network = *input.integers;
  const IntegerExecutor executor(network);
  std::vector<Vectors> layers(network.layers.size());
  std::vector<float> logits;
  std::vector<std::uint8_t> pixels;
  for (const Bytes image : input.images.images) {
    pixels.insert(pixels.end(), image.begin(), image.end());
    IntegerValues values = executor.begin(image);
    for (std::size_t node = 0; node < network.graph.nodes.size(); ++node) {
      const int place = executor.layer_of_node(node);
      if (place < 0) {
        executor.compute(node, values);
        continue;
      }
      Vectors& layer = layers[static_cast<std::size_t>(place)];
      const auto codes = executor.layer_input(static_cast<std::size_t>(place), values);
      const auto sums = executor.layer_sums(static_cast<std::size_t>(place), codes);
      append(layer.input, codes);
      append(layer.sums, sums);
      executor.finish_layer(static_cast<std::size_t>(place), sums, values);
      append(layer.output, values.nodes[node]);
    }
    append(logits, executor.answer(values));
  }

  const auto images = static_cast<std::int64_t>(input.images.images.size());
  json manifest = {{"format", "bittern-golden-1"}, {"network", network.name},
                   {"integers", network.hash()},   {"images", images},
                   {"layers", json::array()},      {"origin", input.origin}};
  const auto write = [&](const std::string& file, const std::string& text) {
    write_file(path / file, text);
    return file;
  };
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    const QuantisedNode& node = network.nodes[static_cast<std::size_t>(network.layer_nodes[i])];
    const std::vector<std::int64_t> out = {images, layer.out_channels, layer.out_height(),
                                           layer.out_width()};
    // Names of layers may be those of no file.
    const std::string stem = fmt::format("layer{:03}", i);
    json entry = {{"name", layer.name}, {"shape", layer.key()}};
    entry["weights"] = write(stem + "_weights.npy", npy_text(weight_shape(layer), node.weights));
    // Where the network states its quantisers there is no bias in units of the sums.
    entry["bias"] =
        node.bias.empty()
            ? json(nullptr)
            : json(write(stem + "_bias.npy", npy_text({layer.out_channels}, node.bias)));
    entry["input"] = write(
        stem + "_input.npy",
        npy_text({images, layer.in_channels, layer.in_height, layer.in_width}, layers[i].input));
    entry["sums"] = write(stem + "_sums.npy", npy_text(out, layers[i].sums));
    // The answer has no codes; stated quantisers need not stand straight behind the layer.
    entry["output"] = node.outputs.empty()
                          ? json(nullptr)
                          : json(write(stem + "_output.npy", npy_text(out, layers[i].output)));
    manifest["layers"].push_back(entry);
  }
  const Shape& shape = network.graph.input;
  manifest["pixels"] =
      write("images.npy", npy_text({images, shape.channels, shape.height, shape.width}, pixels));
  manifest["logits"] = write("logits.npy", npy_text({images, classes_of(network.graph)}, logits));
  manifest["labels"] =
      write("labels.npy", npy_text({images}, std::vector<std::int32_t>(input.images.labels.begin(),
                                                                       input.images.labels.end())));
  write_file(path / "manifest.json", printed_json(manifest) + "\n");
}

}  // namespace bittern
