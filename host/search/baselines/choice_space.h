#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "host/search/bit_space.h"
#include "host/search/wall.h"

namespace bittern {

/// A policy as a number per slot of a ChoiceSpace: the index of the slot's option.
using Choice = std::vector<int>;

/// The search space as the baselines see it: slots (layers, or groups of layers that share their
/// bits) with more than one option each, and the cost of every option in every constraint. Layers
/// that have one option only are part of what every choice costs.
class ChoiceSpace {
 public:
  /// Both must outlive the object.
  ChoiceSpace(const BitSpace& space, const Wall& wall);

  std::size_t slots() const { return slots_.size(); }
  /// The layers of a slot, ascending; the first of them is their leader.
  const std::vector<std::size_t>& layers(std::size_t slot) const { return slots_[slot].layers; }
  /// Weight bits ascending, then activation bits.
  const std::vector<BitPair>& options(std::size_t slot) const { return slots_[slot].options; }
  int count(std::size_t slot) const { return static_cast<int>(slots_[slot].options.size()); }
  /// Options that differ from `option` by one allowed width of one operand (of both where they are
  /// one): first those with fewer bits, then those with more.
  const std::vector<int>& fewer(std::size_t slot, int option) const {
    return slots_[slot].fewer[static_cast<std::size_t>(option)];
  }
  const std::vector<int>& more(std::size_t slot, int option) const {
    return slots_[slot].more[static_cast<std::size_t>(option)];
  }

  std::size_t constraints() const { return wall_.limits().size(); }
  /// What an option costs in a constraint, in its unit, summed over the slot's layers.
  double cost(std::size_t constraint, std::size_t slot, int option) const {
    return slots_[slot].costs[constraint][static_cast<std::size_t>(option)];
  }
  /// What an option costs as a share of what the reference policy does, summed over constraints:
  /// what a search with Goal::kCost saves.
  double share(std::size_t slot, int option) const;
  double share(const Choice& choice) const;
  /// What the slots may cost together: the limit less the layers with one option.
  double room(std::size_t constraint) const { return room_[constraint]; }
  /// What a choice costs in a constraint, the layers with one option left out.
  double total(std::size_t constraint, const Choice& choice) const;
  bool meets(const Choice& choice) const { return wall_.meets(policy(choice)); }

  /// Throws Error when the choice is not of the space.
  Policy policy(const Choice& choice) const;
  /// Inverse; throws Error when the policy is not of the space.
  Choice choice(const Policy& policy) const;
  Choice highest() const { return choice(space_.highest()); }
  Choice lowest() const { return choice(space_.lowest()); }
  /// What the wall makes of a choice.
  Choice walled(const Choice& asked) const { return choice(wall_.apply(policy(asked)).policy); }
  /// Number of policies, as far as a double can hold it.
  double size() const;

  /// Two hexadecimal digits a slot: how files write a choice.
  std::string text(const Choice& choice) const;
  /// Inverse; throws Error when `text` is of another form.
  Choice from_text(const std::string& text) const;

 private:
  struct Slot {
    std::vector<std::size_t> layers;
    std::vector<BitPair> options;
    std::vector<std::vector<int>> fewer;
    std::vector<std::vector<int>> more;
    std::vector<std::vector<double>> costs;  ///< [constraint][option]
  };

  const BitSpace& space_;
  const Wall& wall_;
  std::vector<Slot> slots_;
  std::vector<double> room_;
};

/// The choices around one: every slot one step up or down, and every pair of slots with one step
/// down in one and one step up in the other. Those that break a limit are left out. Single steps
/// up first, then pairs, then single steps down. O(slots^2) of them.
std::vector<Choice> neighbours(const ChoiceSpace& space, const Choice& choice);

}  // namespace bittern
