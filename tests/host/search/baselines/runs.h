#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "host/base/error.h"
#include "host/base/yaml.h"
#include "host/search/methods.h"
#include "tests/host/base/message_of.h"
#include "tests/host/search/grids.h"

namespace bittern::testing {

/// A method of the host with keys as a campaign writes them.
inline ConfiguredMethod configured(const std::string& name, const std::string& yaml = "{}") {
  static const std::vector<MethodKind> methods = host_methods();
  const MethodKind* kind = find_method(methods, name);
  return kind->configure(YamlMap(YamlNode::parse(yaml, "test.yaml"), kind->keys));
}

/// A finished search with its lines, without their times.
struct Run {
  SearchResult result;
  std::vector<nlohmann::json> lines;
  double best() const { return result.ranked.front().accuracy.top1; }
};

inline Run run(GridProblem& problem, SearchContext context, const ConfiguredMethod& method) {
  Run run;
  context.on_episode = [&](const nlohmann::json& line) {
    run.lines.push_back(line);
    run.lines.back().erase("time");
  };
  run.result = run_search(context, problem.options(), method);
  return run;
}

inline Run run(GridProblem& problem, int budget, std::uint64_t seed, const std::string& name,
               const std::string& yaml = "{}") {
  return run(problem, problem.context(budget, seed), configured(name, yaml));
}

/// Scores as gradients would give them: what a grid of single losses loses, in a unit of its own.
class FakeScores : public GradientScores {
 public:
  explicit FakeScores(const Grid& grid) : grid_(grid) {}
  double weight_score(std::size_t layer, int bits) override {
    spent_ += cost;
    return (bits == broken ? std::nan("") : 1.0) * 0.02 * grid_.loss(layer, {bits, 8});
  }
  double activation_score(std::size_t layer, int bits) override {
    return 0.02 * (grid_.loss(layer, {8, bits}) - grid_.loss(layer, {8, 8}));
  }
  double spent() const override { return spent_; }

  double cost = 0.0;  ///< of each weight score
  int broken = 0;     ///< width whose scores are no numbers

 private:
  const Grid& grid_;
  double spent_ = 0.0;
};

/// An evaluator with scores.
class ScoringEvaluator : public FunctionEvaluator {
 public:
  explicit ScoringEvaluator(const Grid& grid)
      : FunctionEvaluator(grid.baseline, grid.accuracy), fisher(grid), hessian(grid) {}
  GradientScores* scores(ScoreKind kind) override {
    asked_for = kind;
    return kind == ScoreKind::kFisher ? &fisher : &hessian;
  }

  FakeScores fisher;
  FakeScores hessian;
  ScoreKind asked_for = ScoreKind::kFisher;
};

}  // namespace bittern::testing
