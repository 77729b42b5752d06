#include "agent/data/arrays.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "agent/data/npy.h"
#include "agent/data/zip.h"
#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/file_descriptor.h"
#include "host/base/hash.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostInMemory = std::uint64_t{1} << 30;
constexpr std::uint64_t kMostUnpacked = std::uint64_t{1} << 32;
constexpr int kMostClasses = 1 << 20;

/// How images lie in an array.
struct Arrangement {
  int count = 0;
  int channels = 1;
  int height = 0;
  int width = 0;
  bool channels_last = false;
};

Arrangement arrangement_of(const NpyHeader& header, const std::string& name) {
  if (header.kind != 'u' || header.bytes != 1) {
    fail(
        "{}: images of {} bits of kind '{}', expected unsigned bytes (uint8); scale values to "
        "0..255 and round them",
        name, 8 * header.bytes, header.kind);
  }
  if (header.fortran_order) fail("{}: in Fortran's order, expected C's", name);
  const std::vector<std::int64_t>& s = header.shape;
  for (const std::int64_t extent : s) {
    if (extent < 1 || extent > (1 << 24)) {
      fail("{}: an extent is {}, expected 1 to {}", name, extent, 1 << 24);
    }
  }
  const auto few = [](std::int64_t channels) { return channels == 1 || channels == 3; };
  Arrangement a;
  if (s.size() == 3) {
    a = {static_cast<int>(s[0]), 1, static_cast<int>(s[1]), static_cast<int>(s[2])};
  } else if (s.size() == 4 && few(s[1]) && !few(s[3])) {
    a = {static_cast<int>(s[0]), static_cast<int>(s[1]), static_cast<int>(s[2]),
         static_cast<int>(s[3])};
  } else if (s.size() == 4 && few(s[3]) && !few(s[1])) {
    a = {static_cast<int>(s[0]), static_cast<int>(s[3]), static_cast<int>(s[1]),
         static_cast<int>(s[2]), true};
  } else {
    std::string text;
    for (const std::int64_t extent : s) text += (text.empty() ? "" : "x") + std::to_string(extent);
    fail(
        "{}: images of shape {}, expected NxHxW, NxCxHxW or NxHxWxC with 1 or 3 channels at one "
        "of the two places",
        name, text);
  }
  return a;
}

/// An array as a file or a member of an archive has it.
struct Array {
  std::string name;  ///< for messages
  fs::path path;     ///< of an .npy file; empty for a member
  NpyHeader header;
  std::vector<std::uint8_t> content;  ///< of a member, with its header
};

Array open_npy(const fs::path& path) {
  Array array{path.string(), path, {}, {}};
  if (!fs::exists(path)) fail("{}: is not there", path.string());
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::vector<std::uint8_t> begin(npy_header_bytes());
  const ssize_t got = file ? ::pread(file.get(), begin.data(), begin.size(), 0) : -1;
  if (got < 0) fail("{}: cannot be read", path.string());
  array.header = parse_npy_header(Bytes(begin.data(), static_cast<std::size_t>(got)),
                                  fs::file_size(path), array.name);
  return array;
}

/// The values of an array.
std::vector<std::uint8_t> values_of(Array array) {
  if (!array.path.empty()) {
    const std::string text = read_file(array.path, kMostUnpacked);
    array.header =
        parse_npy_header(Bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()),
                         text.size(), array.name);
    array.content.assign(text.begin(), text.end());
  }
  array.content.erase(array.content.begin(), array.content.begin() + static_cast<std::ptrdiff_t>(
                                                                         array.header.data_offset));
  return std::move(array.content);
}

struct Pair {
  Array images;
  Array labels;
  Arrangement arrangement;
};

Array member_of(const std::vector<ZipMember>& members, const fs::path& path,
                const std::vector<std::string>& names) {
  for (const ZipMember& member : members) {
    for (const std::string& name : names) {
      if (member.name != name && member.name != name + ".npy") continue;
      Array array{path.string() + ": " + member.name, {}, {}, {}};
      array.content = unzip(member, kMostUnpacked, path.string());
      array.header = parse_npy_header(array.content, array.content.size(), array.name);
      return array;
    }
  }
  fail("{}: has no array called {} or {}", path.string(), names[0], names[1]);
}

/// The arrays of a part, which belong together; nothing where it has none.
std::optional<Pair> find_pair(const fs::path& folder, const std::string& part) {
  const fs::path images = folder / (part + "_images.npy");
  const fs::path labels = folder / (part + "_labels.npy");
  const fs::path archive = folder / (part + ".npz");
  Pair pair;
  if (fs::exists(images) || fs::exists(labels)) {
    pair.images = open_npy(images);
    pair.labels = open_npy(labels);
  } else if (fs::exists(archive)) {
    const std::string content = read_file(archive, kMostUnpacked);
    const std::vector<ZipMember> members = parse_zip(content, archive.string());
    pair.images = member_of(members, archive, {"images", "x"});
    pair.labels = member_of(members, archive, {"labels", "y"});
  } else {
    return std::nullopt;
  }
  pair.arrangement = arrangement_of(pair.images.header, pair.images.name);
  const NpyHeader& label = pair.labels.header;
  if ((label.kind != 'u' && label.kind != 'i') || label.bytes > 8) {
    fail("{}: labels of kind '{}', expected whole numbers", pair.labels.name, label.kind);
  }
  if (label.elements() != pair.arrangement.count) {
    fail("{} has {} images but {} has {} labels", pair.images.name, pair.arrangement.count,
         pair.labels.name, label.elements());
  }
  return pair;
}

