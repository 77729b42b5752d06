#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "agent/data/layouts.h"
#include "host/base/error.h"
#include "host/base/hash.h"
#include "host/base/random.h"

namespace bittern {
namespace {

constexpr int kMostForValidation = 5000;
constexpr int kShare = 10;  ///< a tenth, where nothing else is said

int or_default(int value, int fallback) { return value == 0 ? fallback : value; }

int a_tenth(int images) { return std::max(1, images / kShare); }

int validation_of(const DataSetInfo& info, int images, const DataOptions& options) {
  const int fallback = info.validation_images > 0 ? info.validation_images
                                                  : std::min(kMostForValidation, a_tenth(images));
  return or_default(options.validation_images, fallback);
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

std::vector<int> shuffled(int images, std::uint64_t seed) {
  std::vector<int> order(static_cast<std::size_t>(images));
  std::iota(order.begin(), order.end(), 0);
  Rng rng(seed);
  for (std::size_t i = order.size(); i-- > 1;) {
    std::swap(order[i], order[static_cast<std::size_t>(rng.integer(0, static_cast<int>(i)))]);
  }
  return order;
}

std::string hash_of(const DataSplits& splits) {
  Sha256 hash;
  for (const Dataset* part : {&splits.train, &splits.validation, &splits.test}) {
    hash.update_field(content_hash(*part));
  }
  return hash.hex();
}

/// The images at order[begin] .. order[begin + count - 1].
std::vector<int> piece(const std::vector<int>& order, int begin, int count) {
  return {order.begin() + begin, order.begin() + begin + count};
}

/// What is left of `order` from `begin` on, in the order of the files.
std::vector<int> rest(const std::vector<int>& order, int begin) {
  std::vector<int> left(order.begin() + begin, order.end());
  std::sort(left.begin(), left.end());
  return left;
}

}  // namespace

SplitSizes split_sizes(const DataSetInfo& info, int train, int test, const DataOptions& options) {
  SplitSizes sizes;
  if (train == 0 && test == 0) fail("data set {}: there are no images", info.name);
  if (train > 0 && test > 0) {
    if (options.test_images != 0 && !info.any_of.empty()) {
      fail_usage(
          "data set {}: has {} test images of its own, all of which are used; leave out how "
          "many there are to be",
          info.name, test);
    }
    sizes.validation = validation_of(info, train, options);
    check_split(info.name, train, sizes.validation, options.train_images);
    sizes.train = or_default(options.train_images, train - sizes.validation);
    sizes.test = test;
    return sizes;
  }
  if (train == 0) {
    sizes.train = options.train_images;
    sizes.validation = options.validation_images;
    sizes.test = options.test_images;
    const std::int64_t taken = std::int64_t{sizes.train} + sizes.validation;
    if (taken + std::max(sizes.test, 1) > test) {
      fail_usage(
          "data set {}: has test images only, {} of them; cannot take {} training and {} "
          "validation images from them and leave {} to test on",
          info.name, test, sizes.train, sizes.validation,
          sizes.test == 0 ? "any" : std::to_string(sizes.test));
    }
    if (sizes.test == 0) sizes.test = test - static_cast<int>(taken);
    return sizes;
  }
  sizes.test = or_default(options.test_images, a_tenth(train));
  if (sizes.test >= train) {
    fail_usage("data set {}: has no test images; cannot take {} from its {} training images",
               info.name, sizes.test, train);
  }
  sizes.validation = validation_of(info, train - sizes.test, options);
  check_split(info.name, train - sizes.test, sizes.validation, options.train_images);
  sizes.train = or_default(options.train_images, train - sizes.test - sizes.validation);
  return sizes;
}

DataSplits split_data(const Dataset& all, Dataset test, int validation_images, int train_images,
                      std::uint64_t seed) {
  check_split(all.name, all.size(), validation_images, train_images);
  const std::vector<int> order = shuffled(all.size(), seed);
  DataSplits splits;
  splits.validation = subset(all, piece(order, 0, validation_images));
  splits.train =
      subset(all, piece(order, validation_images,
                        train_images == 0 ? all.size() - validation_images : train_images));
  splits.test = std::move(test);
  splits.hash = hash_of(splits);
  return splits;
}

DataSplits split_parts(const DataSetInfo& info, DataParts parts, const DataOptions& options) {
  const SplitSizes sizes = split_sizes(info, parts.train.size(), parts.test.size(), options);
  if (parts.train.size() > 0 && parts.test.size() > 0) {
    return split_data(parts.train, std::move(parts.test), sizes.validation, sizes.train,
                      options.split_seed);
  }
  DataSplits splits;
  const Dataset& all = parts.train.size() > 0 ? parts.train : parts.test;
  if (sizes.train + sizes.validation == 0 && sizes.test == all.size()) {
    splits.train = splits.validation = all.without_images();
    splits.test = all;
  } else {
    const std::vector<int> order = shuffled(all.size(), options.split_seed);
    splits.validation = subset(all, piece(order, 0, sizes.validation));
    splits.train = subset(all, piece(order, sizes.validation, sizes.train));
    std::vector<int> left = rest(order, sizes.validation + sizes.train);
    if (static_cast<int>(left.size()) > sizes.test) {
      // Not the first ones, which may all be of one class.
      left = piece(order, sizes.validation + sizes.train, sizes.test);
    }
    splits.test = subset(all, left);
  }
  splits.hash = hash_of(splits);
  return splits;
}

}  // namespace bittern
