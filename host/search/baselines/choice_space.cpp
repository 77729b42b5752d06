#include "host/search/baselines/choice_space.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "host/base/error.h"

namespace bittern {
namespace {

/// The allowed width next to `bits`, or `bits` where there is none.
int next_width(const std::vector<int>& widths, int bits, bool up) {
  const auto at = std::lower_bound(widths.begin(), widths.end(), bits);
  if (up) return at == widths.end() || at + 1 == widths.end() ? bits : *(at + 1);
  return at == widths.begin() ? bits : *(at - 1);
}

}  // namespace

ChoiceSpace::ChoiceSpace(const BitSpace& space, const Wall& wall) : space_(space), wall_(wall) {
  room_ = wall.limits();
  std::vector<std::size_t> slot_of(space.layers(), space.layers());
  for (std::size_t layer = 0; layer < space.layers(); ++layer) {
    if (space.leader(layer) != layer) {
      const std::size_t slot = slot_of[space.leader(layer)];
      if (slot < slots_.size()) slots_[slot].layers.push_back(layer);
      continue;
    }
    const std::vector<BitPair> pairs = space.pairs(layer);
    if (pairs.size() == 1) {
      for (std::size_t c = 0; c < room_.size(); ++c) room_[c] -= wall.value(c, layer, pairs[0]);
      continue;
    }
    slot_of[layer] = slots_.size();
    Slot slot;
    slot.layers = {layer};
    slot.options = pairs;
    for (const BitPair bits : pairs) {
      for (const bool up : {false, true}) {
        const BitPair weight{next_width(space.weight_choices(layer), bits.weight, up),
                             bits.activation};
        const BitPair activation{bits.weight,
                                 next_width(space.activation_choices(layer), bits.activation, up)};
        std::vector<BitPair> steps = {weight, activation};
        if (space.tied()) steps = {{weight.weight, weight.weight}};
        std::vector<int> found;
        for (const BitPair step : steps) {
          const auto at = std::find(pairs.begin(), pairs.end(), step);
          if (step == bits || at == pairs.end()) continue;
          found.push_back(static_cast<int>(at - pairs.begin()));
        }
        (up ? slot.more : slot.fewer).push_back(found);
      }
    }
    for (std::size_t c = 0; c < room_.size(); ++c) {
      slot.costs.emplace_back();
      for (const BitPair bits : pairs) slot.costs[c].push_back(wall.value(c, layer, bits));
    }
    slots_.push_back(std::move(slot));
  }
}

double ChoiceSpace::total(std::size_t constraint, const Choice& choice) const {
  double sum = 0.0;
  for (std::size_t slot = 0; slot < slots(); ++slot) sum += cost(constraint, slot, choice[slot]);
  return sum;
}

double ChoiceSpace::share(std::size_t slot, int option) const {
  double sum = 0.0;
  for (std::size_t c = 0; c < constraints(); ++c) {
    const double reference = wall_.references()[c];
    if (reference > 0.0) sum += cost(c, slot, option) / reference;
  }
  return sum;
}

double ChoiceSpace::share(const Choice& choice) const {
  double sum = 0.0;
  for (std::size_t slot = 0; slot < slots(); ++slot) sum += share(slot, choice[slot]);
  return sum;
}

Policy ChoiceSpace::policy(const Choice& choice) const {
  if (choice.size() != slots()) {
    fail("search: a choice for {} slots was given for a space of {}", choice.size(), slots());
  }
  Policy policy = space_.lowest();
  for (std::size_t slot = 0; slot < slots(); ++slot) {
    if (choice[slot] < 0 || choice[slot] >= count(slot)) {
      fail("search: option {} of slot {}; expected 0..{}", choice[slot], slot, count(slot) - 1);
    }
    const BitPair bits = slots_[slot].options[static_cast<std::size_t>(choice[slot])];
    for (const std::size_t layer : slots_[slot].layers) policy[layer] = bits;
  }
  return policy;
}

Choice ChoiceSpace::choice(const Policy& policy) const {
  if (space_.snap(policy) != policy) {
    fail("search: the policy is outside of the search space (pins, fixed or missing widths)");
  }
  Choice choice;
  for (const Slot& slot : slots_) {
    const auto at =
        std::find(slot.options.begin(), slot.options.end(), policy[slot.layers.front()]);
    choice.push_back(static_cast<int>(at - slot.options.begin()));
  }
  return choice;
}

double ChoiceSpace::size() const {
  double size = 1.0;
  for (std::size_t slot = 0; slot < slots(); ++slot) size *= count(slot);
  return size;
}

std::string ChoiceSpace::text(const Choice& choice) const {
  std::string text;
  for (const int option : choice) text += fmt::format("{:02x}", option);
  return text;
}

Choice ChoiceSpace::from_text(const std::string& text) const {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  };
  Choice choice;
  bool good = text.size() == 2 * slots();
  for (std::size_t slot = 0; good && slot < slots(); ++slot) {
    const int high = digit(text[2 * slot]);
    const int low = digit(text[2 * slot + 1]);
    choice.push_back(16 * high + low);
    good = high >= 0 && low >= 0 && choice.back() < count(slot);
  }
  if (!good) {
    fail("checkpoint: \"{}\" is no choice of {} slots; expected two hexadecimal digits for each",
         text, slots());
  }
  return choice;
}

std::vector<Choice> neighbours(const ChoiceSpace& space, const Choice& choice) {
  std::vector<Choice> up;
  std::vector<Choice> pairs;
  std::vector<Choice> down;
  const auto add = [&space](std::vector<Choice>& list, const Choice& next) {
    if (space.meets(next)) list.push_back(next);
  };
  Choice next = choice;
  for (std::size_t i = 0; i < space.slots(); ++i) {
    for (const int raised : space.more(i, choice[i])) {
      next[i] = raised;
      add(up, next);
      for (std::size_t j = 0; j < space.slots(); ++j) {
        if (j == i) continue;
        for (const int lowered : space.fewer(j, choice[j])) {
          next[j] = lowered;
          add(pairs, next);
        }
        next[j] = choice[j];
      }
      // Within one slot: bits from one operand to the other.
      for (const int both : space.fewer(i, raised)) {
        if (both == choice[i]) continue;
        next[i] = both;
        add(pairs, next);
      }
    }
    for (const int lowered : space.fewer(i, choice[i])) {
      next[i] = lowered;
      add(down, next);
    }
    next[i] = choice[i];
  }
  up.insert(up.end(), pairs.begin(), pairs.end());
  up.insert(up.end(), down.begin(), down.end());
  return up;
}

}  // namespace bittern
