#include "agent/data/records.h"

#include <future>

#include "agent/data/packed_file.h"
#include "host/base/error.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;

constexpr int kSide = 32;
constexpr int kChannels = 3;
constexpr std::size_t kPixels = std::size_t{kChannels} * kSide * kSide;

std::size_t record_bytes(const RecordFormat& format) {
  return static_cast<std::size_t>(format.label_bytes) + kPixels;
}

void check_size(const fs::path& path, std::uintmax_t bytes, const RecordFormat& format) {
  const std::size_t record = record_bytes(format);
  if (bytes != 0 && bytes % record == 0 && bytes <= format.most_records * record) return;
  fail(
      "{}: {} bytes, expected whole records of {} bytes (a label, three planes of {}x{}), 1 to {} "
      "of them; download {} again",
      path.string(), bytes, record, kSide, kSide, format.most_records, format.set);
}

/// The files of a set: where they are, and which parts they make.
struct RecordFiles {
  RecordFormat format;
  std::vector<std::string> train;
  std::vector<std::string> test;
  const char* what;
};

RecordFiles cifar10() {
  RecordFiles files{{1, 10, 10000, "the binary version of CIFAR-10"},
                    {},
                    {"test_batch.bin"},
                    "CIFAR-10 (binary version) has six such files"};
  for (int number = 1; number <= 5; ++number) {
    files.train.push_back(fmt::format("data_batch_{}.bin", number));
  }
  return files;
}

RecordFiles cifar100() {
  return {{2, 100, 50000, "the binary version of CIFAR-100"},
          {"train.bin"},
          {"test.bin"},
          "CIFAR-100 (binary version) has train.bin and test.bin"};
}

std::vector<fs::path> paths_of(const fs::path& folder, const std::vector<std::string>& names,
                               const char* what) {
  std::vector<fs::path> paths;
  for (const std::string& name : names) paths.push_back(plain_or_packed(folder, name, what));
  return paths;
}

DataParts load_files(const DataRequest& request, const RecordFiles& files) {
  DataParts parts;
  if (!request.test_only) {
    parts.train = read_records(paths_of(request.folder, files.train, files.what), files.format);
  }
  parts.test = read_records(paths_of(request.folder, files.test, files.what), files.format);
  parts.train.name = parts.test.name = request.info.name;
  return parts;
}

PartsOutline outline_files(const DataRequest& request, const RecordFiles& files) {
  PartsOutline outline{kChannels, kSide, kSide, files.format.classes};
  for (const fs::path& path : paths_of(request.folder, files.train, files.what)) {
    outline.train += count_records(path, files.format);
  }
  for (const fs::path& path : paths_of(request.folder, files.test, files.what)) {
    outline.test += count_records(path, files.format);
  }
  return outline;
}

}  // namespace

Dataset read_records(const fs::path& path, const RecordFormat& format) {
  const std::size_t record = record_bytes(format);
  const std::vector<std::uint8_t> bytes = read_packed(path, format.most_records * record);
  check_size(path, bytes.size(), format);
  Dataset data;
  data.channels = kChannels;
  data.height = kSide;
  data.width = kSide;
  data.classes = format.classes;
  data.images.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size(); at += record) {
    const std::size_t pixels = at + static_cast<std::size_t>(format.label_bytes);
    const int label = bytes[pixels - 1];
    if (label >= format.classes) {
      fail("{}: label {} is {}, expected 0..{}", path.string(), at / record, label,
           format.classes - 1);
    }
    data.labels.push_back(label);
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(pixels);
    data.images.insert(data.images.end(), begin, begin + kPixels);
  }
  return data;
}

Dataset read_records(const std::vector<fs::path>& paths, const RecordFormat& format) {
  // Unpacking takes most of the time, and the files do not depend on one another.
  std::vector<std::future<Dataset>> parts;
  for (const fs::path& path : paths) {
    parts.push_back(std::async(std::launch::async, [&] { return read_records(path, format); }));
  }
  Dataset all;
  for (std::future<Dataset>& part : parts) {
    Dataset more = part.get();
    if (all.size() == 0) {
      all = std::move(more);
      continue;
    }
    all.images.insert(all.images.end(), more.images.begin(), more.images.end());
    all.labels.insert(all.labels.end(), more.labels.begin(), more.labels.end());
  }
  return all;
}

int count_records(const fs::path& path, const RecordFormat& format) {
  const std::uint64_t bytes = unpacked_size(path);
  check_size(path, bytes, format);
  return static_cast<int>(bytes / record_bytes(format));
}

DataParts load_cifar10(const DataRequest& request) { return load_files(request, cifar10()); }
PartsOutline outline_cifar10(const DataRequest& request) {
  return outline_files(request, cifar10());
}

DataParts load_cifar100(const DataRequest& request) { return load_files(request, cifar100()); }
PartsOutline outline_cifar100(const DataRequest& request) {
  return outline_files(request, cifar100());
}

}  // namespace bittern
