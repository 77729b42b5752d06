#include "agent/data/idx.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>

#include "host/base/error.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 30;
constexpr std::uint8_t kUnsignedByte = 8;

/// Reads plain files and gzip streams alike (zlib tells them apart by the first bytes).
class GzReader {
 public:
  explicit GzReader(const fs::path& path) : path_(path), file_(::gzopen(path.c_str(), "rb")) {
    if (!file_) fail("{}: cannot open for reading", path.string());
    ::gzbuffer(file_.get(), 1 << 17);
  }

  /// Reads up to `size` bytes and returns how many there were.
  std::size_t read(std::uint8_t* to, std::size_t size) {
    std::size_t total = 0;
    while (total < size) {
      const unsigned piece = static_cast<unsigned>(std::min<std::size_t>(size - total, 1u << 28));
      const int got = ::gzread(file_.get(), to + total, piece);
      if (got < 0) {
        int code = 0;
        const char* text = ::gzerror(file_.get(), &code);
        fail("{}: the compressed stream is damaged ({}); download the file again", path_.string(),
             text);
      }
      if (got == 0) break;
      total += static_cast<std::size_t>(got);
    }
    return total;
  }

  /// Reads exactly `size` bytes or throws.
  void read_exactly(std::uint8_t* to, std::size_t size, const char* what) {
    const std::size_t got = read(to, size);
    if (got != size) {
      fail("{}: truncated: {} of {} bytes of {}; download the file again", path_.string(), got,
           size, what);
    }
  }

 private:
  struct Close {
    void operator()(gzFile file) const { ::gzclose(file); }
  };
  fs::path path_;
  std::unique_ptr<std::remove_pointer_t<gzFile>, Close> file_;
};

std::uint32_t big_endian(const std::uint8_t* bytes) {
  return (std::uint32_t{bytes[0]} << 24) | (std::uint32_t{bytes[1]} << 16) |
         (std::uint32_t{bytes[2]} << 8) | std::uint32_t{bytes[3]};
}

fs::path plain_or_gz(const fs::path& folder, const std::string& file) {
  if (fs::exists(folder / file)) return folder / file;
  const fs::path compressed = folder / (file + ".gz");
  if (fs::exists(compressed)) return compressed;
  fail("{}: neither {} nor {}.gz is there; MNIST has four such files", folder.string(), file, file);
}

Dataset load_part(const fs::path& folder, const std::string& part) {
  const fs::path image_path = plain_or_gz(folder, part + "-images-idx3-ubyte");
  const fs::path label_path = plain_or_gz(folder, part + "-labels-idx1-ubyte");
  IdxArray images = read_idx(image_path, 3);
  IdxArray labels = read_idx(label_path, 1);
  if (images.shape[0] != labels.shape[0]) {
    fail("{} has {} images but {} has {} labels; the files do not belong together",
         image_path.string(), images.shape[0], label_path.string(), labels.shape[0]);
  }
  if (images.shape[1] != 28 || images.shape[2] != 28) {
    fail("{}: images of {}x{}, expected 28x28", image_path.string(), images.shape[1],
         images.shape[2]);
  }
  for (std::size_t i = 0; i < labels.data.size(); ++i) {
    if (labels.data[i] > 9) {
      fail("{}: label {} is {}, expected 0..9", label_path.string(), i, labels.data[i]);
    }
  }
  Dataset data;
  data.name = "mnist";
  data.height = images.shape[1];
  data.width = images.shape[2];
  data.classes = 10;
  data.images = std::move(images.data);
  data.labels = std::move(labels.data);
  return data;
}

}  // namespace

IdxArray read_idx(const fs::path& path, int dimensions) {
  GzReader reader(path);
  std::array<std::uint8_t, 4> magic{};
  reader.read_exactly(magic.data(), magic.size(), "the magic number");
  if (magic[0] != 0 || magic[1] != 0 || magic[2] != kUnsignedByte || magic[3] != dimensions) {
    fail(
        "{}: magic number {:02x}{:02x}{:02x}{:02x}, expected 0000080{} (idx, unsigned bytes, {} "
        "dimensions)",
        path.string(), magic[0], magic[1], magic[2], magic[3], dimensions, dimensions);
  }
  IdxArray array;
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
    array.shape.push_back(static_cast<int>(extent));
  }
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

Mnist load_mnist(const fs::path& folder) {
  return {load_part(folder, "train"), load_part(folder, "t10k")};
}

}  // namespace bittern
