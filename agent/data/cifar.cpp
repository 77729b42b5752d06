#include "agent/data/cifar.h"

#include <string>

#include "agent/data/packed_file.h"
#include "host/base/error.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;

constexpr int kSide = 32;
constexpr int kChannels = 3;
constexpr int kClasses = 10;
constexpr int kBatches = 5;
constexpr std::size_t kMostRecords = 10000;
constexpr std::size_t kPixels = std::size_t{kChannels} * kSide * kSide;
constexpr std::size_t kRecord = 1 + kPixels;

fs::path batch_file(const fs::path& folder, const std::string& name) {
  return plain_or_packed(folder, name + ".bin", "CIFAR-10 (binary version) has six such files");
}

void check_size(const fs::path& path, std::uintmax_t bytes) {
  if (bytes != 0 && bytes % kRecord == 0 && bytes <= kMostRecords * kRecord) return;
  fail(
      "{}: {} bytes, expected whole records of {} bytes (a label, three planes of {}x{}), 1 to {} "
      "of them; download the binary version of CIFAR-10 again",
      path.string(), bytes, kRecord, kSide, kSide, kMostRecords);
}

void append(Dataset& all, const Dataset& more) {
  all.images.insert(all.images.end(), more.images.begin(), more.images.end());
  all.labels.insert(all.labels.end(), more.labels.begin(), more.labels.end());
}

int records_of(const fs::path& path) {
  if (path.extension() != ".bin") return read_cifar10_batch(path).size();
  const std::uintmax_t bytes = fs::file_size(path);
  check_size(path, bytes);
  return static_cast<int>(bytes / kRecord);
}

std::string train_file(int number) { return "data_batch_" + std::to_string(number); }

}  // namespace

Dataset read_cifar10_batch(const fs::path& path) {
  const std::vector<std::uint8_t> bytes = read_packed(path, kMostRecords * kRecord);
  check_size(path, bytes.size());
  Dataset data;
  data.name = "cifar10";
  data.channels = kChannels;
  data.height = kSide;
  data.width = kSide;
  data.classes = kClasses;
  data.images.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size(); at += kRecord) {
    if (bytes[at] >= kClasses) {
      fail("{}: label {} is {}, expected 0..9", path.string(), at / kRecord, bytes[at]);
    }
    data.labels.push_back(bytes[at]);
    const auto pixels = bytes.begin() + static_cast<std::ptrdiff_t>(at + 1);
    data.images.insert(data.images.end(), pixels, pixels + kPixels);
  }
  return data;
}

Cifar10 load_cifar10(const fs::path& folder) {
  Cifar10 parts;
  parts.train = read_cifar10_batch(batch_file(folder, train_file(1)));
  for (int number = 2; number <= kBatches; ++number) {
    append(parts.train, read_cifar10_batch(batch_file(folder, train_file(number))));
  }
  parts.test = read_cifar10_batch(batch_file(folder, "test_batch"));
  return parts;
}

Cifar10Sizes outline_cifar10(const fs::path& folder) {
  Cifar10Sizes sizes;
  for (int number = 1; number <= kBatches; ++number) {
    sizes.train += records_of(batch_file(folder, train_file(number)));
  }
  sizes.test = records_of(batch_file(folder, "test_batch"));
  return sizes;
}

}  // namespace bittern
