#include "host/campaign/result.h"

#include <algorithm>
#include <utility>

#include "host/base/error.h"

namespace bittern {
namespace {

using nlohmann::json;

json optional_number(const std::optional<double>& value) {
  return value ? json(*value) : json(nullptr);
}

std::optional<double> read_optional(const json& value) {
  return value.is_null() ? std::nullopt : std::optional<double>(value.get<double>());
}

json outcome_json(const PolicyOutcome& outcome) {
  json layers = json::array();
  for (const auto& layer : outcome.layers) {
    layers.push_back({{"name", layer.name},
                      {"weight_bits", layer.bits.weight},
                      {"activation_bits", layer.bits.activation},
                      {"cycles", layer.cycles},
                      {"latency_s", layer.latency_s},
                      {"energy_j", layer.energy_j},
                      {"origin", layer.origin}});
  }
  return {{"label", outcome.label},
          {"cycles", outcome.cycles()},
          {"latency_s", outcome.latency_s},
          {"energy_j", outcome.energy_j},
          {"energy_high_j", outcome.energy_high_j},
          {"size_bytes", outcome.size_bytes},
          {"validation_accuracy_percent", outcome.validation_accuracy},
          {"test_accuracy_percent", optional_number(outcome.test_accuracy)},
          {"layers", layers}};
}

PolicyOutcome read_outcome(const json& in) {
  PolicyOutcome out;
  out.label = in.at("label").get<std::string>();
  out.latency_s = in.at("latency_s").get<double>();
  out.energy_j = in.at("energy_j").get<double>();
  out.energy_high_j = in.at("energy_high_j").get<double>();
  out.size_bytes = in.at("size_bytes").get<double>();
  out.validation_accuracy = in.at("validation_accuracy_percent").get<double>();
  out.test_accuracy = read_optional(in.at("test_accuracy_percent"));
  for (const auto& layer : in.at("layers")) {
    out.layers.push_back(
        {layer.at("name").get<std::string>(),
         {layer.at("weight_bits").get<int>(), layer.at("activation_bits").get<int>()},
         layer.at("cycles").get<std::uint64_t>(),
         layer.at("latency_s").get<double>(),
         layer.at("energy_j").get<double>(),
         layer.at("origin").get<std::string>()});
  }
  return out;
}

}  // namespace

std::uint64_t PolicyOutcome::cycles() const {
  std::uint64_t sum = 0;
  for (const auto& layer : layers) sum += layer.cycles;
  return sum;
}

Policy PolicyOutcome::policy() const {
  Policy out;
  for (const auto& layer : layers) out.push_back(layer.bits);
  return out;
}

double PolicyOutcome::mean_weight_bits() const {
  double sum = 0;
  for (const auto& layer : layers) sum += layer.bits.weight;
  return layers.empty() ? 0.0 : sum / static_cast<double>(layers.size());
}

double PolicyOutcome::mean_activation_bits() const {
  double sum = 0;
  for (const auto& layer : layers) sum += layer.bits.activation;
  return layers.empty() ? 0.0 : sum / static_cast<double>(layers.size());
}

const PolicyOutcome* CampaignResult::best_uniform() const {
  const auto meets = [this](const PolicyOutcome& outcome) {
    return std::all_of(constraints.begin(), constraints.end(), [&](const ConstraintOutcome& c) {
      return c.allows(c.resource == "latency"  ? outcome.latency_s
                      : c.resource == "energy" ? outcome.energy_j
                                               : outcome.size_bytes);
    });
  };
  const PolicyOutcome* found = nullptr;
  for (const auto& candidate : uniform) {
    if (!meets(candidate)) continue;
    const auto rank = [](const PolicyOutcome& o) {
      return std::pair(o.validation_accuracy, -o.latency_s);
    };
    if (found == nullptr || rank(candidate) > rank(*found)) found = &candidate;
  }
  return found;
}

json to_json(const CampaignResult& result) {
  json constraints = json::array();
  for (const auto& c : result.constraints) {
    constraints.push_back({{"resource", c.resource},
                           {"unit", c.unit},
                           {"reference", c.reference},
                           {"limit", c.limit},
                           {"achieved", c.achieved},
                           {"ratio_of_8_8", c.reference > 0 ? c.achieved / c.reference : 0.0},
                           {"met", c.met()}});
  }
  json uniform = json::array();
  for (const auto& outcome : result.uniform) uniform.push_back(outcome_json(outcome));
  json provenance = json::object();
  for (const auto& [key, value] : result.provenance) provenance[key] = value;
  return {{"format", "bittern-result-1"},
          {"campaign", result.campaign},
          {"network", result.network},
          {"dataset", result.dataset},
          {"variant", result.variant},
          {"search", result.search},
          {"cost_kind", result.cost_kind},
          {"seed", result.seed},
          {"episodes", result.episodes},
          {"budget", result.budget},
          {"stopped_early", result.stopped},
          {"baseline",
           {{"validation_accuracy_percent", result.baseline_validation},
            {"test_accuracy_percent", optional_number(result.baseline_test)}}},
          {"constraints", constraints},
          {"best", outcome_json(result.best)},
          {"uniform", uniform},
          {"provenance", provenance},
          {"timing", result.timing}};
}

CampaignResult campaign_result_from_json(const json& in) try {
  if (in.at("format") != "bittern-result-1") {
    fail("result.json: format is {}, this version reads \"bittern-result-1\"",
         in.at("format").dump());
  }
  CampaignResult out;
  out.campaign = in.at("campaign").get<std::string>();
  out.network = in.at("network").get<std::string>();
  out.dataset = in.at("dataset").get<std::string>();
  out.variant = in.at("variant").get<std::string>();
  out.search = in.at("search").get<std::string>();
  out.cost_kind = in.at("cost_kind").get<std::string>();
  out.seed = in.at("seed").get<std::uint64_t>();
  out.episodes = in.at("episodes").get<int>();
  out.budget = in.at("budget").get<int>();
  out.stopped = in.at("stopped_early").get<bool>();
  out.baseline_validation = in.at("baseline").at("validation_accuracy_percent").get<double>();
  out.baseline_test = read_optional(in.at("baseline").at("test_accuracy_percent"));
  for (const auto& c : in.at("constraints")) {
    out.constraints.push_back({c.at("resource").get<std::string>(), c.at("unit").get<std::string>(),
                               c.at("reference").get<double>(), c.at("limit").get<double>(),
                               c.at("achieved").get<double>()});
  }
  out.best = read_outcome(in.at("best"));
  for (const auto& outcome : in.at("uniform")) out.uniform.push_back(read_outcome(outcome));
  for (const auto& [key, value] : in.at("provenance").items()) {
    out.provenance.emplace_back(key, value.get<std::string>());
  }
  out.timing = in.at("timing");
  return out;
} catch (const json::exception& error) {
  fail(
      "result.json: {}; the file was damaged or written by another version, run the campaign again",
      error.what());
}

}  // namespace bittern
