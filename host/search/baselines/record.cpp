#include "host/search/baselines/record.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include "host/base/error.h"

namespace bittern {

using nlohmann::json;

namespace {

/// Nats, of a network whose answers are no numbers: that of one that is sure of wrong answers.
constexpr double kLossOfNoNumber = 20.0;

}  // namespace

bool better(const Measured& a, const Measured& b) {
  if (a.meets_floor != b.meets_floor) return a.meets_floor;
  if (a.reward != b.reward) return a.reward > b.reward;
  return a.cost < b.cost;
}

void Record::add(const Outcome& outcome) {
  Measured measured;
  measured.choice = space_.choice(outcome.policy);
  measured.accuracy = outcome.accuracy.top1;
  const double loss = outcome.accuracy.loss;
  measured.loss = std::isfinite(loss) ? loss : kLossOfNoNumber;
  measured.reward = outcome.reward;
  measured.meets_floor = outcome.meets_floor;
  measured.meets_limits = outcome.meets_limits;
  if (space_.constraints() > 0) measured.cost = space_.total(0, measured.choice);
  insert(std::move(measured));
}

void Record::insert(Measured measured) {
  if (!index_.emplace(measured.choice, all_.size()).second) return;
  has_losses_ = has_losses_ || measured.loss != 0.0;
  all_.push_back(std::move(measured));
}

const Measured* Record::find(const Choice& choice) const {
  const auto at = index_.find(choice);
  return at == index_.end() ? nullptr : &all_[at->second];
}

const Measured* Record::best() const {
  const Measured* best = nullptr;
  for (const Measured& measured : all_) {
    if (measured.meets_limits && (best == nullptr || better(measured, *best))) best = &measured;
  }
  return best;
}

std::vector<std::size_t> Record::ranked() const {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < all_.size(); ++i) {
    if (all_[i].meets_limits) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [this](std::size_t a, std::size_t b) { return better(all_[a], all_[b]); });
  return order;
}

json Record::save() const {
  json list = json::array();
  for (const Measured& m : all_) {
    list.push_back({space_.text(m.choice), m.accuracy, m.reward, m.cost, m.meets_floor,
                    m.meets_limits, m.loss});
  }
  return list;
}

void Record::load(const json& value) {
  all_.clear();
  index_.clear();
  has_losses_ = false;
  for (const json& entry : value) {
    if (!entry.is_array() || entry.size() < 6 || entry.size() > 7) {
      fail("checkpoint: an entry of what was measured is {}; expected seven values", entry.dump());
    }
    Measured m;
    m.choice = space_.from_text(entry[0].get<std::string>());
    m.accuracy = entry[1].get<double>();
    m.reward = entry[2].get<double>();
    m.cost = entry[3].get<double>();
    m.meets_floor = entry[4].get<bool>();
    m.meets_limits = entry[5].get<bool>();
    // Methods that do not look at the loss did not always keep it.
    if (entry.size() == 7) m.loss = entry[6].get<double>();
    insert(std::move(m));
  }
}

std::vector<json> Baseline::tell(const std::vector<Outcome>& outcomes) {
  for (const Outcome& outcome : outcomes) record_.add(outcome);
  return std::vector<json>(outcomes.size(), json::object());
}

int Baseline::learn_from(const Experience&, const std::vector<Outcome>& outcomes) {
  for (const Outcome& outcome : outcomes) record_.add(outcome);
  return 0;
}

void Baseline::save(Checkpoint& checkpoint) const { checkpoint.state["measured"] = record_.save(); }

void Baseline::load(const Checkpoint& checkpoint) { record_.load(checkpoint.state.at("measured")); }

}  // namespace bittern
