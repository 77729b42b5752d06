#include "agent/data/idx.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "agent/data/packed_file.h"
#include "host/base/error.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 30;
constexpr std::uint8_t kUnsignedByte = 8;
constexpr int kSide = 28;
constexpr int kClasses = 10;

std::uint32_t big_endian(const std::uint8_t* bytes) {
  return (std::uint32_t{bytes[0]} << 24) | (std::uint32_t{bytes[1]} << 16) |
         (std::uint32_t{bytes[2]} << 8) | std::uint32_t{bytes[3]};
}

/// Reads magic number and dimensions.
std::vector<int> read_shape(PackedReader& reader, const fs::path& path, int dimensions) {
  std::array<std::uint8_t, 4> magic{};
  reader.read_exactly(magic.data(), magic.size(), "the magic number");
  if (magic[0] != 0 || magic[1] != 0 || magic[2] != kUnsignedByte || magic[3] != dimensions) {
    fail(
        "{}: magic number {:02x}{:02x}{:02x}{:02x}, expected 0000080{} (idx, unsigned bytes, {} "
        "dimensions)",
        path.string(), magic[0], magic[1], magic[2], magic[3], dimensions, dimensions);
  }
  std::vector<int> shape;
  std::uint64_t size = 1;
  for (int d = 0; d < dimensions; ++d) {
    std::array<std::uint8_t, 4> word{};
    reader.read_exactly(word.data(), word.size(), "the dimensions");
    const std::uint64_t extent = big_endian(word.data());
    // Each factor is below 2^32 and the product so far at most 2^30: no overflow.
    size *= extent;
    if (extent == 0 || size > kMaxBytes) {
      fail("{}: dimension {} is {}; expected at least 1, and at most {} bytes in all",
           path.string(), d, extent, kMaxBytes);
    }
    shape.push_back(static_cast<int>(extent));
  }
  return shape;
}

fs::path file_of(const fs::path& folder, const std::string& file) {
  return plain_or_packed(folder, file, "there are four such files");
}

/// Path and shape of the two files of a part; counts and sizes fit.
struct Part {
  fs::path image_path;
  fs::path label_path;
  std::vector<int> shape;  ///< of the images
  IdxArray labels;
};

Part outline_part(const fs::path& folder, const std::string& name) {
  Part part;
  part.image_path = file_of(folder, name + "-images-idx3-ubyte");
  part.label_path = file_of(folder, name + "-labels-idx1-ubyte");
  part.shape = read_idx_shape(part.image_path, 3);
  part.labels = read_idx(part.label_path, 1);
  if (part.shape[0] != part.labels.shape[0]) {
    fail("{} has {} images but {} has {} labels; the files do not belong together",
         part.image_path.string(), part.shape[0], part.label_path.string(), part.labels.shape[0]);
  }
  if (part.shape[1] != kSide || part.shape[2] != kSide) {
    fail("{}: images of {}x{}, expected 28x28", part.image_path.string(), part.shape[1],
         part.shape[2]);
  }
  const std::vector<std::uint8_t>& labels = part.labels.data;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] >= kClasses) {
      fail("{}: label {} is {}, expected 0..9", part.label_path.string(), i, labels[i]);
    }
  }
  if (labels.size() > 1 &&
      std::all_of(labels.begin(), labels.end(), [&](int label) { return label == labels[0]; })) {
    fail("{}: all {} labels are {}: there is nothing to tell apart; download the file again",
         part.label_path.string(), labels.size(), labels[0]);
  }
  return part;
}

Dataset load_part(const std::string& set, const fs::path& folder, const std::string& name) {
  Part part = outline_part(folder, name);
  Dataset data;
  data.name = set;
  data.height = part.shape[1];
  data.width = part.shape[2];
  data.classes = kClasses;
  data.images = read_idx(part.image_path, 3).data;
  data.labels.assign(part.labels.data.begin(), part.labels.data.end());
  // Comparing the data with itself, one image further on.
  const std::size_t bytes = data.image_bytes();
  if (data.size() > 1 && std::equal(data.images.begin() + static_cast<std::ptrdiff_t>(bytes),
                                    data.images.end(), data.images.begin())) {
    fail("{}: all {} images are the same{}; download the file again", part.image_path.string(),
         data.size(),
         std::count(data.images.begin(), data.images.begin() + static_cast<std::ptrdiff_t>(bytes),
                    data.images[0]) == static_cast<std::ptrdiff_t>(bytes)
             ? fmt::format(" (every pixel is {})", data.images[0])
             : "");
  }
  return data;
}

}  // namespace

std::vector<int> read_idx_shape(const fs::path& path, int dimensions) {
  PackedReader reader(path);
  std::vector<int> shape = read_shape(reader, path, dimensions);
  std::uint64_t expected = 4 + 4 * static_cast<std::uint64_t>(dimensions);
  std::uint64_t size = 1;
  for (const int extent : shape) size *= static_cast<std::uint64_t>(extent);
  expected += size;
  const std::uint64_t bytes = fs::file_size(path);
  // What a compressed file holds is known when it has been read.
  if (!reader.compressed() && bytes != expected) {
    fail("{}: {} of {} bytes that its header announces; download the file again", path.string(),
         bytes, expected);
  }
  return shape;
}

IdxArray read_idx(const fs::path& path, int dimensions) {
  PackedReader reader(path);
  IdxArray array;
  array.shape = read_shape(reader, path, dimensions);
  std::uint64_t size = 1;
  for (const int extent : array.shape) size *= static_cast<std::uint64_t>(extent);
  // Grown as data really arrives, so that a lying header costs nothing.
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  while (array.data.size() < size) {
    const std::size_t before = array.data.size();
    const std::size_t piece = std::min<std::size_t>(kPiece, size - before);
    array.data.resize(before + piece);
    const std::size_t got = reader.read(array.data.data() + before, piece);
    if (got != piece) {
      fail("{}: truncated: {} of {} bytes of data; download the file again", path.string(),
           before + got, size);
    }
  }
  std::uint8_t extra = 0;
  if (reader.read(&extra, 1) != 0) {
    fail("{}: goes on after the {} bytes that its header announces", path.string(), size);
  }
  return array;
}

DataParts load_idx(const DataRequest& request) {
  DataParts parts;
  if (!request.test_only) parts.train = load_part(request.info.name, request.folder, "train");
  parts.test = load_part(request.info.name, request.folder, "t10k");
  return parts;
}

PartsOutline outline_idx(const DataRequest& request) {
  PartsOutline outline{1, kSide, kSide, kClasses};
  outline.train = outline_part(request.folder, "train").shape[0];
  outline.test = outline_part(request.folder, "t10k").shape[0];
  return outline;
}

}  // namespace bittern
