#include "host/search/bit_space.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>

#include "host/base/error.h"

namespace bittern {
namespace {

constexpr int kMaxBits = 16;

void check_width(int bits, const char* what) {
  if (bits < 1 || bits > kMaxBits) {
    fail_usage("search: {}: {} bits; expected 1..{}", what, bits, kMaxBits);
  }
}

std::vector<int> normalised(std::vector<int> bits, const char* what) {
  if (bits.empty()) fail_usage("search: {}: no width is allowed; name at least one", what);
  for (const int b : bits) check_width(b, what);
  std::sort(bits.begin(), bits.end());
  bits.erase(std::unique(bits.begin(), bits.end()), bits.end());
  return bits;
}

}  // namespace

const char* bit_mode_name(BitMode mode) {
  switch (mode) {
    case BitMode::kBoth:
      return "w+a";
    case BitMode::kWeights:
      return "w";
    case BitMode::kActivations:
      return "a";
    case BitMode::kTied:
      return "w=a";
  }
  return "unknown";
}

BitMode parse_bit_mode(const std::string& name) {
  for (const BitMode mode :
       {BitMode::kBoth, BitMode::kWeights, BitMode::kActivations, BitMode::kTied}) {
    if (name == bit_mode_name(mode)) return mode;
  }
  fail_usage("search mode \"{}\": expected w+a, w, a or w=a", name);
}

int nearest_choice(int bits, const std::vector<int>& choices) {
  int best = choices.front();
  // Ascending order and a strict comparison: the lower of two equally near ones stays.
  for (const int choice : choices) {
    if (std::abs(choice - bits) < std::abs(best - bits)) best = choice;
  }
  return best;
}

int bits_of_action(double action, const std::vector<int>& choices) {
  const int low = choices.front();
  const int high = choices.back();
  const double clamped = std::min(1.0, std::max(0.0, action));
  const int bin = static_cast<int>(std::floor(clamped * (high - low + 1)));
  return nearest_choice(std::min(high, low + bin), choices);
}

double action_of_bits(int bits, const std::vector<int>& choices) {
  const int low = choices.front();
  const int high = choices.back();
  return (std::min(high, std::max(low, bits)) - low + 0.5) / (high - low + 1);
}

BitSpace::BitSpace(const BitOptions& options, const Network& network)
    : options_(options),
      layers_(network.layers.size()),
      weights_(normalised(options.weight_bits, "weight_bits")),
      activations_(normalised(options.activation_bits, "activation_bits")) {
  check_width(options.fixed.weight, "fixed weight bits");
  check_width(options.fixed.activation, "fixed activation bits");
  check_width(options.pinned.weight, "pinned weight bits");
  check_width(options.pinned.activation, "pinned activation bits");
  if (tied()) {
    std::vector<int> both;
    std::set_intersection(weights_.begin(), weights_.end(), activations_.begin(),
                          activations_.end(), std::back_inserter(both));
    if (both.empty()) {
      fail_usage("search: mode w=a: no width is in both weight_bits and activation_bits");
    }
    weights_ = activations_ = both;
  }
  if (options_.mode == BitMode::kWeights) activations_ = {options.fixed.activation};
  if (options_.mode == BitMode::kActivations) weights_ = {options.fixed.weight};
  if (layers_ == 0) fail_usage("search: network {} has no layers", network.name);
  if (options_.pin_first_last && layers_ <= 2) {
    fail_usage(
        "search: network {} has {} layer(s), and the first and the last are pinned at {}/{} bits: "
        "nothing is left to search; set pin_first_last: false",
        network.name, layers_, options_.pinned.weight, options_.pinned.activation);
  }
}

int BitSpace::max_bits() const { return std::max(weights_.back(), activations_.back()); }

bool BitSpace::pinned(std::size_t layer) const {
  return options_.pin_first_last && (layer == 0 || layer + 1 == layers_);
}

std::vector<BitPair> BitSpace::pairs(std::size_t layer) const {
  if (pinned(layer)) return {options_.pinned};
  std::vector<BitPair> result;
  for (const int weight : weights_) {
    if (tied()) {
      result.push_back({weight, weight});
    } else {
      for (const int activation : activations_) result.push_back({weight, activation});
    }
  }
  return result;
}

Policy BitSpace::snap(const Policy& asked) const {
  if (asked.size() != layers_) {
    fail("search: a policy for {} layers was given for a network of {}", asked.size(), layers_);
  }
  Policy result(layers_);
  for (std::size_t layer = 0; layer < layers_; ++layer) {
    if (pinned(layer)) {
      result[layer] = options_.pinned;
      continue;
    }
    result[layer].weight = nearest_choice(asked[layer].weight, weights_);
    result[layer].activation =
        tied() ? result[layer].weight : nearest_choice(asked[layer].activation, activations_);
  }
  return result;
}

Policy BitSpace::highest() const {
  return snap(Policy(layers_, BitPair{weights_.back(), activations_.back()}));
}

Policy BitSpace::lowest() const {
  return snap(Policy(layers_, BitPair{weights_.front(), activations_.front()}));
}

}  // namespace bittern
