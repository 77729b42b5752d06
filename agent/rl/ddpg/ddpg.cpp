#include "agent/rl/ddpg/ddpg.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "agent/rl/ddpg/adam.h"
#include "agent/torch.h"
#include "host/base/error.h"

namespace bittern {
namespace {

using torch::Tensor;

constexpr std::int64_t kState = static_cast<std::int64_t>(kStateSize);

/// Below so many multiplications a convolution's fixed price of 25 us is more than the product's.
constexpr std::int64_t kSmallProduct = 1 << 17;

/// Matrix product of (m x k) and (k x n), plus an optional bias of m. Large ones as a 1x1
/// convolution over an image of one row: those run in oneDNN at 80 GFLOP/s, whereas LibTorch hands
/// matrix products to the BLAS that happens to be installed, which on a plain Debian is the
/// reference one (6 GFLOP/s).
Tensor product(const Tensor& left, const Tensor& right, const Tensor& bias = {}) {
  const auto m = left.size(0);
  const auto k = left.size(1);
  const auto n = right.size(1);
  if (m * k * n < kSmallProduct) {
    return bias.defined() ? at::addmm(bias.unsqueeze(1), left, right) : at::mm(left, right);
  }
  const Tensor row = at::mkldnn_convolution(right.reshape({1, k, 1, n}), left.reshape({m, k, 1, 1}),
                                            bias, {0, 0}, {1, 1}, {1, 1}, 1);
  // Nobody else has the row, so that a view that autograd need not know of is safe.
  return at::_unsafe_view(row, {m, n});
}

/// weight * x + bias, where the columns of x are the samples. The backward pass is made of the same
/// products; oneDNN's own is 5 to 20 times slower on such shapes.
class Affine : public torch::autograd::Function<Affine> {
 public:
  static Tensor forward(torch::autograd::AutogradContext* context, const Tensor& weight,
                        const Tensor& bias, const Tensor& x) {
    context->save_for_backward({weight, x});
    return product(weight, x, bias);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const Tensor gradient = gradients[0].contiguous();
    torch::autograd::variable_list result(3);
    if (context->needs_input_grad(0)) result[0] = product(gradient, saved[1].t());
    if (context->needs_input_grad(1)) result[1] = gradient.sum(1);
    // Transposing the gradient twice is cheaper than transposing the weights once.
    if (context->needs_input_grad(2)) result[2] = product(gradient.t(), saved[0]).t();
    return result;
  }
};

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
    const auto view = [&at, this](const std::vector<std::int64_t>& sizes) {
      std::int64_t count = 1;
      for (const std::int64_t size : sizes) count *= size;
      Tensor leaf = flat.slice(0, at, at + count).view(sizes).detach();
      leaf.set_requires_grad(true);
      leaf.mutable_grad() = gradient.slice(0, at, at + count).view(sizes);
      leaves.push_back(leaf);
      at += count;
      return leaf;
    };
    for (const Shape& shape : shapes) {
      Linear layer;
      layer.weight = view({shape.outputs, shape.inputs});
      layer.bias = view({shape.outputs});
      layers.push_back(layer);
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
  std::vector<Tensor> leaves;
  std::vector<Linear> layers;
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

Tensor apply(const Linear& layer, const Tensor& x) {
  if (!torch::GradMode::is_enabled()) return product(layer.weight, x, layer.bias);
  return Affine::apply(layer.weight, layer.bias, x);
}

/// Actions (1 x samples) for states (kState x samples).
Tensor actor_forward(const Parameters& actor, const Tensor& states) {
  Tensor x = apply(actor.layers[0], states).relu_();
  x = apply(actor.layers[1], x).relu_();
  return apply(actor.layers[2], x).sigmoid_();
}

/// Values (1 x samples) of actions in states.
Tensor critic_forward(const Parameters& critic, const Tensor& states, const Tensor& actions) {
  Tensor x = apply(critic.layers[0], states).add_(apply(critic.layers[1], actions)).relu_();
  x = apply(critic.layers[2], x).relu_();
  return apply(critic.layers[3], x);
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
    return {{"ddpg.actor", actor.flat},
            {"ddpg.critic", critic.flat},
            {"ddpg.actor_target", actor_target.flat},
            {"ddpg.critic_target", critic_target.flat},
            {"ddpg.actor_adam_mean", actor_adam.mean},
            {"ddpg.actor_adam_square", actor_adam.square},
            {"ddpg.critic_adam_mean", critic_adam.mean},
            {"ddpg.critic_adam_square", critic_adam.square}};
  }

  DdpgOptions options;
  Parameters actor;
  Parameters critic;
  Parameters actor_target;
  Parameters critic_target;
  Adam actor_adam;
  Adam critic_adam;
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
  const double action = actor_forward(impl_->actor, input).item<float>();
  if (!std::isfinite(action)) {
    fail("agent: the actor's output is not a number: it has diverged; lower its learning rates");
  }
  return action;
}

double Ddpg::value(const State& state, double action) const {
  const torch::NoGradGuard no_grad;
  const Tensor input = torch::from_blob(const_cast<float*>(state.data()), {kState, 1});
  return critic_forward(impl_->critic, input, torch::full({1, 1}, action)).item<float>();
}

Ddpg::Losses Ddpg::update(const Batch& batch) {
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
  const bool bootstraps = my.options.gamma > 0.0;

  Tensor wanted;
  {
    const torch::NoGradGuard no_grad;
    if (bootstraps) {
      const Tensor nexts = columns(batch.nexts, kState);
      wanted = critic_forward(my.critic_target, nexts, actor_forward(my.actor_target, nexts));
      wanted.mul_(columns(batch.alive, 1)).mul_(my.options.gamma);
    } else {
      wanted = torch::zeros({1, static_cast<std::int64_t>(batch.rows())});
    }
    wanted.add_(columns(batch.rewards, 1)).sub_(my.baseline);
  }

  Losses losses;
  my.critic.gradient.zero_();
  const Tensor error = critic_forward(my.critic, states, actions).sub_(wanted);
  const Tensor critic_loss = error.mul(error).mean();
  critic_loss.backward({}, c10::nullopt, false, my.critic.leaves);
  losses.critic = critic_loss.item<float>();
  {
    const torch::NoGradGuard no_grad;
    my.critic_adam.step(my.critic, my.options.critic_rate, my.options);
  }

  my.actor.gradient.zero_();
  const Tensor actor_loss =
      critic_forward(my.critic, states, actor_forward(my.actor, states)).mean().neg();
  // Only the actor's gradients are asked for: those of the critic's weights would be half the work.
  actor_loss.backward({}, c10::nullopt, false, my.actor.leaves);
  losses.actor = actor_loss.item<float>();
  {
    const torch::NoGradGuard no_grad;
    my.actor_adam.step(my.actor, my.options.actor_rate, my.options);
    if (!bootstraps) return losses;
    for (const auto& [target, source] :
         {std::pair<Tensor, Tensor>{my.actor_target.flat, my.actor.flat},
          std::pair<Tensor, Tensor>{my.critic_target.flat, my.critic.flat}}) {
      move_towards(static_cast<float>(my.options.tau), static_cast<std::size_t>(target.numel()),
                   source.data_ptr<float>(), target.data_ptr<float>());
    }
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
