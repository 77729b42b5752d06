#include "host/search/ranking.h"

#include <algorithm>

#include "host/base/error.h"
#include "host/base/json_text.h"

namespace bittern {

nlohmann::json policy_json(const Policy& policy) {
  nlohmann::json result = nlohmann::json::array();
  for (const BitPair& bits : policy) {
    result.push_back(nlohmann::json::array({bits.weight, bits.activation}));
  }
  return result;
}

Policy policy_from_json(const nlohmann::json& value) {
  try {
    Policy policy;
    for (const auto& pair : value) {
      policy.push_back({pair.at(0).get<int>(), pair.at(1).get<int>()});
    }
    return policy;
  } catch (const nlohmann::json::exception& error) {
    fail("policy: expected [[weight bits, activation bits], ...]: {}", error.what());
  }
}

nlohmann::json cost_json(const LayerCost& cost) {
  return {{"cycles", cost.cycles},
          {"latency_s", cost.latency_s},
          {"energy_j", cost.energy_j},
          {"energy_high_j", cost.energy_high_j},
          {"weight_bytes", cost.weight_bytes},
          {"origin", origin_name(cost.origin)}};
}

namespace {

LayerCost cost_from_json(const nlohmann::json& value) {
  LayerCost cost;
  cost.cycles = value.at("cycles").get<std::uint64_t>();
  cost.latency_s = value.at("latency_s").get<double>();
  cost.energy_j = value.at("energy_j").get<double>();
  cost.energy_high_j = value.at("energy_high_j").get<double>();
  cost.weight_bytes = value.at("weight_bytes").get<double>();
  const std::string name = value.at("origin").get<std::string>();
  for (const Origin origin : kOrigins) {
    if (name == origin_name(origin)) {
      cost.origin = origin;
      return cost;
    }
  }
  fail("cost: unknown origin \"{}\"", name);
}

}  // namespace

Ranking::Ranking(std::size_t capacity, Resource tie_break)
    : capacity_(std::max<std::size_t>(capacity, 1)), tie_break_(tie_break) {}

bool Ranking::before(const Candidate& a, const Candidate& b) const {
  if (a.meets_floor != b.meets_floor) return a.meets_floor;
  if (a.reward != b.reward) return a.reward > b.reward;
  const double cost_a = resource_value(a.cost, tie_break_);
  const double cost_b = resource_value(b.cost, tie_break_);
  if (cost_a != cost_b) return cost_a < cost_b;
  return a.episode < b.episode;
}

void Ranking::add(const Candidate& candidate) {
  for (const Candidate& kept : best_) {
    if (kept.policy == candidate.policy) return;
  }
  const auto at =
      std::upper_bound(best_.begin(), best_.end(), candidate,
                       [this](const Candidate& a, const Candidate& b) { return before(a, b); });
  best_.insert(at, candidate);
  if (best_.size() > capacity_) best_.pop_back();
}

nlohmann::json Ranking::save() const {
  nlohmann::json result = nlohmann::json::array();
  for (const Candidate& candidate : best_) {
    result.push_back({{"policy", policy_json(candidate.policy)},
                      {"reward", candidate.reward},
                      {"accuracy", candidate.accuracy.top1},
                      {"loss", json_number(candidate.accuracy.loss)},
                      {"cost", cost_json(candidate.cost)},
                      {"episode", candidate.episode},
                      {"meets_floor", candidate.meets_floor}});
  }
  return result;
}

void Ranking::load(const nlohmann::json& value) {
  try {
    std::vector<Candidate> loaded;
    for (const auto& entry : value) {
      Candidate candidate;
      candidate.policy = policy_from_json(entry.at("policy"));
      candidate.reward = entry.at("reward").get<double>();
      candidate.accuracy = {entry.at("accuracy").get<double>(), number_of_json(entry.at("loss"))};
      candidate.cost = cost_from_json(entry.at("cost"));
      candidate.episode = entry.at("episode").get<int>();
      candidate.meets_floor = entry.at("meets_floor").get<bool>();
      loaded.push_back(std::move(candidate));
    }
    best_ = std::move(loaded);
  } catch (const nlohmann::json::exception& error) {
    fail("checkpoint: the list of best policies is not what was expected: {}", error.what());
  }
}

}  // namespace bittern
