#include "agent/rl/ppo/network.h"

#include <algorithm>
#include <cmath>

#include "agent/rl/products.h"
#include "host/base/error.h"

namespace bittern {
namespace {

float sigmoid(float x) { return 1.0f / (1.0f + std::exp(-x)); }

void check_size(const char* what, int size) {
  if (size < 1 || size > 4096) fail_usage("agent: {} is {}; expected 1..4096", what, size);
}

}  // namespace

PolicyNetwork::PolicyNetwork(const PolicyShape& shape) : shape_(shape) {
  check_size("the number of inputs", shape.inputs);
  check_size("the number of actions", shape.outputs);
  check_size("the size of the shared layer", shape.hidden);
  for (const auto* sizes : {&shape.policy, &shape.value}) {
    for (const int size : *sizes) check_size("the size of a hidden layer", size);
  }
  width_ = shape.lstm ? 4 * shape.hidden : shape.hidden;
  std::size_t at = 0;
  input_.inputs = shape.inputs;
  input_.outputs = width_;
  input_.weights = at;
  at += static_cast<std::size_t>(shape.inputs) * width_;
  recurrent_ = at;
  if (shape.lstm) at += static_cast<std::size_t>(shape.hidden) * width_;
  input_.biases = at;
  at += static_cast<std::size_t>(width_);
  const auto add_head = [&](std::vector<Dense>& layers, const std::vector<int>& sizes, int last) {
    int inputs = shape.hidden;
    for (const int size : sizes) {
      layers.push_back(add_dense(inputs, size, at));
      inputs = size;
    }
    layers.push_back(add_dense(inputs, last, at));
  };
  add_head(policy_, shape.policy, shape.outputs);
  add_head(value_, shape.value, 1);
  parameters_.assign(at, 0.0f);
}

PolicyNetwork::Dense PolicyNetwork::add_dense(int inputs, int outputs, std::size_t& at) const {
  Dense layer{inputs, outputs, at, 0};
  at += static_cast<std::size_t>(inputs) * outputs;
  layer.biases = at;
  at += static_cast<std::size_t>(outputs);
  return layer;
}

void PolicyNetwork::draw(Rng& rng) {
  std::fill(parameters_.begin(), parameters_.end(), 0.0f);
  const auto fill = [&](std::size_t from, int inputs, int outputs, double scale) {
    const double bound = scale * std::sqrt(3.0 / inputs);
    const auto count = static_cast<std::size_t>(inputs) * outputs;
    for (std::size_t i = from; i < from + count; ++i) {
      parameters_[i] = static_cast<float>(bound * (2.0 * rng.uniform() - 1.0));
    }
  };
  fill(input_.weights, shape_.inputs, width_, 1.0);
  if (shape_.lstm) {
    fill(recurrent_, shape_.hidden, width_, 1.0);
    const auto forget =
        parameters_.begin() + static_cast<std::ptrdiff_t>(input_.biases) + shape_.hidden;
    std::fill(forget, forget + shape_.hidden, 1.0f);
  }
  for (const auto* head : {&policy_, &value_}) {
    for (const Dense& layer : *head) {
      const bool last_of_policy = head == &policy_ && &layer == &head->back();
      fill(layer.weights, layer.inputs, layer.outputs, last_of_policy ? 0.01 : 1.0);
    }
  }
}

PolicyNetwork::Memory PolicyNetwork::blank() const {
  const auto size = static_cast<std::size_t>(shape_.lstm ? shape_.hidden : 0);
  return {std::vector<float>(size, 0.0f), std::vector<float>(size, 0.0f)};
}

void PolicyNetwork::forward(Trace& trace) const { run(trace, nullptr); }

void PolicyNetwork::step(const std::vector<float>& state, Memory& memory, Trace& trace) const {
  trace.sequences = trace.steps = 1;
  trace.states = state;
  run(trace, &memory);
  if (!shape_.lstm) return;
  memory.hidden = trace.shared;
  memory.cell = trace.cells;
}

void PolicyNetwork::apply(const Dense& layer, int rows, const float* in,
                          std::vector<float>& out) const {
  const float* biases = parameters_.data() + layer.biases;
  out.resize(static_cast<std::size_t>(rows) * layer.outputs);
  for (int row = 0; row < rows; ++row) {
    std::copy(biases, biases + layer.outputs,
              out.begin() + static_cast<std::ptrdiff_t>(row) * layer.outputs);
  }
  add_product(rows, layer.inputs, layer.outputs, in, parameters_.data() + layer.weights,
              out.data());
}

void PolicyNetwork::run(Trace& trace, const Memory* start) const {
  const int rows = trace.sequences * trace.steps;
  if (trace.states.size() != static_cast<std::size_t>(rows) * shape_.inputs) {
    fail("agent: {} numbers for {} states of {}", trace.states.size(), rows, shape_.inputs);
  }
  if (shape_.lstm) {
    run_lstm(trace, start);
  } else {
    apply(input_, rows, trace.states.data(), trace.shared);
    for (float& x : trace.shared) x = std::tanh(x);
  }
  run_head(policy_, trace.shared, rows, trace.policy);
  run_head(value_, trace.shared, rows, trace.value);
}

void PolicyNetwork::run_lstm(Trace& trace, const Memory* start) const {
  const int n = trace.sequences;
  const int hidden = shape_.hidden;
  const auto block = static_cast<std::size_t>(n) * hidden;
  // The part that does not depend on the step before, for all steps at once.
  apply(input_, n * trace.steps, trace.states.data(), trace.gates);
  trace.cells.resize(block * trace.steps);
  trace.shared.resize(block * trace.steps);
  for (int t = 0; t < trace.steps; ++t) {
    float* gates = trace.gates.data() + 4 * block * t;
    float* cells = trace.cells.data() + block * t;
    float* out = trace.shared.data() + block * t;
    const bool goes_on = t > 0 || start != nullptr;
    const float* out_before = nullptr;
    const float* cells_before = nullptr;
    if (t > 0) {
      out_before = out - block;
      cells_before = cells - block;
    } else if (start != nullptr) {
      out_before = start->hidden.data();
      cells_before = start->cell.data();
    }
    if (goes_on) {
      add_product(n, hidden, width_, out_before, parameters_.data() + recurrent_, gates);
    }
    for (int e = 0; e < n; ++e, gates += width_, cells += hidden, out += hidden) {
      for (int k = 0; k < hidden; ++k) {
        const float input = gates[k] = sigmoid(gates[k]);
        const float forget = gates[hidden + k] = sigmoid(gates[hidden + k]);
        const float cell = gates[2 * hidden + k] = std::tanh(gates[2 * hidden + k]);
        const float output = gates[3 * hidden + k] = sigmoid(gates[3 * hidden + k]);
        const float before =
            goes_on ? cells_before[static_cast<std::size_t>(e) * hidden + k] : 0.0f;
        cells[k] = forget * before + input * cell;
        out[k] = output * std::tanh(cells[k]);
      }
    }
  }
}

void PolicyNetwork::run_head(const std::vector<Dense>& layers, const std::vector<float>& shared,
                             int rows, std::vector<std::vector<float>>& outputs) const {
  outputs.resize(layers.size());
  const float* in = shared.data();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    apply(layers[i], rows, in, outputs[i]);
    if (i + 1 < layers.size()) {
      for (float& x : outputs[i]) x = std::tanh(x);
    }
    in = outputs[i].data();
  }
}

