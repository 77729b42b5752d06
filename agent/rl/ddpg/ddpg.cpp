#include "agent/rl/ddpg/ddpg.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "agent/rl/adam.h"
#include "agent/rl/products.h"
#include "agent/torch.h"
#include "host/base/error.h"

namespace bittern {
namespace {

using torch::Tensor;

constexpr std::int64_t kState = static_cast<std::int64_t>(kStateSize);

/// Below so many multiplications a convolution's fixed price of 25 us is more than the product's.
constexpr std::int64_t kSmallProduct = 1 << 20;

/// Matrix product of (m x k) and (k x n), plus an optional bias of m. Large ones as a 1x1
/// convolution over an image of one row: those run in oneDNN at 80 GFLOP/s, whereas LibTorch hands
/// matrix products to the BLAS that happens to be installed, which on a plain Debian is the
/// reference one (6 GFLOP/s).
Tensor product(const Tensor& left, const Tensor& right, const Tensor& bias = {}) {
  const auto m = left.size(0);
  const auto k = left.size(1);
  const auto n = right.size(1);
  if (m * k * n < kSmallProduct) {
    // A copy in any case: with one column the expanded bias would be the bias itself.
    Tensor out = bias.defined()
                     ? bias.unsqueeze(1).expand({m, n}).clone(at::MemoryFormat::Contiguous)
                     : torch::zeros({m, n});
    add_product(static_cast<int>(m), static_cast<int>(k), static_cast<int>(n),
                left.contiguous().data_ptr<float>(), right.contiguous().data_ptr<float>(),
                out.data_ptr<float>());
    return out;
  }
  const Tensor row = at::mkldnn_convolution(right.reshape({1, k, 1, n}), left.reshape({m, k, 1, 1}),
                                            bias, {0, 0}, {1, 1}, {1, 1}, 1);
  return row.view({m, n});
}

/// A fully connected layer within a network's parameters.
struct Linear {
  Tensor weight;  ///< outputs x inputs
  Tensor bias;
};

/// The parameters of one network in one tensor, so that an optimiser step or a target update is a
/// handful of operations over contiguous memory and not a handful for each layer.
class Parameters {
 public:
  struct Shape {
    std::int64_t inputs, outputs;
    bool last;
  };

  explicit Parameters(const std::vector<Shape>& shapes) {
    std::int64_t total = 0;
    for (const Shape& shape : shapes) total += (shape.inputs + 1) * shape.outputs;
    flat = torch::zeros({total});
    gradient = torch::zeros({total});
    std::int64_t at = 0;
    for (const Shape& shape : shapes) {
      const std::int64_t weights = shape.inputs * shape.outputs;
      const auto view = [&](const Tensor& all) {
        return Linear{all.slice(0, at, at + weights).view({shape.outputs, shape.inputs}),
                      all.slice(0, at + weights, at + weights + shape.outputs)};
      };
      layers.push_back(view(flat));
      gradients.push_back(view(gradient));
      at += weights + shape.outputs;
    }
  }

  void draw(const std::vector<Shape>& shapes, double init_w, Rng& rng) {
    float* out = flat.data_ptr<float>();
    for (const Shape& shape : shapes) {
      const double bound =
          shape.last && init_w > 0.0 ? init_w : 1.0 / std::sqrt(static_cast<double>(shape.inputs));
      for (std::int64_t i = 0; i < (shape.inputs + 1) * shape.outputs; ++i) {
        *out++ = static_cast<float>(bound * (2.0 * rng.uniform() - 1.0));
      }
    }
  }

  Tensor flat;
  Tensor gradient;
  std::vector<Linear> layers;     ///< views of `flat`
  std::vector<Linear> gradients;  ///< views of `gradient`
};

/// Adam over one tensor.
class Adam {
 public:
  explicit Adam(std::int64_t size) : mean(torch::zeros({size})), square(torch::zeros({size})) {}

