#include "agent/data/dataset.h"

#include <algorithm>
#include <array>

#include "host/base/error.h"
#include "host/base/hash.h"

namespace bittern {
namespace {

/// As bytes where they fit, as labels have always been hashed; else as 32 bits, low byte first.
void hash_labels(const Dataset& data, Sha256& hash) {
  constexpr int kByte = 256;
  std::vector<std::uint8_t> bytes;
  for (const std::int32_t label : data.labels) {
    const auto value = static_cast<std::uint32_t>(label);
    for (int shift = 0; shift < (data.classes <= kByte ? 8 : 32); shift += 8) {
      bytes.push_back(static_cast<std::uint8_t>(value >> shift));
    }
  }
  hash.update(bytes);
}

}  // namespace

void Dataset::read_image(int index, MutableBytes pixels) const {
  if (store) {
    store->read(places.at(static_cast<std::size_t>(index)), pixels);
    return;
  }
  const Bytes from = image(index);
  std::copy(from.begin(), from.end(), pixels.begin());
}

Dataset Dataset::without_images() const {
  Dataset none;
  none.name = name;
  none.channels = channels;
  none.height = height;
  none.width = width;
  none.classes = classes;
  none.store = store;
  return none;
}

std::string content_hash(const Dataset& data) {
  Sha256 hash;
  hash.update_field(fmt::format("dataset-1 {} {}x{}x{} classes {}", data.size(), data.channels,
                                data.height, data.width, data.classes));
  hash.update(data.images);
  for (const int place : data.places) hash.update_field(data.store->digest(place));
  hash_labels(data, hash);
  return hash.hex();
}

Dataset subset(const Dataset& data, const std::vector<int>& indices) {
  Dataset part = data.without_images();
  if (!data.store) part.images.reserve(indices.size() * data.image_bytes());
  part.labels.reserve(indices.size());
  for (const int index : indices) {
    if (index < 0 || index >= data.size()) {
      fail("data set {}: there is no image {}, only 0..{}", data.name, index, data.size() - 1);
    }
    part.labels.push_back(data.labels[static_cast<std::size_t>(index)]);
    if (data.store) {
      part.places.push_back(data.places[static_cast<std::size_t>(index)]);
      continue;
    }
    const Bytes image = data.image(index);
    part.images.insert(part.images.end(), image.begin(), image.end());
  }
  return part;
}

}  // namespace bittern
