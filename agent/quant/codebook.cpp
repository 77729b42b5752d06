#include "agent/quant/codebook.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "agent/torch.h"
#include "host/base/error.h"

namespace bittern {
namespace {

/// Index of the first of the ascending `sorted` that belongs to the upper of two centres.
std::size_t boundary(const std::vector<float>& sorted, double lower, double upper) {
  const double middle = 0.5 * (lower + upper);
  return static_cast<std::size_t>(
      std::upper_bound(sorted.begin(), sorted.end(), middle,
                       [](double value, float element) { return value < element; }) -
      sorted.begin());
}

/// Ends of the groups of ascending values around ascending centres.
std::vector<std::size_t> group_ends(const std::vector<float>& sorted,
                                    const std::vector<double>& centres) {
  std::vector<std::size_t> ends;
  for (std::size_t i = 0; i + 1 < centres.size(); ++i) {
    ends.push_back(boundary(sorted, centres[i], centres[i + 1]));
  }
  ends.push_back(sorted.size());
  return ends;
}

/// k-means over ascending values, with sums that make a group's mean and error a look-up.
class Clusters {
 public:
  Clusters(std::vector<float> values, int count) : sorted_(std::move(values)), count_(count) {
    if (sorted_.empty()) fail("k-means: there are no values");
    if (count < 1) fail("k-means: {} centres; expected at least 1", count);
    for (const float value : sorted_) {
      if (!std::isfinite(value)) fail("k-means: a value is {}; expected a number", value);
    }
    std::sort(sorted_.begin(), sorted_.end());
    sums_.assign(sorted_.size() + 1, 0.0);
    squares_ = sums_;
    for (std::size_t i = 0; i < sorted_.size(); ++i) {
      const double value = sorted_[i];
      sums_[i + 1] = sums_[i] + value;
      squares_[i + 1] = squares_[i] + value * value;
    }
  }

  std::vector<double> centres(int iterations) {
    const double low = sorted_.front();
    const double high = sorted_.back();
    std::vector<double> centres;
    for (int i = 0; i < count_; ++i) {
      centres.push_back(count_ == 1 ? 0.5 * (low + high) : low + (high - low) * i / (count_ - 1));
    }
    settle(centres, iterations);
    // Where values are rare a centre loses all of its own; the groups with the greatest errors are
    // cut in two instead.
    for (std::size_t before = 0; centres.size() > before;) {
      before = centres.size();
      if (before == static_cast<std::size_t>(count_) || !split(centres)) break;
      settle(centres, iterations);
    }
    return centres;
  }

 private:
  double mean(std::size_t begin, std::size_t end) const {
    return (sums_[end] - sums_[begin]) / static_cast<double>(end - begin);
  }
  /// Sum of the squared distances to the mean.
  double error(std::size_t begin, std::size_t end) const {
    const double sum = sums_[end] - sums_[begin];
    return squares_[end] - squares_[begin] - sum * sum / static_cast<double>(end - begin);
  }

  /// Lloyd's iterations; drops centres without values.
  void settle(std::vector<double>& centres, int iterations) const {
    for (int round = 0; round < iterations; ++round) {
      const std::vector<std::size_t> ends = group_ends(sorted_, centres);
      std::vector<double> moved;
      std::size_t begin = 0;
      for (const std::size_t end : ends) {
        if (end > begin) moved.push_back(mean(begin, end));
        begin = std::max(begin, end);
      }
      if (moved == centres) return;
      centres = std::move(moved);
    }
  }

  /// Cuts the groups with the greatest errors, as many as centres are missing. False where no group
  /// holds different values.
  bool split(std::vector<double>& centres) const {
    struct Group {
      std::size_t begin, end;
      double error;
    };
    std::vector<Group> groups;
    std::size_t begin = 0;
    for (const std::size_t end : group_ends(sorted_, centres)) {
      if (end > begin && sorted_[begin] < sorted_[end - 1]) {
        groups.push_back({begin, end, error(begin, end)});
      }
      begin = std::max(begin, end);
    }
    std::stable_sort(groups.begin(), groups.end(),
                     [](const Group& a, const Group& b) { return a.error > b.error; });
    const auto missing = static_cast<std::size_t>(count_) - centres.size();
    groups.resize(std::min(groups.size(), missing));
    for (const Group& group : groups) {
      // Never all of the group: its least value is below the mean, its greatest is not.
      const auto cut =
          std::upper_bound(sorted_.begin() + static_cast<std::ptrdiff_t>(group.begin) + 1,
                           sorted_.begin() + static_cast<std::ptrdiff_t>(group.end) - 1,
                           mean(group.begin, group.end),
                           [](double value, float element) { return value < element; });
      const auto at = static_cast<std::size_t>(cut - sorted_.begin());
      const double whole = mean(group.begin, group.end);
      const auto old = std::min_element(
          centres.begin(), centres.end(),
          [whole](double a, double b) { return std::abs(a - whole) < std::abs(b - whole); });
      *old = mean(group.begin, at);
      centres.push_back(mean(at, group.end));
    }
    std::sort(centres.begin(), centres.end());
    centres.erase(std::unique(centres.begin(), centres.end()), centres.end());
    return !groups.empty();
  }