  void step(Parameters& parameters, double rate, const DdpgOptions& options) {
    ++steps;
    adam_step({rate, options.beta1, options.beta2, options.adam_epsilon}, steps,
              static_cast<std::size_t>(mean.numel()), parameters.gradient.data_ptr<float>(),
              mean.data_ptr<float>(), square.data_ptr<float>(), parameters.flat.data_ptr<float>());
  }

  Tensor mean;
  Tensor square;
  std::int64_t steps = 0;
};

std::vector<Parameters::Shape> actor_shapes(const DdpgOptions& options) {
  return {{kState, options.hidden1, false},
          {options.hidden1, options.hidden2, false},
          {options.hidden2, 1, true}};
}

std::vector<Parameters::Shape> critic_shapes(const DdpgOptions& options) {
  return {{kState, options.hidden1, false},
          {1, options.hidden1, false},
          {options.hidden1, options.hidden2, false},
          {options.hidden2, 1, true}};
}

Tensor apply(const Linear& layer, const Tensor& x) { return product(layer.weight, x, layer.bias); }

/// What a network computed on the way forward: features x samples.
struct Pass {
  Tensor hidden1;
  Tensor hidden2;
  Tensor out;
};

/// Actions (1 x samples) for states (kState x samples).
Pass actor_forward(const Parameters& actor, const Tensor& states) {
  Pass pass;
  pass.hidden1 = apply(actor.layers[0], states).relu_();
  pass.hidden2 = apply(actor.layers[1], pass.hidden1).relu_();
  pass.out = apply(actor.layers[2], pass.hidden2).sigmoid_();
  return pass;
}

/// `layer` for one sample, where its weights lie turned as well (inputs x outputs): the same sums
/// in the same order, many of them at once.
Tensor apply_turned(const Linear& layer, const Tensor& turned, const Tensor& x) {
  Tensor out = layer.bias.clone();
  add_product(1, static_cast<int>(turned.size(0)), static_cast<int>(turned.size(1)),
              x.data_ptr<float>(), turned.data_ptr<float>(), out.data_ptr<float>());
  return out.unsqueeze(1);
}

/// Values (1 x samples) of actions in states.
Pass critic_forward(const Parameters& critic, const Tensor& states, const Tensor& actions) {
  Pass pass;
  pass.hidden1 = apply(critic.layers[0], states);
  pass.hidden1.add_(apply(critic.layers[1], actions)).relu_();
  pass.hidden2 = apply(critic.layers[2], pass.hidden1).relu_();
  pass.out = apply(critic.layers[3], pass.hidden2);
  return pass;
}

// The way back is written out: a tape of so small operations costs as much as their arithmetic.

/// Gradient in front of a ReLU from that behind it: what it let through.
Tensor through_relu(Tensor gradient, const Tensor& output) {
  keep_where_positive(static_cast<std::size_t>(output.numel()), output.data_ptr<float>(),
                      gradient.data_ptr<float>());
  return gradient;
}

/// Gradient of the second hidden layer, in front of its ReLU, from that of the output (1 x
/// samples).
Tensor into_hidden2(const Linear& last, const Tensor& gradient, const Tensor& hidden2) {
  return through_relu(product(last.weight.t(), gradient), hidden2);
}

/// The same of the first hidden layer, from that of the second. Transposing the gradient twice is
/// cheaper than transposing the weights once.
Tensor into_hidden1(const Linear& middle, const Tensor& gradient, const Tensor& hidden1) {
  const Tensor by_sample = product(gradient.t(), middle.weight);
  Tensor by_feature = torch::empty_like(hidden1);
  transpose(static_cast<int>(hidden1.size(1)), static_cast<int>(hidden1.size(0)),
            by_sample.data_ptr<float>(), by_feature.data_ptr<float>());
  return through_relu(by_feature, hidden1);
}

/// Gradients of a layer's weights and bias from that of its output, for its input.
void into_weights(const Tensor& gradient, const Tensor& input, Linear& gradients) {
  gradients.weight.copy_(product(gradient, input.t()));
  at::sum_out(gradients.bias, gradient, {1});
}

/// Rows of `size` numbers as the columns of a tensor.
Tensor columns(const std::vector<float>& rows, std::int64_t size) {
  return torch::from_blob(const_cast<float*>(rows.data()),
                          {static_cast<std::int64_t>(rows.size()) / size, size})
      .t()
      .contiguous();
}

std::vector<float> copy_of(const Tensor& tensor) {
  const float* data = tensor.data_ptr<float>();
  return {data, data + tensor.numel()};
}

void check(bool good, const char* name, double value, const char* expected) {
  if (!good) fail_usage("agent: {} is {}; expected {}", name, value, expected);
}

}  // namespace

void validate(const DdpgOptions& options) {
  check(options.hidden1 >= 1 && options.hidden1 <= 4096, "hidden1", options.hidden1, "1..4096");
  check(options.hidden2 >= 1 && options.hidden2 <= 4096, "hidden2", options.hidden2, "1..4096");
  check(options.batch >= 1 && options.batch <= 65536, "batch", options.batch, "1..65536");
  check(options.actor_rate > 0 && options.actor_rate <= 1, "actor_rate", options.actor_rate,
        "above 0, at most 1");
  check(options.critic_rate > 0 && options.critic_rate <= 1, "critic_rate", options.critic_rate,
        "above 0, at most 1");
  check(options.beta1 >= 0 && options.beta1 < 1, "beta1", options.beta1, "0..1, below 1");
  check(options.beta2 >= 0 && options.beta2 < 1, "beta2", options.beta2, "0..1, below 1");
  check(options.adam_epsilon > 0 && options.adam_epsilon < 1, "adam_epsilon", options.adam_epsilon,
        "above 0, below 1");
  check(options.gamma >= 0 && options.gamma <= 1, "gamma", options.gamma, "0..1");
  check(options.tau > 0 && options.tau <= 1, "tau", options.tau, "above 0, at most 1");
  check(options.baseline_alpha >= 0 && options.baseline_alpha <= 1, "baseline_alpha",
        options.baseline_alpha, "0..1");
  check(options.init_w >= 0 && options.init_w <= 1, "init_w", options.init_w, "0..1");
}

struct Ddpg::Impl {
  Impl(const DdpgOptions& chosen, Rng& rng)
      : options(chosen),
        actor(actor_shapes(chosen)),
        critic(critic_shapes(chosen)),
        actor_target(actor_shapes(chosen)),
        critic_target(critic_shapes(chosen)),
        actor_adam(actor.flat.numel()),
        critic_adam(critic.flat.numel()) {
    actor.draw(actor_shapes(chosen), chosen.init_w, rng);
    critic.draw(critic_shapes(chosen), chosen.init_w, rng);
    actor_target.flat.copy_(actor.flat);
    critic_target.flat.copy_(critic.flat);
  }

