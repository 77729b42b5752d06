#include "host/result/result.h"

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

/// Standard error in points; null where the number of images is not known.
json error_json(const std::optional<double>& percent, std::size_t images) {
  return percent && images > 0 ? json(accuracy_standard_error(*percent, images)) : json(nullptr);
}

/// null where one of the two was not scored image by image.
json difference_json(const Answers& found, const Answers& other) {
  if (found.empty() || other.empty()) return nullptr;
  const PairedDifference difference = paired_difference(found, other);
  return {{"points", difference.points},
          {"interval_95_low", difference.low},
          {"interval_95_high", difference.high},
          {"images", difference.images},
          {"only_found_correct", difference.only_first},
          {"only_this_correct", difference.only_second}};
}

json outcome_json(const PolicyOutcome& outcome, const CampaignResult& result) {
  json layers = json::array();
  for (const auto& layer : outcome.layers) {
    const BitPair ran = layer.ran.value_or(layer.bits);
    layers.push_back({{"name", layer.name},
                      {"weight_bits", layer.bits.weight},
                      {"activation_bits", layer.bits.activation},
                      {"weight_bits_run", ran.weight},
                      {"activation_bits_run", ran.activation},
                      {"cycles", layer.cycles},
                      {"latency_s", layer.latency_s},
                      {"energy_j", layer.energy_j},
                      {"origin", layer.origin}});
    if (layer.shape.empty()) continue;
    layers.back()["shape"] = layer.shape;
    layers.back()["operations"] = layer.operations;
    layers.back()["bytes"] = layer.bytes;
    layers.back()["peak_ops_per_s"] = layer.peak_ops_per_s;
  }
  json row = {{"label", outcome.label},
              {"cycles", outcome.cycles()},
              {"latency_s", outcome.latency_s},
              {"energy_j", outcome.energy_j},
              {"energy_high_j", outcome.energy_high_j},
              {"size_bytes", outcome.size_bytes},
              {"validation_accuracy_percent", outcome.validation_accuracy},
              {"validation_standard_error_points",
               error_json(outcome.validation_accuracy, result.validation_images)},
              {"test_accuracy_percent", optional_number(outcome.test_accuracy)},
              {"test_standard_error_points", error_json(outcome.test_accuracy, result.test_images)},
              {"validation_answers", outcome.validation_answers.text()},
              {"test_answers", outcome.test_answers.text()},
              {"layers", layers}};
  if (outcome.search_accuracy) row["search_accuracy_percent"] = *outcome.search_accuracy;
  if (outcome.choice_accuracy) row["choice_accuracy_percent"] = *outcome.choice_accuracy;
  if (outcome.quantised_test_accuracy) {
    row["quantised_test_accuracy_percent"] = *outcome.quantised_test_accuracy;
  }
  return row;
}

/// The two differences of found to something that has these answers.
json differences_json(const CampaignResult& result, const Answers& validation,
                      const Answers& test) {
  return {{"validation", difference_json(result.best.validation_answers, validation)},
          {"test", difference_json(result.best.test_answers, test)}};
}

