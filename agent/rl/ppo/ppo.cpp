#include "agent/rl/ppo/ppo.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "host/base/error.h"

namespace bittern {
namespace {

void check(bool good, const char* name, double value, const char* expected) {
  if (!good) fail_usage("agent: {} is {}; expected {}", name, value, expected);
}

PolicyShape shape_of(const PpoOptions& options, int inputs, const AllowedActions& allowed) {
  PolicyShape shape;
  shape.inputs = inputs;
  shape.outputs = allowed.empty() ? 0 : static_cast<int>(allowed.front().size());
  shape.lstm = options.lstm;
  shape.hidden = options.hidden;
  shape.policy = options.policy;
  shape.value = options.value;
  return shape;
}

double entropy_of(const std::vector<double>& probabilities) {
  double sum = 0.0;
  for (const double p : probabilities) {
    if (p > 0.0) sum -= p * std::log(p);
  }
  return sum;
}

}  // namespace

void validate(const PpoOptions& options) {
  check(options.hidden >= 1 && options.hidden <= 4096, "hidden", options.hidden, "1..4096");
  for (const auto* sizes : {&options.policy, &options.value}) {
    const char* name = sizes == &options.policy ? "policy_layers" : "value_layers";
    check(sizes->size() <= 8, name, static_cast<double>(sizes->size()), "at most 8 layers");
    for (const int size : *sizes) check(size >= 1 && size <= 4096, name, size, "1..4096");
  }
  const AdamOptions& adam = options.adam;
  check(adam.rate > 0 && adam.rate <= 1, "rate", adam.rate, "above 0, at most 1");
  check(adam.beta1 >= 0 && adam.beta1 < 1, "beta1", adam.beta1, "0..1, below 1");
  check(adam.beta2 >= 0 && adam.beta2 < 1, "beta2", adam.beta2, "0..1, below 1");
  check(adam.epsilon > 0 && adam.epsilon < 1, "adam_epsilon", adam.epsilon, "above 0, below 1");
  check(options.gamma >= 0 && options.gamma <= 1, "gamma", options.gamma, "0..1");
  check(options.lambda >= 0 && options.lambda <= 1, "gae", options.lambda, "0..1");
  check(options.clip > 0 && options.clip < 1, "clip", options.clip, "above 0, below 1");
  check(options.epochs >= 1 && options.epochs <= 1000, "epochs", options.epochs, "1..1000");
  check(options.value_weight >= 0 && options.value_weight <= 1000, "value_weight",
        options.value_weight, "0..1000");
  check(options.entropy_weight >= 0 && options.entropy_weight <= 1000, "entropy",
        options.entropy_weight, "0..1000");
  check(options.temperature > 0 && options.temperature <= 1000, "temperature", options.temperature,
        "above 0, at most 1000");
  check(options.max_gradient >= 0 && options.max_gradient <= 1e9, "max_gradient",
        options.max_gradient, "at least 0");
}

struct Ppo::Batch {
  int episodes = 0;
  PolicyNetwork::Trace trace;
  std::vector<int> actions;  ///< in the order of the trace's rows, as all below
  std::vector<double> old_log_probabilities;
  std::vector<double> advantages;
  std::vector<double> returns;  ///< what the values should have been
  /// Of the policy before the update; set by the first pass.
  std::vector<std::vector<double>> old_probabilities;
};

Ppo::Ppo(const PpoOptions& options, int inputs, const AllowedActions& allowed, Rng& rng)
    : options_((validate(options), options)),
      allowed_(allowed),
      network_(shape_of(options, inputs, allowed)) {
  for (const std::vector<bool>& step : allowed_) {
    if (step.size() != allowed_.front().size()) {
      fail("agent: steps of {} and of {} actions in one episode", allowed_.front().size(),
           step.size());
    }
    if (std::find(step.begin(), step.end(), true) == step.end()) {
      fail("agent: step {} allows no action", &step - allowed_.data());
    }
  }
  network_.draw(rng);
  mean_.assign(network_.size(), 0.0f);
  square_.assign(network_.size(), 0.0f);
  gradient_.assign(network_.size(), 0.0f);
}

std::vector<double> Ppo::probabilities(int step, const float* logits) const {
  const std::vector<bool>& allowed = allowed_[step];
  std::vector<double> result(allowed.size(), 0.0);
  double most = -INFINITY;
  for (std::size_t k = 0; k < allowed.size(); ++k) {
    if (!std::isfinite(logits[k])) {
      fail("agent: the policy's output is not a number: it has diverged; lower its rate");
    }
    if (allowed[k]) most = std::max(most, logits[k] / options_.temperature);
  }
  double sum = 0.0;
  for (std::size_t k = 0; k < allowed.size(); ++k) {
    if (allowed[k]) sum += result[k] = std::exp(logits[k] / options_.temperature - most);
  }
  for (double& p : result) p /= sum;
  return result;
}

Ppo::Decision Ppo::look(int step, const std::vector<float>& state,
                        PolicyNetwork::Memory& memory) const {
  network_.step(state, memory, acting_);
  Decision decision;
  decision.probabilities = probabilities(step, acting_.logits().data());
  decision.value = acting_.values().front();
  return decision;
}

Ppo::Decision Ppo::take(int action, int step, const std::vector<float>& state,
                        PolicyNetwork::Memory& memory) const {
  Decision decision = look(step, state, memory);
  decision.action = action;
  decision.log_probability =
      std::log(decision.probabilities[static_cast<std::size_t>(decision.action)]);
  return decision;
}

Ppo::Decision Ppo::decide(int step, const std::vector<float>& state, PolicyNetwork::Memory& memory,
                          Rng& rng, double flatness) const {
  Decision decision = look(step, state, memory);
  std::vector<double> drawn = decision.probabilities;
  double left = 1.0;
  if (flatness != 1.0) {
    left = 0.0;
    for (double& p : drawn) left += p = p > 0.0 ? std::pow(p, 1.0 / flatness) : 0.0;
  }
  left *= rng.uniform();
  // Rounding may leave something behind the last action: then it is the last one that is possible.
  for (std::size_t k = 0; k < drawn.size(); ++k) {
    if (drawn[k] <= 0.0) continue;
    decision.action = static_cast<int>(k);
    left -= drawn[k];
    if (left < 0.0) break;
  }
  decision.log_probability =
      std::log(decision.probabilities[static_cast<std::size_t>(decision.action)]);
  return decision;
}

Ppo::Batch Ppo::make_batch(const std::vector<Rollout>& episodes) const {
  if (episodes.empty()) fail("agent: an update without episodes");
  Batch batch;
  const std::size_t count = episodes.size();
  const std::size_t steps = allowed_.size();
  const auto width = static_cast<std::size_t>(inputs());
  batch.episodes = static_cast<int>(count);
  batch.trace.sequences = batch.episodes;
  batch.trace.steps = static_cast<int>(steps);
  batch.trace.states.resize(count * steps * width);
  batch.actions.resize(count * steps);
  batch.old_log_probabilities.resize(count * steps);
  batch.advantages.resize(count * steps);
  batch.returns.resize(count * steps);
  for (std::size_t e = 0; e < count; ++e) {
    const Rollout& episode = episodes[e];
    if (episode.steps() != steps || episode.states.size() != steps * width ||
        episode.rewards.size() != steps || episode.values.size() != steps ||
        episode.log_probabilities.size() != steps) {
      fail("agent: an episode of {} steps and {} numbers in its states; expected {} and {}",
           episode.steps(), episode.states.size(), steps, steps * width);
    }
    const std::vector<double> gains =
        advantages(episode.rewards, episode.values, options_.gamma, options_.lambda);
    for (std::size_t t = 0; t < steps; ++t) {
      const std::size_t row = t * count + e;
      std::copy_n(episode.states.begin() + static_cast<std::ptrdiff_t>(t * width), width,
                  batch.trace.states.begin() + static_cast<std::ptrdiff_t>(row * width));
      batch.actions[row] = episode.actions[t];
      batch.old_log_probabilities[row] = episode.log_probabilities[t];
      batch.advantages[row] = gains[t];
      batch.returns[row] = gains[t] + episode.values[t];
    }
  }
  if (options_.normalise_advantages) normalise(batch.advantages);
  return batch;
}

Ppo::Pass Ppo::pass(Batch& batch, std::vector<float>& gradient) const {
  network_.forward(batch.trace);
  const std::size_t rows = batch.actions.size();
  const auto width = static_cast<std::size_t>(actions());
  std::vector<float> by_logits(rows * width, 0.0f);
  std::vector<float> by_values(rows);
  const bool first = batch.old_probabilities.empty();
  const double share = 1.0 / static_cast<double>(rows);
  Pass result;
  for (std::size_t row = 0; row < rows; ++row) {
    const auto step = static_cast<int>(row / static_cast<std::size_t>(batch.episodes));
    const std::vector<double> p = probabilities(step, batch.trace.logits().data() + row * width);
    const auto action = static_cast<std::size_t>(batch.actions[row]);
    const double ratio = std::exp(std::log(p[action]) - batch.old_log_probabilities[row]);
    const double advantage = batch.advantages[row];
    const double clipped = std::clamp(ratio, 1.0 - options_.clip, 1.0 + options_.clip);
    result.policy_loss -= std::min(ratio * advantage, clipped * advantage) * share;
    // Where the clipped term is the smaller one it is constant.
    const bool flat = clipped * advantage < ratio * advantage;
    const double by_log = flat ? 0.0 : -advantage * ratio * share;
    const double entropy = entropy_of(p);
    result.entropy += entropy * share;
    for (std::size_t k = 0; k < width; ++k) {
      if (p[k] <= 0.0) continue;
      const double by_logit = by_log * ((k == action ? 1.0 : 0.0) - p[k]) +
                              options_.entropy_weight * share * p[k] * (std::log(p[k]) + entropy);
      by_logits[row * width + k] = static_cast<float>(by_logit / options_.temperature);
    }
    const double error = batch.trace.values()[row] - batch.returns[row];
    result.value_loss += error * error * share;
    by_values[row] = static_cast<float>(2.0 * options_.value_weight * error * share);
    if (first) batch.old_probabilities.push_back(p);
  }
  std::fill(gradient.begin(), gradient.end(), 0.0f);
  network_.backward(batch.trace, by_logits, by_values, gradient);
  return result;
}

double Ppo::loss(const std::vector<Rollout>& episodes, std::vector<float>& gradient) const {
  Batch batch = make_batch(episodes);
  gradient.resize(network_.size());
  const Pass result = pass(batch, gradient);
  return result.policy_loss + options_.value_weight * result.value_loss -
         options_.entropy_weight * result.entropy;
}

Ppo::Statistics Ppo::update(const std::vector<Rollout>& episodes) {
  Batch batch = make_batch(episodes);
  Statistics statistics;
  for (int epoch = 0; epoch < options_.epochs; ++epoch) {
    const Pass result = pass(batch, gradient_);
    double square = 0.0;
    for (const float g : gradient_) square += static_cast<double>(g) * g;
    const double norm = std::sqrt(square);
    if (!std::isfinite(norm) || !std::isfinite(result.value_loss)) {
      fail("agent: its gradient is not a number: it has diverged; lower its rate");
    }
    if (options_.max_gradient > 0.0 && norm > options_.max_gradient) {
      const auto factor = static_cast<float>(options_.max_gradient / norm);
      for (float& g : gradient_) g *= factor;
    }
    ++adam_steps_;
    adam_step(options_.adam, adam_steps_, network_.size(), gradient_.data(), mean_.data(),
              square_.data(), network_.parameters().data());
    statistics.policy_loss += result.policy_loss / options_.epochs;
    statistics.value_loss += result.value_loss / options_.epochs;
    statistics.gradient += norm / options_.epochs;
  }
  measure(batch, statistics);
  return statistics;
}

void Ppo::measure(Batch& batch, Statistics& statistics) const {
  network_.forward(batch.trace);
  const std::size_t rows = batch.actions.size();
  const auto width = static_cast<std::size_t>(actions());
  for (std::size_t row = 0; row < rows; ++row) {
    const auto step = static_cast<int>(row / static_cast<std::size_t>(batch.episodes));
    const std::vector<double> p = probabilities(step, batch.trace.logits().data() + row * width);
    const std::vector<double>& old = batch.old_probabilities[row];
    const double share = 1.0 / static_cast<double>(rows);
    statistics.entropy += entropy_of(p) * share;
    for (std::size_t k = 0; k < width; ++k) {
      if (old[k] > 0.0 && p[k] > 0.0) statistics.kl += old[k] * std::log(old[k] / p[k]) * share;
    }
    const auto action = static_cast<std::size_t>(batch.actions[row]);
    const double ratio = std::exp(std::log(p[action]) - batch.old_log_probabilities[row]);
    if (std::abs(ratio - 1.0) > options_.clip) statistics.clip_share += share;
  }
}

void Ppo::save(Checkpoint& checkpoint) const {
  checkpoint.arrays["ppo.parameters"] = network_.parameters();
  checkpoint.arrays["ppo.adam_mean"] = mean_;
  checkpoint.arrays["ppo.adam_square"] = square_;
  checkpoint.state["ppo"] = {{"adam_steps", adam_steps_}};
}

void Ppo::load(const Checkpoint& checkpoint) {
  const std::size_t size = network_.size();
  std::vector<float> parameters = checkpoint.array("ppo.parameters", size);
  std::vector<float> mean = checkpoint.array("ppo.adam_mean", size);
  std::vector<float> square = checkpoint.array("ppo.adam_square", size);
  try {
    adam_steps_ = checkpoint.state.at("ppo").at("adam_steps").get<long>();
  } catch (const nlohmann::json::exception& error) {
    fail("checkpoint: the agent's state is not what was expected: {}", error.what());
  }
  network_.parameters() = std::move(parameters);
  mean_ = std::move(mean);
  square_ = std::move(square);
}

}  // namespace bittern