  /// Names and tensors of everything that an update changes.
  std::vector<std::pair<std::string, Tensor>> tensors() const {
    std::vector<std::pair<std::string, Tensor>> all = {
        {"ddpg.actor", actor.flat},
        {"ddpg.critic", critic.flat},
        {"ddpg.actor_adam_mean", actor_adam.mean},
        {"ddpg.actor_adam_square", actor_adam.square},
        {"ddpg.critic_adam_mean", critic_adam.mean},
        {"ddpg.critic_adam_square", critic_adam.square}};
    if (bootstraps()) {
      all.emplace_back("ddpg.actor_target", actor_target.flat);
      all.emplace_back("ddpg.critic_target", critic_target.flat);
    }
    return all;
  }

  /// Whether the targets have a say.
  bool bootstraps() const { return options.gamma > 0.0; }

  /// One step towards the `wanted` values (1 x samples). Returns the loss before it.
  double step_critic(const Tensor& states, const Tensor& actions, const Tensor& wanted) {
    const Pass pass = critic_forward(critic, states, actions);
    const Tensor error = pass.out - wanted;
    const double loss = error.mul(error).mean().item<float>();
    const Tensor out = error * (2.0 / static_cast<double>(error.numel()));
    const Tensor hidden2 = into_hidden2(critic.layers[3], out, pass.hidden2);
    const Tensor hidden1 = into_hidden1(critic.layers[2], hidden2, pass.hidden1);
    into_weights(out, pass.hidden2, critic.gradients[3]);
    into_weights(hidden2, pass.hidden1, critic.gradients[2]);
    into_weights(hidden1, actions, critic.gradients[1]);
    into_weights(hidden1, states, critic.gradients[0]);
    critic_adam.step(critic, options.critic_rate, options);
    return loss;
  }

