#include "host/report/campaign_verdict.h"

#include <fmt/format.h>

#include <map>

namespace bittern {
namespace {

/// Found against `other` on the test set, or on the validation set before the final fine-tune.
std::string found_against(const CampaignResult& result, const PolicyOutcome& other) {
  const PolicyOutcome& found = result.best;
  if (!found.test_answers.empty() && !other.test_answers.empty()) {
    const PairedDifference difference = paired_difference(found.test_answers, other.test_answers);
    return fmt::format("{} on the test set: {}", difference_text(difference),
                       difference.first_is_better()    ? "found is better"
                       : difference.second_is_better() ? "found is worse"
                                                       : "no difference is shown");
  }
  const bool test = found.test_accuracy && other.test_accuracy;
  return fmt::format(
      "{:+.2f} points on the {} set, without an interval ({}): no difference is shown",
      test ? *found.test_accuracy - *other.test_accuracy
           : found.validation_accuracy - other.validation_accuracy,
      test ? "test" : "validation",
      test ? "answers to single images were not kept" : "stopped before the final fine-tune");
}

/// "1.07 times the latency of the found policy, 0.99 times its model_size".
std::string cost_against_found(const CampaignResult& result, const PolicyOutcome& other) {
  std::string out;
  for (const auto& c : result.constraints) {
    const double found = result.best.value_of(c.resource);
    if (!(found > 0)) continue;
    out += fmt::format(
        "{}{:.3f} times {}", out.empty() ? "" : ", ", other.value_of(c.resource) / found,
        out.empty() ? "the " + c.resource + " of the found policy" : "its " + c.resource);
  }
  return out;
}

/// "within the limits", or by how much they are exceeded.
std::string limits_text(const CampaignResult& result, const PolicyOutcome& other) {
  std::string out;
  for (const auto& c : result.constraints) {
    if (c.allows(other.value_of(c.resource))) continue;
    out += fmt::format("{}{:.1f} % above the limit on {}", out.empty() ? "" : ", ",
                       100.0 * (other.value_of(c.resource) / c.limit - 1.0), c.resource);
  }
  return out.empty() ? "within the limits" : out;
}

std::string chosen_among(const CampaignResult& result) {
  return fmt::format(
      "found is the best by validation of {} policies tried in {} episodes{}; that flatters its "
      "validation accuracy, not its test accuracy",
      result.policies_tried, result.episodes,
      result.finalists > 0 ? fmt::format(" ({} with the final fine-tune)", result.finalists) : "");
}

std::string float_operand_text(const CampaignResult& result) {
  std::string text =
      fmt::format("{} stay in floating point and cost what 8 bits cost", result.float_operand);
  if (result.best.quantised_test_accuracy) {
    text += fmt::format(
        "; with 8 bits, and no training for it, the found policy has {} % on the test set",
        accuracy_text(*result.best.quantised_test_accuracy, result.test_images));
  }
  return text;
}

}  // namespace

std::string accuracy_text(double percent, std::size_t images) {
  return images == 0
             ? fmt::format("{:.2f}", percent)
             : fmt::format("{:.2f} +-{:.2f}", percent, accuracy_standard_error(percent, images));
}

std::string difference_text(const PairedDifference& difference) {
  return fmt::format("{:+.2f} points (95 % interval {:+.2f} to {:+.2f}, paired over {} images)",
                     difference.points, difference.low, difference.high, difference.images);
}

const PolicyOutcome* clearly_better_uniform(const CampaignResult& result) {
  if (result.best.test_answers.empty() || result.constraints.empty()) return nullptr;
  const std::string& resource = result.constraints.front().resource;
  const PolicyOutcome* cheapest = nullptr;
  for (const auto& candidate : result.uniform) {
    if (candidate.test_answers.empty() || !result.within_limits(candidate, kLittleDearer)) continue;
    if (!paired_difference(candidate.test_answers, result.best.test_answers).first_is_better()) {
      continue;
    }
    if (cheapest == nullptr || candidate.value_of(resource) < cheapest->value_of(resource)) {
      cheapest = &candidate;
    }
  }
  return cheapest;
}

std::vector<std::string> campaign_verdict(const CampaignResult& result) {
  std::vector<std::string> lines;
  if (!result.start.empty()) lines.push_back(result.start);
  const PolicyOutcome* best = result.best_uniform();
  if (best == nullptr) {
    lines.emplace_back("no uniform policy is within the limits");
  } else {
    lines.push_back(
        fmt::format("best uniform policy within the limits (by validation): {}", best->label));
    lines.push_back(fmt::format("found minus {}: {}", best->label, found_against(result, *best)));
  }
  const PolicyOutcome* better = clearly_better_uniform(result);
  if (better != nullptr && better != best) {
    lines.push_back(fmt::format(
        "{} costs {} ({}) and is clearly better on the test set: {:.2f} against {:.2f} %, {}",
        better->label, cost_against_found(result, *better), limits_text(result, *better),
        *better->test_accuracy, *result.best.test_accuracy,
        difference_text(paired_difference(better->test_answers, result.best.test_answers))));
  }
  for (const PolicyOutcome& given : result.given) {
    lines.push_back(fmt::format("found minus {}: {}", given.label, found_against(result, given)));
  }
  if (result.policies_tried > 0) lines.push_back(chosen_among(result));
  if (!result.float_operand.empty()) lines.push_back(float_operand_text(result));
  return lines;
}

std::string campaign_origins(const CampaignResult& result) {
  std::map<std::string, int> count;
  const auto add = [&count](const PolicyOutcome& outcome) {
    for (const auto& layer : outcome.layers) ++count[layer.origin];
  };
  add(result.best);
  for (const auto& outcome : result.uniform) add(outcome);
  for (const auto& outcome : result.given) add(outcome);
  std::string out;
  for (const auto& [origin, n] : count) {
    out += fmt::format("{}{} x {}", out.empty() ? "" : ", ", n, origin);
  }
  return count.size() == 1 ? "all " + count.begin()->first : out;
}

}  // namespace bittern
