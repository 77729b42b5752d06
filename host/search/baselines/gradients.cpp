#include "host/search/baselines/gradients.h"

#include <cmath>
#include <memory>
#include <utility>

#include "host/base/error.h"
#include "host/search/baselines/knapsack_search.h"

namespace bittern {
namespace {

using nlohmann::json;

class GradientKnapsack : public KnapsackSearch {
 public:
  GradientKnapsack(const MethodContext& context, ScoreKind kind)
      : KnapsackSearch(context), kind_(kind), scores_(context.scores(kind)) {}

  double spent() const override { return spent_; }

  /// Gradients are the network's, whatever it runs on: where the other search has read them for the
  /// same widths they are not read again.
  int learn_from(const Experience& other, const std::vector<Outcome>& outcomes) override {
    KnapsackSearch::learn_from(other, outcomes);
    if (other.method != score_kind_name(kind_)) return 0;
    auto losses = other.checkpoint.state.at("scores").get<OptionLosses>();
    if (losses.size() != space_.slots()) return 0;
    for (std::size_t slot = 0; slot < losses.size(); ++slot) {
      if (losses[slot].size() != space_.options(slot).size()) return 0;
    }
    losses_ = std::move(losses);
    return static_cast<int>(std::lround(other.checkpoint.state.at("spent").get<double>()));
  }

  void save(Checkpoint& checkpoint) const override {
    KnapsackSearch::save(checkpoint);
    checkpoint.state["scores"] = losses_;
    checkpoint.state["spent"] = spent_;
  }
  void load(const Checkpoint& checkpoint) override {
    KnapsackSearch::load(checkpoint);
    losses_ = checkpoint.state.at("scores").get<OptionLosses>();
    spent_ = checkpoint.state.at("spent").get<double>();
  }

 protected:
  OptionLosses prior() override {
    if (losses_.empty()) read();
    return losses_;
  }
  double base() const override { return context_.full_precision; }
  bool in_points() const override { return false; }

 private:
  void read() {
    const double before = scores_.spent();
    for (std::size_t slot = 0; slot < space_.slots(); ++slot) {
      losses_.emplace_back();
      for (const BitPair bits : space_.options(slot)) {
        double sum = 0.0;
        for (const std::size_t layer : space_.layers(slot)) {
          const double weight = scores_.weight_score(layer, bits.weight);
          const double activation = scores_.activation_score(layer, bits.activation);
          if (!std::isfinite(weight) || !std::isfinite(activation)) {
            fail("evaluator: the {} scores of layer {} at {}/{} bits are {} and {}",
                 score_kind_name(kind_), context_.network.layers[layer].name, bits.weight,
                 bits.activation, weight, activation);
          }
          sum += weight + activation;
        }
        losses_.back().push_back(sum);
      }
    }
    spent_ = scores_.spent() - before;
    if (spent_ + 1.0 > context_.budget) {
      fail_usage(
          "search: {}: the scores cost as much as {:.1f} evaluations, and the budget is {}: give "
          "it more episodes, or fewer images to the scores",
          score_kind_name(kind_), spent_, context_.budget);
    }
  }

  ScoreKind kind_;
  GradientScores& scores_;
  OptionLosses losses_;  ///< nats; empty before they were read
  double spent_ = 0.0;
};

MethodKind gradient_method(ScoreKind score, const char* description) {
  MethodKind kind;
  kind.name = score_kind_name(score);
  kind.description = description;
  kind.configure = [score](const YamlMap&) {
    ConfiguredMethod method;
    method.name = score_kind_name(score);
    method.version = 2;
    method.starts_from = StartsFrom::kScores;
    method.make = [score](const MethodContext& context) -> std::unique_ptr<Method> {
      return std::make_unique<GradientKnapsack>(context, score);
    };
    return method;
  };
  return kind;
}

}  // namespace

MethodKind fisher_method() {
  return gradient_method(ScoreKind::kFisher,
                         "knapsack over Fisher scores from gradients, verified and corrected");
}

MethodKind hessian_method() {
  return gradient_method(ScoreKind::kHessian,
                         "knapsack over traces of the Hessian, verified and corrected");
}

}  // namespace bittern