  /// One step towards actions of more value. Returns the mean value before it, negative.
  double step_actor(const Tensor& states) {
    const Pass acted = actor_forward(actor, states);
    const Pass valued = critic_forward(critic, states, acted.out);
    const double loss = -valued.out.mean().item<float>();
    // Through the critic, whose own weights are left alone, to the action, ...
    Tensor out = torch::full_like(valued.out, -1.0 / static_cast<double>(valued.out.numel()));
    Tensor hidden2 = into_hidden2(critic.layers[3], out, valued.hidden2);
    Tensor hidden1 = into_hidden1(critic.layers[2], hidden2, valued.hidden1);
    const Tensor action = product(critic.layers[1].weight.t(), hidden1);
    // ... and through its sigmoid to the actor's weights.
    out = action * acted.out * (1.0 - acted.out);
    hidden2 = into_hidden2(actor.layers[2], out, acted.hidden2);
    hidden1 = into_hidden1(actor.layers[1], hidden2, acted.hidden1);
    into_weights(out, acted.hidden2, actor.gradients[2]);
    into_weights(hidden2, acted.hidden1, actor.gradients[1]);
    into_weights(hidden1, states, actor.gradients[0]);
    actor_adam.step(actor, options.actor_rate, options);
    return loss;
  }

  /// The actor's action in [0, 1] for one state.
  double act(const Tensor& state) {
    if (!turned1.defined()) {
      turned1 = actor.layers[0].weight.t().contiguous();
      turned2 = actor.layers[1].weight.t().contiguous();
    }
    const Tensor hidden1 = apply_turned(actor.layers[0], turned1, state).relu_();
    const Tensor hidden2 = apply_turned(actor.layers[1], turned2, hidden1).relu_();
    return apply(actor.layers[2], hidden2).sigmoid_().item<float>();
  }

  /// To be called when the actor's weights have changed.
  void forget_turned() { turned1 = turned2 = Tensor(); }