/// Answers under a key that earlier versions did not write.
Answers read_answers(const json& in, const char* key) {
  return Answers::parse(in.value(key, std::string()));
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
  if (in.contains("search_accuracy_percent")) {
    out.search_accuracy = read_optional(in.at("search_accuracy_percent"));
  }
  if (in.contains("choice_accuracy_percent")) {
    out.choice_accuracy = in.at("choice_accuracy_percent").get<double>();
  }
  if (in.contains("quantised_test_accuracy_percent")) {
    out.quantised_test_accuracy = in.at("quantised_test_accuracy_percent").get<double>();
  }
  out.validation_answers = read_answers(in, "validation_answers");
  out.test_answers = read_answers(in, "test_answers");
  for (const auto& layer : in.at("layers")) {
    const BitPair bits{layer.at("weight_bits").get<int>(), layer.at("activation_bits").get<int>()};
    const BitPair ran{layer.value("weight_bits_run", bits.weight),
                      layer.value("activation_bits_run", bits.activation)};
    out.layers.push_back(
        {layer.at("name").get<std::string>(), bits, layer.at("cycles").get<std::uint64_t>(),
         layer.at("latency_s").get<double>(), layer.at("energy_j").get<double>(),
         layer.at("origin").get<std::string>(), ran == bits ? std::nullopt : std::optional(ran),
         layer.value("shape", std::string()), layer.value("operations", 0.0),
         layer.value("bytes", 0.0), layer.value("peak_ops_per_s", 0.0)});
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

double PolicyOutcome::value_of(const std::string& resource) const {
  return resource == "latency" ? latency_s : resource == "energy" ? energy_j : size_bytes;
}

bool CampaignResult::within_limits(const PolicyOutcome& outcome, double factor) const {
  return std::all_of(constraints.begin(), constraints.end(), [&](const ConstraintOutcome& c) {
    return c.allows(outcome.value_of(c.resource) / factor);
  });
}

const PolicyOutcome* CampaignResult::best_uniform() const {
  const PolicyOutcome* found = nullptr;
  for (const auto& candidate : uniform) {
    if (!within_limits(candidate)) continue;
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
    const json ratio = c.reference > 0 ? c.achieved / c.reference : 0.0;
    constraints.push_back({{"resource", c.resource},
                           {"unit", c.unit},
                           {"reference", c.reference},
                           {"limit", c.limit},
                           {"achieved", c.achieved},
                           {"ratio", ratio},
                           {"ratio_of_8_8", result.reference.bits == "8/8" ? ratio : nullptr},
                           {"met", c.met()}});
  }
  const auto compared = [&result](const std::vector<PolicyOutcome>& outcomes) {
    json rows = json::array();
    for (const auto& outcome : outcomes) {
      json row = outcome_json(outcome, result);
      row["found_minus_this"] =
          differences_json(result, outcome.validation_answers, outcome.test_answers);
      rows.push_back(std::move(row));
    }
    return rows;
  };
  json provenance = json::object();
  for (const auto& [key, value] : result.provenance) provenance[key] = value;
  return {
      {"format", "bittern-result-1"},
      {"campaign", result.campaign},
      {"campaign_file", result.campaign_file},
      {"network", result.network},
      {"dataset", result.dataset},
      {"variant", result.variant},
      {"search", result.search},
      {"reinforcement", result.reinforcement},
      {"exhaustive", result.exhaustive},
      {"cost_kind", result.cost_kind},
      {"float_operand", result.float_operand},
      {"seed", result.seed},
      {"episodes", result.episodes},
      {"budget", result.budget},
      {"evaluations", result.evaluations},
      {"evaluation_budget", result.evaluation_budget},
      {"search_accuracy_percent", optional_number(result.search_accuracy)},
      {"start", result.start},
      {"exhausted", result.exhausted},
      {"stopped_early", result.stopped},
      {"baseline",
       {{"validation_accuracy_percent", result.baseline_validation},
        {"validation_standard_error_points",
         error_json(result.baseline_validation, result.validation_images)},
        {"test_accuracy_percent", optional_number(result.baseline_test)},
        {"test_standard_error_points", error_json(result.baseline_test, result.test_images)},
        {"validation_answers", result.baseline_validation_answers.text()},
        {"test_answers", result.baseline_test_answers.text()},
        {"found_minus_this", differences_json(result, result.baseline_validation_answers,
                                              result.baseline_test_answers)}}},
      {"validation_images", result.validation_images},
      {"test_images", result.test_images},
      {"policies_tried", result.policies_tried},
      {"finalists", result.finalists},
      {"reference", {{"bits", result.reference.bits}, {"latency_s", result.reference.latency_s}}},
      {"bandwidth",
       {{"port_bytes_per_s", result.bandwidth.port_bytes_per_s},
        {"all_bytes_per_s", result.bandwidth.all_bytes_per_s}}},
      {"constraints", constraints},
      {"best", outcome_json(result.best, result)},
      {"uniform", compared(result.uniform)},
      {"given", compared(result.given)},
      {"uniform_note", result.uniform_note},
      {"warnings", result.warnings},
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
  out.campaign_file = in.value("campaign_file", std::string());
  out.network = in.at("network").get<std::string>();
  out.dataset = in.at("dataset").get<std::string>();
  out.variant = in.at("variant").get<std::string>();
  out.search = in.at("search").get<std::string>();
  // Earlier versions did not say it, and had no other methods of these kinds.
  out.reinforcement = in.value("reinforcement", out.search == "haq");
  out.exhaustive = in.value("exhaustive", out.search == "exhaustive");
  out.cost_kind = in.at("cost_kind").get<std::string>();
  out.float_operand = in.value("float_operand", std::string());
  out.seed = in.at("seed").get<std::uint64_t>();
  out.episodes = in.at("episodes").get<int>();
  out.budget = in.at("budget").get<int>();
  out.evaluations = in.value("evaluations", 0.0);
  out.evaluation_budget = in.value("evaluation_budget", 0);
  if (in.contains("search_accuracy_percent")) {
    out.search_accuracy = read_optional(in.at("search_accuracy_percent"));
  }
  out.start = in.value("start", std::string());
  out.exhausted = in.value("exhausted", false);
  out.stopped = in.at("stopped_early").get<bool>();
  out.baseline_validation = in.at("baseline").at("validation_accuracy_percent").get<double>();
  out.baseline_test = read_optional(in.at("baseline").at("test_accuracy_percent"));
  out.baseline_validation_answers = read_answers(in.at("baseline"), "validation_answers");
  out.baseline_test_answers = read_answers(in.at("baseline"), "test_answers");
  out.validation_images = in.value("validation_images", std::size_t{0});
  out.test_images = in.value("test_images", std::size_t{0});
  out.policies_tried = in.value("policies_tried", 0);
  out.finalists = in.value("finalists", 0);
  out.uniform_note = in.value("uniform_note", std::string());
  out.warnings = in.value("warnings", std::vector<std::string>());
  for (const auto& c : in.at("constraints")) {
    out.constraints.push_back({c.at("resource").get<std::string>(), c.at("unit").get<std::string>(),
                               c.at("reference").get<double>(), c.at("limit").get<double>(),
                               c.at("achieved").get<double>()});
  }
  out.best = read_outcome(in.at("best"));
  for (const auto& outcome : in.at("uniform")) out.uniform.push_back(read_outcome(outcome));
  for (const auto& outcome : in.value("given", json::array())) {
    out.given.push_back(read_outcome(outcome));
  }
  if (in.contains("reference")) {
    out.reference.bits = in.at("reference").at("bits").get<std::string>();
    out.reference.latency_s = in.at("reference").at("latency_s").get<double>();
  } else {
    // Earlier versions always had it among the uniform policies.
    for (const auto& outcome : out.uniform) {
      if (outcome.label == "uniform 8") out.reference.latency_s = outcome.latency_s;
    }
  }
  if (in.contains("bandwidth")) {
    out.bandwidth.port_bytes_per_s = in.at("bandwidth").at("port_bytes_per_s").get<double>();
    out.bandwidth.all_bytes_per_s = in.at("bandwidth").at("all_bytes_per_s").get<double>();
  }
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