/// Channels next to one another to planes.
void to_planes(const Arrangement& a, Bytes pixels, MutableBytes planes) {
  const auto channels = static_cast<std::size_t>(a.channels);
  const std::size_t plane = pixels.size() / channels;
  for (std::size_t i = 0; i < plane; ++i) {
    for (std::size_t c = 0; c < channels; ++c) planes[c * plane + i] = pixels[i * channels + c];
  }
}

/// Images that are read out of an .npy file when they are needed.
class NpyImages : public ImageStore {
 public:
  NpyImages(const Array& array, const Arrangement& arrangement)
      : path_(array.path),
        file_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC)),
        offset_(array.header.data_offset),
        arrangement_(arrangement) {
    const std::string base = fmt::format("{} {} {}", path_.string(), fs::file_size(path_),
                                         fs::last_write_time(path_).time_since_epoch().count());
    for (int i = 0; i < arrangement.count; ++i) {
      digests_.push_back(sha256_hex(base + " " + std::to_string(i)));
    }
  }

  void read(int index, MutableBytes pixels) const override {
    std::vector<std::uint8_t> raw(pixels.size());
    const auto at = static_cast<off_t>(offset_ + static_cast<std::size_t>(index) * raw.size());
    if (::pread(file_.get(), raw.data(), raw.size(), at) != static_cast<ssize_t>(raw.size())) {
      fail("{}: image {} cannot be read", path_.string(), index);
    }
    if (arrangement_.channels_last) {
      to_planes(arrangement_, raw, pixels);
    } else {
      std::copy(raw.begin(), raw.end(), pixels.begin());
    }
  }
  const std::string& digest(int index) const override {
    return digests_.at(static_cast<std::size_t>(index));
  }

 private:
  fs::path path_;
  FileDescriptor file_;
  std::size_t offset_;
  Arrangement arrangement_;
  std::vector<std::string> digests_;
};

std::vector<std::int32_t> labels_of(const Array& array, int* classes) {
  const NpyHeader header = array.header;
  const std::string name = array.name;
  const std::vector<std::uint8_t> values = values_of(array);
  std::vector<std::int32_t> labels;
  for (std::size_t i = 0; i < static_cast<std::size_t>(header.elements()); ++i) {
    const std::int64_t label = npy_integer(header, values, i);
    if (label < 0 || label >= kMostClasses) {
      fail("{}: label {} is {}, expected 0..{}", name, i, label, kMostClasses - 1);
    }
    labels.push_back(static_cast<std::int32_t>(label));
    *classes = std::max(*classes, labels.back() + 1);
  }
  return labels;
}

Dataset dataset_of(std::optional<Pair> pair, const DataRequest& request, int* classes) {
  Dataset data;
  data.name = request.info.name;
  if (!pair) return data;
  const Arrangement& a = pair->arrangement;
  data.channels = a.channels;
  data.height = a.height;
  data.width = a.width;
  data.labels = labels_of(pair->labels, classes);
  const std::uint64_t bytes = data.image_bytes() * static_cast<std::uint64_t>(data.size());
  if (!pair->images.path.empty() && bytes > kMostInMemory) {
    for (int i = 0; i < data.size(); ++i) data.places.push_back(i);
    data.store = std::make_shared<NpyImages>(pair->images, a);
    return data;
  }
  data.images = values_of(std::move(pair->images));
  if (a.channels_last && a.channels > 1) {
    std::vector<std::uint8_t> planes(data.images.size());
    for (int i = 0; i < data.size(); ++i) {
      const std::size_t at = static_cast<std::size_t>(i) * data.image_bytes();
      to_planes(a, data.image(i), MutableBytes(planes).subspan(at, data.image_bytes()));
    }
    data.images = std::move(planes);
  }
  return data;
}

void check_same_size(const DataRequest& request, const Arrangement& train,
                     const Arrangement& test) {
  if (train.channels == test.channels && train.height == test.height && train.width == test.width) {
    return;
  }
  fail("{}: training images are {}x{}x{}, test images {}x{}x{}", request.folder.string(),
       train.channels, train.height, train.width, test.channels, test.height, test.width);
}

}  // namespace

DataParts load_arrays(const DataRequest& request) {
  std::optional<Pair> train = find_pair(request.folder, "train");
  std::optional<Pair> test = find_pair(request.folder, "test");
  if (train && test) check_same_size(request, train->arrangement, test->arrangement);
  DataParts parts;
  parts.has_train = train.has_value();
  int classes = 0;
  // Also where only the labels are needed, which say how many classes there are.
  parts.train = dataset_of(std::move(train), request, &classes);
  parts.test = dataset_of(std::move(test), request, &classes);
  parts.train.classes = parts.test.classes = classes;
  return parts;
}

PartsOutline outline_arrays(const DataRequest& request) {
  const std::optional<Pair> train = find_pair(request.folder, "train");
  const std::optional<Pair> test = find_pair(request.folder, "test");
  if (train && test) check_same_size(request, train->arrangement, test->arrangement);
  PartsOutline outline;
  for (const auto* pair : {&train, &test}) {
    if (!*pair) continue;
    const Arrangement& a = (*pair)->arrangement;
    outline.channels = a.channels;
    outline.height = a.height;
    outline.width = a.width;
    labels_of((*pair)->labels, &outline.classes);
  }
  outline.train = train ? train->arrangement.count : 0;
  outline.test = test ? test->arrangement.count : 0;
  return outline;
}

}  // namespace bittern
