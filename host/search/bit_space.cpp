#include "host/search/bit_space.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <numeric>

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

std::vector<int> common(const std::vector<int>& a, const std::vector<int>& b) {
  std::vector<int> both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
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

bool matches_name(const std::string& pattern, const std::string& name) {
  // Position after the last * that was met, and where in the name its text ends so far.
  std::size_t star = std::string::npos;
  std::size_t resume = 0;
  std::size_t p = 0;
  std::size_t n = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = ++p;
      resume = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string::npos) {
      p = star;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
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
    const std::vector<int> both = common(weights_, activations_);
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
  choices_.assign(layers_, {weights_, activations_});
  pinned_.assign(layers_, false);
  if (options_.pin_first_last) pinned_.front() = pinned_.back() = true;
  leaders_.resize(layers_);
  std::iota(leaders_.begin(), leaders_.end(), std::size_t{0});
  apply_layers(network);
  apply_ties(network);
}

void BitSpace::apply_layers(const Network& network) {
  for (const LayerBits& entry : options_.layers) {
    const std::string where = "bits for layers \"" + entry.layers + "\"";
    std::size_t named = 0;
    std::size_t free = 0;
    for (std::size_t layer = 0; layer < layers_; ++layer) {
      if (!matches_name(entry.layers, network.layers[layer].name)) continue;
      ++named;
      if (pinned_[layer]) continue;
      ++free;
      Choices& choices = choices_[layer];
      if (!entry.weight_bits.empty()) {
        choices.weights = normalised(entry.weight_bits, where.c_str());
      }
      if (!entry.activation_bits.empty()) {
        choices.activations = normalised(entry.activation_bits, where.c_str());
      }
      if (tied()) {
        const std::vector<int> both = common(choices.weights, choices.activations);
        if (both.empty()) {
          fail_usage("search: {}: mode w=a: layer {} has no width for both weights and activations",
                     where, network.layers[layer].name);
        }
        choices.weights = choices.activations = both;
      }
      const bool moves = (options_.mode == BitMode::kWeights && choices.activations.size() > 1) ||
                         (options_.mode == BitMode::kActivations && choices.weights.size() > 1);
      if (moves) {
        fail_usage("search: {}: mode {} searches one operand; the other takes one width", where,
                   bit_mode_name(options_.mode));
      }
    }
    if (named == 0) {
      std::string names;
      for (const Layer& layer : network.layers) names += " " + layer.name;
      fail_usage("search: {}: no layer of network {} is called so; it has{}", where, network.name,
                 names);
    }
    if (free == 0) {
      fail_usage("search: {}: all of them are pinned by pin_first_last; set that to false", where);
    }
  }
}

void BitSpace::apply_ties(const Network& network) {
  std::vector<bool> taken(layers_, false);
  for (const std::vector<std::string>& group : options_.ties) {
    std::vector<std::size_t> members;
    for (std::size_t layer = 0; layer < layers_; ++layer) {
      const std::string& name = network.layers[layer].name;
      if (std::any_of(group.begin(), group.end(),
                      [&name](const std::string& p) { return matches_name(p, name); })) {
        if (taken[layer]) {
          fail_usage("search: tie: layer {} is in two groups; make one of them", name);
        }
        taken[layer] = true;
        members.push_back(layer);
      }
    }
    if (members.size() < 2) {
      std::string names;
      for (const std::string& name : group) names += " " + name;
      fail_usage("search: tie:{}: {} layer(s) of network {} are called so; at least two share bits",
                 names, members.size(), network.name);
    }
    bool pins = false;
    Choices shared = choices_[members.front()];
    for (const std::size_t layer : members) {
      pins = pins || pinned_[layer];
      shared.weights = common(shared.weights, choices_[layer].weights);
      shared.activations = common(shared.activations, choices_[layer].activations);
      leaders_[layer] = members.front();
    }
    if (shared.weights.empty() || shared.activations.empty()) {
      fail_usage("search: tie: layers {} and others of their group have no width in common",
                 network.layers[members.front()].name);
    }
    for (const std::size_t layer : members) {
      choices_[layer] = shared;
      pinned_[layer] = pins;
    }
  }
  if (std::all_of(pinned_.begin(), pinned_.end(), [](bool pinned) { return pinned; })) {
    fail_usage("search: network {}: every layer is pinned, nothing is left to search",
               network.name);
  }
}

int BitSpace::max_bits() const {
  int most = 0;
  for (const Choices& c : choices_) most = std::max({most, c.weights.back(), c.activations.back()});
  return most;
}

std::vector<BitPair> BitSpace::pairs(std::size_t layer) const {
  if (pinned(layer)) return {options_.pinned};
  std::vector<BitPair> result;
  for (const int weight : choices_[layer].weights) {
    if (tied()) {
      result.push_back({weight, weight});
    } else {
      for (const int activation : choices_[layer].activations)
        result.push_back({weight, activation});
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
    const Choices& choices = choices_[layer];
    const BitPair wanted = asked[leaders_[layer]];
    result[layer].weight = nearest_choice(wanted.weight, choices.weights);
    result[layer].activation =
        tied() ? result[layer].weight : nearest_choice(wanted.activation, choices.activations);
  }
  return result;
}

Policy BitSpace::highest() const {
  Policy policy(layers_);
  for (std::size_t i = 0; i < layers_; ++i) {
    policy[i] = {choices_[i].weights.back(), choices_[i].activations.back()};
  }
  return snap(policy);
}

Policy BitSpace::lowest() const {
  Policy policy(layers_);
  for (std::size_t i = 0; i < layers_; ++i) {
    policy[i] = {choices_[i].weights.front(), choices_[i].activations.front()};
  }
  return snap(policy);
}

}  // namespace bittern