void PolicyNetwork::backward(const Trace& trace, const std::vector<float>& by_logits,
                             const std::vector<float>& by_values,
                             std::vector<float>& gradient) const {
  std::vector<float> by_shared(trace.shared.size(), 0.0f);
  back_head(policy_, trace, trace.policy, by_logits, by_shared, gradient);
  back_head(value_, trace, trace.value, by_values, by_shared, gradient);
  if (shape_.lstm) {
    back_lstm(trace, by_shared, gradient);
    return;
  }
  for (std::size_t i = 0; i < by_shared.size(); ++i) {
    by_shared[i] *= 1.0f - trace.shared[i] * trace.shared[i];
  }
  back_dense(input_, trace.sequences * trace.steps, trace.states.data(), by_shared, nullptr,
             gradient);
}

void PolicyNetwork::back_dense(const Dense& layer, int rows, const float* in,
                               const std::vector<float>& by_out, float* by_in,
                               std::vector<float>& gradient) const {
  add_product_transposed(layer.inputs, rows, layer.outputs, in, by_out.data(),
                         gradient.data() + layer.weights);
  float* biases = gradient.data() + layer.biases;
  const float* out = by_out.data();
  for (int row = 0; row < rows; ++row, out += layer.outputs) {
    for (int k = 0; k < layer.outputs; ++k) biases[k] += out[k];
  }
  if (by_in == nullptr) return;
  std::vector<float> weights(static_cast<std::size_t>(layer.inputs) * layer.outputs);
  transpose(layer.inputs, layer.outputs, parameters_.data() + layer.weights, weights.data());
  add_product(rows, layer.outputs, layer.inputs, by_out.data(), weights.data(), by_in);
}