  std::vector<float> sorted_;
  int count_;
  std::vector<double> sums_;     ///< of the first values
  std::vector<double> squares_;  ///< of their squares
};

std::vector<double> centres_of(std::vector<float> values, int count, int iterations) {
  return Clusters(std::move(values), count).centres(iterations);
}

}  // namespace

std::vector<float> cluster_centres(Span<const float> values, int count, int iterations) {
  const std::vector<double> centres =
      centres_of(std::vector<float>(values.begin(), values.end()), count, iterations);
  return {centres.begin(), centres.end()};
}

CodebookQuantiser::CodebookQuantiser(const torch::Tensor& weight, int bits) {
  if (bits < 1 || bits > 8) fail("a codebook of {} bits: expected 1..8", bits);
  constexpr int kIterations = 300;
  const torch::Tensor values = weight.detach().contiguous();
  const float* data = values.data_ptr<float>();
  const auto count = static_cast<std::size_t>(values.numel());
  const std::vector<double> centres = centres_of({data, data + count}, 1 << bits, kIterations);
  std::vector<std::int64_t> groups(count);
  std::vector<std::int64_t> ends(centres.size(), 0);
  for (std::size_t i = 0; i < count; ++i) {
    // The nearest, of two at one distance the lower.
    const auto upper = std::lower_bound(centres.begin(), centres.end(), data[i]);
    std::size_t group = static_cast<std::size_t>(upper - centres.begin());
    if (group == centres.size() ||
        (group > 0 && data[i] - centres[group - 1] <= centres[group] - data[i])) {
      --group;
    }
    groups[i] = static_cast<std::int64_t>(group);
    ++ends[group];
  }
  // A value halfway between two centres may have left one of them without any.
  std::vector<std::int64_t> renumbered(ends.size());
  std::int64_t used = 0;
  for (std::size_t group = 0; group < ends.size(); ++group) {
    renumbered[group] = used;
    if (ends[group] > 0) ends[static_cast<std::size_t>(used++)] = ends[group];
  }
  ends.resize(static_cast<std::size_t>(used));
  for (std::int64_t& group : groups) group = renumbered[static_cast<std::size_t>(group)];
  sizes_ = torch::tensor(ends).to(torch::kFloat64);
  std::partial_sum(ends.begin(), ends.end(), ends.begin());
  std::vector<std::int64_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&groups](std::int64_t a, std::int64_t b) {
    return groups[static_cast<std::size_t>(a)] < groups[static_cast<std::size_t>(b)];
  });
  ends_ = torch::tensor(ends);
  order_ = torch::tensor(order);
  groups_ = torch::tensor(groups).view(values.sizes());
}

torch::Tensor CodebookQuantiser::codebook(const torch::Tensor& weight) const {
  const torch::NoGradGuard no_gradient;
  if (weight.sizes() != groups_.sizes()) {
    fail("a codebook of {} weights was given a tensor of {}", groups_.numel(), weight.numel());
  }
  // Running sums give the same on every device and with any number of threads; adding at an index
  // does not.
  const torch::Tensor sums = weight.flatten()
                                 .index_select(0, order_)
                                 .to(torch::kFloat64)
                                 .cumsum(0)
                                 .index_select(0, ends_ - 1);
  const torch::Tensor before =
      torch::cat({torch::zeros_like(sums.narrow(0, 0, 1)), sums.narrow(0, 0, sums.size(0) - 1)});
  return ((sums - before) / sizes_).to(torch::kFloat32);
}

torch::Tensor CodebookQuantiser::fake_quantise(const torch::Tensor& weight) const {
  const torch::NoGradGuard no_gradient;
  return codebook(weight).index_select(0, groups_.flatten()).view(groups_.sizes());
}

torch::Tensor CodebookQuantiser::codes() const { return groups_.to(torch::kUInt8); }

CodebookQuantiser CodebookQuantiser::to(torch::Device device) const {
  CodebookQuantiser moved = *this;
  for (torch::Tensor* tensor : {&moved.groups_, &moved.order_, &moved.ends_, &moved.sizes_}) {
    *tensor = tensor->to(device);
  }
  return moved;
}

}  // namespace bittern