  DdpgOptions options;
  Parameters actor;
  Parameters critic;
  Parameters actor_target;
  Parameters critic_target;
  Adam actor_adam;
  Adam critic_adam;
  Tensor turned1;  ///< the actor's weights, inputs x outputs; undefined until they are needed
  Tensor turned2;
  bool has_baseline = false;
  double baseline = 0.0;
};

Ddpg::Ddpg(const DdpgOptions& options, Rng& rng) {
  validate(options);
  const torch::NoGradGuard no_grad;
  impl_ = std::make_unique<Impl>(options, rng);
}

Ddpg::~Ddpg() = default;
Ddpg::Ddpg(Ddpg&&) noexcept = default;
Ddpg& Ddpg::operator=(Ddpg&&) noexcept = default;

double Ddpg::act(const State& state) const {
  const torch::NoGradGuard no_grad;
  const Tensor input = torch::from_blob(const_cast<float*>(state.data()), {kState, 1});
  const double action = impl_->act(input);
  if (!std::isfinite(action)) {
    fail("agent: the actor's output is not a number: it has diverged; lower its learning rates");
  }
  return action;
}

double Ddpg::value(const std::vector<State>& states, const std::vector<float>& actions) const {
  const torch::NoGradGuard no_grad;
  std::vector<float> rows;
  for (const State& state : states) rows.insert(rows.end(), state.begin(), state.end());
  return critic_forward(impl_->critic, columns(rows, kState), columns(actions, 1))
      .out.mean()
      .item<float>();
}

Ddpg::Losses Ddpg::update(const Batch& batch) {
  const torch::NoGradGuard no_grad;
  Impl& my = *impl_;
  if (batch.rows() == 0) fail("agent: an update on an empty minibatch");
  const Tensor states = columns(batch.states, kState);
  const Tensor actions = columns(batch.actions, 1);

  if (my.options.baseline_alpha > 0.0) {
    double sum = 0.0;
    for (const float reward : batch.rewards) sum += reward;
    const double mean = sum / static_cast<double>(batch.rows());
    my.baseline =
        my.has_baseline ? my.baseline + my.options.baseline_alpha * (mean - my.baseline) : mean;
    my.has_baseline = true;
  }
  Tensor wanted;
  if (my.bootstraps()) {
    const Tensor nexts = columns(batch.nexts, kState);
    const Tensor best = actor_forward(my.actor_target, nexts).out;
    wanted = critic_forward(my.critic_target, nexts, best).out;
    wanted.mul_(columns(batch.alive, 1)).mul_(my.options.gamma);
  } else {
    wanted = torch::zeros({1, static_cast<std::int64_t>(batch.rows())});
  }
  wanted.add_(columns(batch.rewards, 1)).sub_(my.baseline);

  Losses losses;
  losses.critic = my.step_critic(states, actions, wanted);
  losses.actor = my.step_actor(states);
  my.forget_turned();
  if (!my.bootstraps()) return losses;
  for (const auto& [target, source] :
       {std::pair<Tensor, Tensor>{my.actor_target.flat, my.actor.flat},
        std::pair<Tensor, Tensor>{my.critic_target.flat, my.critic.flat}}) {
    move_towards(static_cast<float>(my.options.tau), static_cast<std::size_t>(target.numel()),
                 source.data_ptr<float>(), target.data_ptr<float>());
  }
  return losses;
}

double Ddpg::baseline() const { return impl_->baseline; }

void Ddpg::save(Checkpoint& checkpoint) const {
  for (const auto& [name, tensor] : impl_->tensors()) checkpoint.arrays[name] = copy_of(tensor);
  checkpoint.state["ddpg"] = {{"actor_steps", impl_->actor_adam.steps},
                              {"critic_steps", impl_->critic_adam.steps},
                              {"has_baseline", impl_->has_baseline},
                              {"baseline", impl_->baseline}};
}

void Ddpg::load(const Checkpoint& checkpoint) {
  const torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : impl_->tensors()) {
    const std::vector<float>& values =
        checkpoint.array(name, static_cast<std::size_t>(tensor.numel()));
    std::copy(values.begin(), values.end(), tensor.data_ptr<float>());
  }
  impl_->forget_turned();
  try {
    const nlohmann::json& state = checkpoint.state.at("ddpg");
    impl_->actor_adam.steps = state.at("actor_steps").get<std::int64_t>();
    impl_->critic_adam.steps = state.at("critic_steps").get<std::int64_t>();
    impl_->has_baseline = state.at("has_baseline").get<bool>();
    impl_->baseline = state.at("baseline").get<double>();
  } catch (const nlohmann::json::exception& error) {
    fail("checkpoint: the agent's state is not what was expected: {}", error.what());
  }
}

SingleThread::SingleThread() : before_(torch::get_num_threads()) {
  if (before_ != 1) torch::set_num_threads(1);
}

SingleThread::~SingleThread() {
  if (before_ != 1) torch::set_num_threads(before_);
}

}  // namespace bittern
