#include "agent/data/dataset.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "agent/data/cifar.h"
#include "agent/data/idx.h"
#include "agent/data/synthetic.h"
#include "host/base/data_folder.h"
#include "host/base/error.h"
#include "host/base/hash.h"
#include "host/base/random.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;

int or_default(int value, int fallback) { return value == 0 ? fallback : value; }

/// Sizes of a synthetic data set.
struct Sizes {
  int train;
  int validation;
  int test;
};

Sizes synthetic_sizes(const DataOptions& options) {
  return {or_default(options.train_images, 8000), or_default(options.validation_images, 1000),
          or_default(options.test_images, 2000)};
}

void check_split(const std::string& name, int images, int validation_images, int train_images) {
  if (validation_images < 1 || train_images < 0 ||
      validation_images + std::int64_t{std::max(train_images, 1)} > images) {
    fail_usage(
        "data set {}: cannot take {} validation and {} training images from {}; at least one of "
        "each is needed",
        name, validation_images, train_images == 0 ? "all other" : std::to_string(train_images),
        images);
  }
}

void check_counts(const DataOptions& options) {
  for (const int count : {options.train_images, options.validation_images, options.test_images}) {
    if (count < 0) fail_usage("data set {}: {} images; expected 0 or more", options.name, count);
  }
}

[[noreturn]] void fail_unknown(const std::string& name) {
  fail_usage("data set '{}' is not known; there are: {}", name, fmt::join(dataset_names(), ", "));
}

fs::path mnist_folder(const DataOptions& options) {
  return find_data_folder("mnist", "train-images-idx3-ubyte", options.folder);
}

fs::path cifar10_folder(const DataOptions& options) {
  return find_data_folder("cifar10", "data_batch_1.bin", options.folder);
}

DataSplits load_synthetic(const DataOptions& options) {
  const auto [train, validation, test] = synthetic_sizes(options);
  check_synthetic_count(std::int64_t{train} + validation);
  // The test images come from a stream of their own, so that they do not change with the size of
  // the training set.
  const Rng rng(options.synthetic_seed);
  return split_data(synthetic_digits(train + validation, rng.split(0)),
                    synthetic_digits(test, rng.split(1)), validation, train, options.split_seed);
}

DataSplits load_mnist_splits(const DataOptions& options) {
  Mnist mnist = load_mnist(mnist_folder(options));
  return split_data(mnist.train, std::move(mnist.test), or_default(options.validation_images, 5000),
                    options.train_images, options.split_seed);
}

DataSplits load_cifar10_splits(const DataOptions& options) {
  Cifar10 cifar = load_cifar10(cifar10_folder(options));
  return split_data(cifar.train, std::move(cifar.test), or_default(options.validation_images, 5000),
                    options.train_images, options.split_seed);
}

/// Of a data set in files: a training set that is split, and a test set.
void outline_splits(const DataOptions& options, const fs::path& folder, int train, int test,
                    DataOutline& outline) {
  outline.folder = folder.string();
  outline.validation = or_default(options.validation_images, 5000);
  check_split(options.name, train, outline.validation, options.train_images);
  outline.train = or_default(options.train_images, train - outline.validation);
  outline.test = test;
}

}  // namespace

std::string content_hash(const Dataset& data) {
  Sha256 hash;
  hash.update_field(fmt::format("dataset-1 {} {}x{}x{} classes {}", data.size(), data.channels,
                                data.height, data.width, data.classes));
  hash.update(data.images);
  hash.update(data.labels);
  return hash.hex();
}

Dataset subset(const Dataset& data, const std::vector<int>& indices) {
  Dataset part;
  part.name = data.name;
  part.channels = data.channels;
  part.height = data.height;
  part.width = data.width;
  part.classes = data.classes;
  part.images.reserve(indices.size() * data.image_bytes());
  part.labels.reserve(indices.size());
  for (const int index : indices) {
    if (index < 0 || index >= data.size()) {
      fail("data set {}: there is no image {}, only 0..{}", data.name, index, data.size() - 1);
    }
    const Bytes image = data.image(index);
    part.images.insert(part.images.end(), image.begin(), image.end());
    part.labels.push_back(data.labels[static_cast<std::size_t>(index)]);
  }
  return part;
}

DataSplits split_data(const Dataset& all, Dataset test, int validation_images, int train_images,
                      std::uint64_t seed) {
  check_split(all.name, all.size(), validation_images, train_images);
  std::vector<int> order(static_cast<std::size_t>(all.size()));
  std::iota(order.begin(), order.end(), 0);
  Rng rng(seed);
  for (std::size_t i = order.size() - 1; i > 0; --i) {
    std::swap(order[i], order[static_cast<std::size_t>(rng.integer(0, static_cast<int>(i)))]);
  }
  const auto middle = order.begin() + validation_images;
  const auto end = train_images == 0 ? order.end() : middle + train_images;
  DataSplits splits;
  splits.validation = subset(all, {order.begin(), middle});
  splits.train = subset(all, {middle, end});
  splits.test = std::move(test);
  Sha256 hash;
  for (const Dataset* part : {&splits.train, &splits.validation, &splits.test}) {
    hash.update_field(content_hash(*part));
  }
  splits.hash = hash.hex();
  return splits;
}

DataOutline outline_data(const DataOptions& options) {
  check_counts(options);
  DataOutline outline;
  outline.height = 28;
  outline.width = 28;
  outline.classes = 10;
  if (options.name == "synthetic") {
    const auto [train, validation, test] = synthetic_sizes(options);
    check_synthetic_count(std::int64_t{train} + validation);
    check_synthetic_count(test);
    outline.train = train;
    outline.validation = validation;
    outline.test = test;
    return outline;
  }
  if (options.name == "cifar10") {
    const fs::path folder = cifar10_folder(options);
    const Cifar10Sizes sizes = outline_cifar10(folder);
    outline.channels = 3;
    outline.height = outline.width = 32;
    outline_splits(options, folder, sizes.train, sizes.test, outline);
    return outline;
  }
  if (options.name != "mnist") fail_unknown(options.name);
  const fs::path folder = mnist_folder(options);
  const MnistSizes sizes = outline_mnist(folder);
  outline_splits(options, folder, sizes.train, sizes.test, outline);
  return outline;
}

DataSplits load_data(const DataOptions& options) {
  check_counts(options);
  if (options.name == "synthetic") return load_synthetic(options);
  if (options.name == "mnist") return load_mnist_splits(options);
  if (options.name == "cifar10") return load_cifar10_splits(options);
  fail_unknown(options.name);
}

}  // namespace bittern
