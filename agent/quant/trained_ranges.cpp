#include "agent/quant/trained_ranges.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <utility>

#include "agent/torch.h"
#include "host/base/error.h"

namespace bittern {
namespace {

/// Steps of the fixed-point sums: fine against any gradient that matters, and 2^23 either way fit.
constexpr double kUnit = 1099511627776.0;  // 2^40
constexpr double kMost = 4194304.0;        // 2^22
constexpr float kLeastShare = 1e-3f;

/// A sum of gradients in which order does not count.
struct Sum {
  std::atomic<std::int64_t> units{0};
  std::atomic<bool> broken{false};

  void add(double value) {
    if (!std::isfinite(value)) {
      broken = true;
      return;
    }
    units += std::llround(std::clamp(value, -kMost, kMost) * kUnit);
  }
  double take() { return static_cast<double>(units.exchange(0)) / kUnit; }
};

/// A sum on its way from the forward pass to the backward pass; it outlives both.
struct SumHandle : torch::CustomClassHolder {
  explicit SumHandle(Sum& of) : sum(of) {}
  Sum& sum;
};

class Clipped : public torch::autograd::Function<Clipped> {
 public:
  // `x` is an argument because autograd has to see it. `beyond`: sign of the values that are
  // clipped.
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& x,
                               const torch::Tensor& quantised, const torch::Tensor& beyond,
                               const torch::Tensor& inside,
                               const c10::intrusive_ptr<SumHandle>& sum) {
    static_cast<void>(x);
    context->save_for_backward({beyond, inside});
    context->saved_data["sum"] = c10::IValue::make_capsule(sum);
    return quantised.view_as(quantised);
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const auto saved = context->get_saved_variables();
    const auto capsule = context->saved_data["sum"].toCapsule();
    static_cast<const SumHandle&>(*capsule).sum.add(
        (gradients[0] * saved[0]).sum(torch::kFloat64).item<double>());
    return {gradients[0] * saved[1], torch::Tensor(), torch::Tensor(), torch::Tensor(),
            torch::Tensor()};
  }
};

}  // namespace

struct TrainedRanges::Impl {
  std::vector<CodeRange> codes;
  std::vector<float> thresholds;
  std::vector<float> least;
  std::vector<double> velocity;
  std::vector<Sum> sums;
};

TrainedRanges::TrainedRanges(std::vector<CodeRange> codes, std::vector<float> thresholds)
    : impl_(std::make_unique<Impl>()) {
  if (codes.size() != thresholds.size()) {
    fail("trained ranges: {} thresholds for {} layers", thresholds.size(), codes.size());
  }
  for (const float threshold : thresholds) {
    if (!(threshold > 0.0f) || !std::isfinite(threshold)) {
      fail("trained ranges: a threshold is {}, expected a positive number", threshold);
    }
    impl_->least.push_back(threshold * kLeastShare);
  }
  impl_->codes = std::move(codes);
  impl_->thresholds = std::move(thresholds);
  impl_->velocity.assign(impl_->thresholds.size(), 0.0);
  impl_->sums = std::vector<Sum>(impl_->thresholds.size());
}

TrainedRanges::~TrainedRanges() = default;
TrainedRanges::TrainedRanges(TrainedRanges&&) noexcept = default;
TrainedRanges& TrainedRanges::operator=(TrainedRanges&&) noexcept = default;

torch::Tensor TrainedRanges::quantise(std::size_t layer, const torch::Tensor& x) {
  const LinearQuantiser linear = quantiser(layer);
  if (!x.requires_grad() || !at::GradMode::is_enabled()) return linear.fake_quantise(x);
  torch::Tensor quantised;
  torch::Tensor beyond;
  torch::Tensor inside;
  {
    const torch::NoGradGuard no_gradient;
    const float threshold = impl_->thresholds[layer];
    quantised = linear.fake_quantise(x);
    beyond = x.ge(threshold).to(torch::kFloat32);
    const torch::Tensor below = impl_->codes[layer].low < 0 ? x.le(-threshold) : x.lt(0.0f);
    inside = 1.0f - beyond - below.to(torch::kFloat32);
    if (impl_->codes[layer].low < 0) beyond = beyond - below.to(torch::kFloat32);
  }
  return Clipped::apply(x, quantised, beyond, inside,
                        c10::make_intrusive<SumHandle>(impl_->sums[layer]));
}

void TrainedRanges::step(double rate, double momentum, double weight_decay) {
  for (std::size_t layer = 0; layer < impl_->thresholds.size(); ++layer) {
    Sum& sum = impl_->sums[layer];
    if (sum.broken) {
      fail("training diverged: the gradient of the activation threshold of layer {} is no number",
           layer);
    }
    float& threshold = impl_->thresholds[layer];
    double& velocity = impl_->velocity[layer];
    const double gradient = sum.take();
    // A threshold without any gradient (the image's) is not shrunk by its penalty either.
    if (gradient == 0.0 && velocity == 0.0) continue;
    velocity = momentum * velocity + gradient + weight_decay * threshold;
    threshold = std::max(impl_->least[layer], static_cast<float>(threshold - rate * velocity));
  }
}

const std::vector<float>& TrainedRanges::thresholds() const { return impl_->thresholds; }

LinearQuantiser TrainedRanges::quantiser(std::size_t layer) const {
  return {impl_->codes[layer], impl_->thresholds[layer]};
}

}  // namespace bittern
