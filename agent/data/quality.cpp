#include "agent/data/quality.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <unordered_set>

#include "host/base/error.h"

namespace bittern {
namespace {

using Images = std::unordered_set<std::string_view>;

/// The image, or what tells it from others where it is not in memory.
std::string_view bytes_of(const Dataset& data, int index) {
  if (data.store) return data.store->digest(data.places.at(static_cast<std::size_t>(index)));
  const Bytes image = data.image(index);
  return {reinterpret_cast<const char*>(image.data()), image.size()};
}

std::vector<int> class_counts(const Dataset& data) {
  std::vector<int> counts(static_cast<std::size_t>(data.classes), 0);
  for (const std::int32_t label : data.labels) ++counts.at(static_cast<std::size_t>(label));
  return counts;
}

double share(int count, const Dataset& data) { return 100.0 * count / std::max(data.size(), 1); }

/// Warnings about one part; fills `seen` with its different images.
void check_part(const std::string& name, const Dataset& data, Images& seen,
                std::vector<std::string>& warnings) {
  constexpr double kManyBlank = 1.0;
  constexpr double kManyTwice = 5.0;
  constexpr double kOneClass = 50.0;
  if (data.size() == 0) return;  // a part that was not asked for
  const std::vector<int> counts = class_counts(data);
  constexpr int kMostNamed = 10;
  int without = 0;
  std::string missing;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    if (counts[c] == 0 && ++without <= kMostNamed) {
      missing += (missing.empty() ? "" : ", ") + std::to_string(c);
    }
  }
  if (without > kMostNamed) missing += fmt::format(" and {} others", without - kMostNamed);
  if (!missing.empty()) {
    warnings.push_back(
        fmt::format("data {}: the {} images have none of class {}", data.name, name, missing));
  }
  const auto most = std::max_element(counts.begin(), counts.end());
  if (data.classes > 2 && share(*most, data) > kOneClass) {
    warnings.push_back(fmt::format("data {}: {:.0f} % of the {} images are of class {}", data.name,
                                   share(*most, data), name, most - counts.begin()));
  }
  int blank = 0;
  for (int i = 0; i < data.size(); ++i) {
    const std::string_view image = bytes_of(data, i);
    // One image further on by a pixel equals itself only when all pixels are the same.
    if (!data.store && image.substr(1) == image.substr(0, image.size() - 1)) ++blank;
    seen.insert(image);
  }
  if (share(blank, data) > kManyBlank) {
    warnings.push_back(fmt::format("data {}: {} of {} {} images are blank (all pixels the same)",
                                   data.name, blank, data.size(), name));
  }
  const int twice = data.size() - static_cast<int>(seen.size());
  if (share(twice, data) > kManyTwice) {
    warnings.push_back(fmt::format("data {}: {} of {} {} images are copies of others", data.name,
                                   twice, data.size(), name));
  }
}

void check_overlap(const std::string& name, const Dataset& data, const Images& train,
                   std::vector<std::string>& warnings) {
  constexpr double kMany = 1.0;
  int known = 0;
  for (int i = 0; i < data.size(); ++i) known += static_cast<int>(train.count(bytes_of(data, i)));
  if (share(known, data) > kMany) {
    warnings.push_back(fmt::format(
        "data {}: {} of {} {} images are among the training images as well: accuracy on them says "
        "little",
        data.name, known, data.size(), name));
  }
}

}  // namespace

std::vector<std::string> data_warnings(const DataSplits& splits) {
  std::vector<std::string> warnings;
  Images train;
  check_part("training", splits.train, train, warnings);
  const std::vector<int> counts = class_counts(splits.train);
  if (splits.train.size() == 0) {
    fail("data {}: there are no training images; take some of its images (train_images)",
         splits.train.name);
  }
  if (*std::max_element(counts.begin(), counts.end()) == splits.train.size()) {
    fail("data {}: all {} training images are of class {}: there is nothing to learn",
         splits.train.name, splits.train.size(), splits.train.labels[0]);
  }
  if (train.size() == 1) {
    fail("data {}: all {} training images are the same: there is nothing to learn",
         splits.train.name, splits.train.size());
  }
  Images validation;
  check_part("validation", splits.validation, validation, warnings);
  check_overlap("validation", splits.validation, train, warnings);
  Images test;
  check_part("test", splits.test, test, warnings);
  check_overlap("test", splits.test, train, warnings);
  return warnings;
}

double chance_limit(const Dataset& data) {
  constexpr double kDeviations = 3.0;
  if (data.size() == 0) return 100.0;
  const std::vector<int> counts = class_counts(data);
  const double most = *std::max_element(counts.begin(), counts.end());
  const double p = std::max(most / data.size(), 1.0 / data.classes);
  return 100.0 * std::min(1.0, p + kDeviations * std::sqrt(p * (1.0 - p) / data.size()));
}

bool is_guessing(double accuracy, const Dataset& data) { return !(accuracy > chance_limit(data)); }

bool has_diverged(double accuracy, double loss, const Dataset& data) {
  constexpr double kClearly = 1.1;
  const double of_guessing = std::log(std::max(data.classes, 2));
  return is_guessing(accuracy, data) && !(loss <= kClearly * of_guessing);
}

}  // namespace bittern
