#pragma once

#include <string>
#include <utility>
#include <vector>

#include "host/network/network.h"

namespace bittern {

/// Which bits the agent chooses. A layer takes two decisions in mode kBoth (weights, then
/// activations) and one in the others.
enum class BitMode {
  kBoth,         ///< "w+a": weight and activation bits independently
  kWeights,      ///< "w": activations stay at BitOptions::fixed
  kActivations,  ///< "a": weights stay at BitOptions::fixed
  kTied,         ///< "w=a": one width for both
};

/// "w+a", "w", "a" or "w=a".
const char* bit_mode_name(BitMode mode);

/// Inverse of bit_mode_name(); throws Error listing the names.
BitMode parse_bit_mode(const std::string& name);

/// What some layers may have in place of what BitOptions says for all.
struct LayerBits {
  std::string layers;                ///< name, or a pattern with * and ?
  std::vector<int> weight_bits;      ///< empty: as all others; one width pins
  std::vector<int> activation_bits;  ///< likewise
};

/// Whether `pattern` (* for any text, ? for one character) matches a whole layer name.
bool matches_name(const std::string& pattern, const std::string& name);

/// What a search may choose from.
struct BitOptions {
  BitMode mode = BitMode::kBoth;
  /// Widths that the hardware offers, in any order: {2..8} for BISMO (HAQ's range; 1 is possible),
  /// {2, 4, 8} for BitFusion. Within 1..16.
  std::vector<int> weight_bits = {2, 3, 4, 5, 6, 7, 8};
  std::vector<int> activation_bits = {2, 3, 4, 5, 6, 7, 8};
  /// What the kind that is not searched has in modes kWeights and kActivations.
  BitPair fixed = {8, 8};
  /// First and last layer stay at `pinned`, whatever the agent asks for (HAQ).
  bool pin_first_last = true;
  BitPair pinned = {8, 8};
  /// Of entries that name the same layer the later ones win. Pinned ends stay pinned.
  std::vector<LayerBits> layers;
  /// Groups of layers (names or patterns) that share their bits: what the hardware needs at an
  /// addition, or what a user wants.
  std::vector<std::vector<std::string>> ties;
};

/// Floor-based binning of an action to bits, then snapping to `choices` (ascending, not empty):
/// b = min(high, low + floor(action * (high - low + 1))) where low and high are the ends of
/// `choices`; then the nearest choice, ties down. Agrees with HAQ's equation 3 everywhere but on
/// its half points, where that depends on how the language rounds. Actions outside of [0, 1] are
/// clamped.
int bits_of_action(double action, const std::vector<int>& choices);

/// Middle of the bin that gives `bits`: bits_of_action(action_of_bits(b, c), c) == b for b in c.
double action_of_bits(int bits, const std::vector<int>& choices);

/// The element of `choices` (ascending) nearest to `bits`, the lower of two at one distance.
int nearest_choice(int bits, const std::vector<int>& choices);

/// The bit pairs that each layer of a network may have.
class BitSpace {
 public:
  /// Throws Error (exit status 2) when a set is empty or holds a width outside of 1..16, when w=a
  /// finds no width in both sets, when every layer is pinned, when an entry of `layers` or `ties`
  /// names no layer or a layer twice, or when tied layers have no width in common.
  BitSpace(const BitOptions& options, const Network& network);

  std::size_t layers() const { return layers_; }
  const BitOptions& options() const { return options_; }
  BitMode mode() const { return options_.mode; }
  bool tied() const { return options_.mode == BitMode::kTied; }
  /// Widths among which a method chooses for a layer, ascending. Of a pinned layer those that the
  /// others have: a method may ask for them, and snap() decides.
  const std::vector<int>& weight_choices(std::size_t layer) const {
    return choices_[layer].weights;
  }
  const std::vector<int>& activation_choices(std::size_t layer) const {
    return choices_[layer].activations;
  }
  /// Those of layers that no entry of BitOptions::layers names.
  const std::vector<int>& weight_choices() const { return weights_; }
  const std::vector<int>& activation_choices() const { return activations_; }
  /// First of the layers that share their bits with `layer`: itself where none does.
  std::size_t leader(std::size_t layer) const { return leaders_[layer]; }
  /// Largest width that an action can ask for.
  int max_bits() const;
  bool pinned(std::size_t layer) const { return pinned_[layer]; }
  /// Pairs that the layer may have, weight bits ascending, then activation bits.
  std::vector<BitPair> pairs(std::size_t layer) const;
  /// Nearest policy of the space: pins, fixed kinds, allowed widths (ties down; w=a takes the
  /// weight's; layers that share their bits take the first one's). Throws Error when `asked` is of
  /// the wrong length.
  Policy snap(const Policy& asked) const;
  /// Most and fewest bits everywhere.
  Policy highest() const;
  Policy lowest() const;

 private:
  BitOptions options_;
  std::size_t layers_;
  struct Choices {
    std::vector<int> weights;
    std::vector<int> activations;
  };

  void apply_layers(const Network& network);
  void apply_ties(const Network& network);

  std::vector<int> weights_;
  std::vector<int> activations_;
  std::vector<Choices> choices_;      ///< of each layer
  std::vector<bool> pinned_;          ///< of each layer
  std::vector<std::size_t> leaders_;  ///< of each layer
};

}  // namespace bittern
