#include "agent/campaign/doubts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "agent/data/quality.h"
#include "host/base/error.h"
#include "host/evaluator/answers.h"

namespace bittern {
namespace {

std::string guessing_text(double accuracy, const Dataset& validation) {
  return fmt::format(
      "{:.2f} % of the {} validation images, no better than guessing (up to {:.2f} %)", accuracy,
      validation.size(), chance_limit(validation));
}

/// By how many standard errors a fine-tune lowered an accuracy. The images are the same before and
/// after, so that the difference is known better than that.
double errors_lost(const FinalStep& step, const Dataset& validation) {
  const auto images = static_cast<std::size_t>(validation.size());
  return (step.before - step.after) / std::hypot(accuracy_standard_error(step.before, images),
                                                 accuracy_standard_error(step.after, images));
}

}  // namespace

std::vector<std::string> baseline_doubts(const Campaign& campaign, const Accuracy& baseline,
                                         const Dataset& validation) {
  if (!is_guessing(baseline.top1, validation)) return {};
  const bool diverged = has_diverged(baseline.top1, baseline.loss, validation);
  const std::string what =
      "the full-precision network gets " + guessing_text(baseline.top1, validation);
  if (!campaign.model.checkpoint.empty()) {
    return {
        fmt::format("{}: checkpoint {} does not fit this data, so nothing here says what bits do",
                    what, campaign.model.checkpoint)};
  }
  if (diverged) {
    fail("{}, with a loss of {:.4g}: its training diverged; lower model.learning_rate ({:g})", what,
         baseline.loss, campaign.model.learning_rate);
  }
  return {
      fmt::format("{}: it has learnt nothing, so nothing here says what bits do; raise "
                  "model.epochs ({}) or data.train_images, or change model.learning_rate ({:g})",
                  what, campaign.model.epochs, campaign.model.learning_rate)};
}

std::vector<std::string> evaluation_doubts(const FakeQuantSettings& evaluator,
                                           const Accuracy& baseline, const Accuracy& uniform8,
                                           const Dataset& validation) {
  // Where the network guessed from the start, only one that got worse tells something new.
  const bool ruined = is_guessing(baseline.top1, validation)
                          ? has_diverged(uniform8.top1, uniform8.loss, validation)
                          : is_guessing(uniform8.top1, validation);
  if (!ruined) return {};
  const std::string what = fmt::format(
      "full precision has {:.2f} % (loss {:.4g}), but the 8/8 policy gets {}, loss {:.4g}",
      baseline.top1, baseline.loss, guessing_text(uniform8.top1, validation), uniform8.loss);
  if (evaluator.finetune_images > 0) {
    fail("{}: the fine-tune of every evaluation diverges; lower evaluator.finetune_rate ({:g})",
         what, evaluator.finetune_rate);
  }
  return {
      fmt::format("{}: quantisation destroys the network; look at evaluator.weight_range ({}) "
                  "and evaluator.activation_range ({})",
                  what, evaluator.weight_range, evaluator.activation_range)};
}

std::vector<std::string> search_doubts(const FakeQuantSettings& evaluator,
                                       const std::vector<nlohmann::json>& episodes,
                                       const Dataset& validation) {
  std::vector<std::string> doubts;
  std::set<std::string> policies;
  std::set<double> accuracies;
  for (const auto& line : episodes) {
    policies.insert(line.at("policy").dump());
    accuracies.insert(line.at("accuracy").get<double>());
  }
  if (episodes.empty()) return doubts;
  if (is_guessing(*accuracies.rbegin(), validation)) {
    doubts.push_back(fmt::format(
        "the best of {} policies gets {}: the search had nothing to go by; loosen the constraints, "
        "or raise evaluator.finetune_images ({}; rate {:g})",
        policies.size(), guessing_text(*accuracies.rbegin(), validation), evaluator.finetune_images,
        evaluator.finetune_rate));
  } else if (accuracies.size() == 1 && policies.size() > 1) {
    doubts.push_back(
        fmt::format("all {} policies have the same accuracy, {:.2f} %: the search could not tell "
                    "them apart; raise data.validation_images ({})",
                    policies.size(), *accuracies.begin(), validation.size()));
  }
  if (policies.size() == 1 && episodes.size() > 1) {
    doubts.push_back(fmt::format(
        "all {} episodes ran the same policy: the constraints leave no other", episodes.size()));
  }
  return doubts;
}

std::vector<std::string> final_doubts(const Campaign& campaign, const std::vector<FinalStep>& steps,
                                      const Dataset& validation) {
  std::vector<std::string> doubts;
  constexpr double kClearly = 3.0;
  std::size_t sound = 0;
  std::size_t ruined = 0;
  std::size_t lower = 0;
  const FinalStep* lowest = nullptr;
  for (const FinalStep& step : steps) {
    if (is_guessing(step.before, validation)) continue;
    ++sound;
    if (!is_guessing(step.after, validation)) {
      if (errors_lost(step, validation) < kClearly) continue;
      ++lower;
      if (lowest == nullptr || step.before - step.after > lowest->before - lowest->after) {
        lowest = &step;
      }
      continue;
    }
    ++ruined;
    doubts.push_back(fmt::format(
        "the final fine-tune of {} took it from {:.2f} % to {}; lower final.learning_rate ({:g})",
        step.label, step.before, guessing_text(step.after, validation),
        campaign.final.learning_rate));
  }
  if (sound > 0 && ruined == sound) {
    fail("the final fine-tune diverged for all {} policies that were sound before: {}", sound,
         doubts.front());
  }
  if (lowest != nullptr) {
    doubts.push_back(fmt::format(
        "the final fine-tune made {} of {} policies clearly worse on the validation images, {} "
        "most ({:.2f} to {:.2f} %): lower final.learning_rate ({:g}), train on more images, or "
        "leave out final.flip and final.crop",
        lower, steps.size(), lowest->label, lowest->before, lowest->after,
        campaign.final.learning_rate));
  }
  return doubts;
}

}  // namespace bittern