void PolicyNetwork::back_head(const std::vector<Dense>& layers, const Trace& trace,
                              const std::vector<std::vector<float>>& outputs,
                              std::vector<float> by_out, std::vector<float>& by_shared,
                              std::vector<float>& gradient) const {
  const int rows = trace.sequences * trace.steps;
  for (std::size_t i = layers.size(); i-- > 1;) {
    const std::vector<float>& in = outputs[i - 1];
    std::vector<float> by_in(in.size(), 0.0f);
    back_dense(layers[i], rows, in.data(), by_out, by_in.data(), gradient);
    for (std::size_t k = 0; k < in.size(); ++k) by_in[k] *= 1.0f - in[k] * in[k];
    by_out = std::move(by_in);
  }
  back_dense(layers[0], rows, trace.shared.data(), by_out, by_shared.data(), gradient);
}

void PolicyNetwork::back_lstm(const Trace& trace, std::vector<float>& by_shared,
                              std::vector<float>& gradient) const {
  const int n = trace.sequences;
  const int hidden = shape_.hidden;
  const auto block = static_cast<std::size_t>(n) * hidden;
  std::vector<float> recurrent(static_cast<std::size_t>(hidden) * width_);
  transpose(hidden, width_, parameters_.data() + recurrent_, recurrent.data());
  std::vector<float> by_gates(trace.gates.size());  // before their functions
  std::vector<float> by_cells(block, 0.0f);         // carried from step to step
  for (int t = trace.steps; t-- > 0;) {
    const float* gates = trace.gates.data() + 4 * block * t;
    const float* cells = trace.cells.data() + block * t;
    const float* by_out = by_shared.data() + block * t;
    float* back = by_gates.data() + 4 * block * t;
    for (int e = 0; e < n; ++e, gates += width_, back += width_) {
      for (int k = 0; k < hidden; ++k) {
        const std::size_t at = static_cast<std::size_t>(e) * hidden + k;
        const float input = gates[k];
        const float forget = gates[hidden + k];
        const float cell = gates[2 * hidden + k];
        const float output = gates[3 * hidden + k];
        const float squashed = std::tanh(cells[at]);
        const float before = t > 0 ? (cells - block)[at] : 0.0f;
        const float by_cell = by_cells[at] + by_out[at] * output * (1.0f - squashed * squashed);
        back[k] = by_cell * cell * input * (1.0f - input);
        back[hidden + k] = by_cell * before * forget * (1.0f - forget);
        back[2 * hidden + k] = by_cell * input * (1.0f - cell * cell);
        back[3 * hidden + k] = by_out[at] * squashed * output * (1.0f - output);
        by_cells[at] = by_cell * forget;
      }
    }
    if (t == 0) continue;
    const float* now = by_gates.data() + 4 * block * t;
    add_product(n, width_, hidden, now, recurrent.data(), by_shared.data() + block * (t - 1));
  }
  if (trace.steps > 1) {
    add_product_transposed(hidden, n * (trace.steps - 1), width_, trace.shared.data(),
                           by_gates.data() + 4 * block, gradient.data() + recurrent_);
  }
  back_dense(input_, n * trace.steps, trace.states.data(), by_gates, nullptr, gradient);
}

}  // namespace bittern
