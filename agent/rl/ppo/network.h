#pragma once

#include <cstddef>
#include <vector>

#include "host/base/random.h"

namespace bittern {

/// Shape of the networks of policy and value. The defaults are ReLeQ's (arXiv 1811.01704, section
/// 2.7): one recurrent layer that both share, then 128-128 for the policy and 128-64 for the value.
struct PolicyShape {
  int inputs = 1;   ///< numbers in a state
  int outputs = 2;  ///< actions
  /// The shared layer remembers the episode (LSTM); otherwise it is fully connected, with tanh.
  bool lstm = true;
  int hidden = 128;  ///< size of the shared layer
  std::vector<int> policy = {128, 128};
  std::vector<int> value = {128, 64};
};

/// Policy and value networks with one shared first layer, forward and backward, over sequences.
///
/// Shared layer: LSTM (Hochreiter and Schmidhuber 1997, with forget gates; gates in the order
/// input, forget, cell, output), or x -> tanh(x W + b). Heads: hidden layers with tanh, then a
/// linear one: to the logits of the actions, and to one value. Rows are samples throughout. What
/// belongs to step t of sequence e of `sequences` is row t * sequences + e.
///
/// Parameters are one array: the shared layer's input weights (inputs x 4 hidden, or x hidden), its
/// recurrent weights (hidden x 4 hidden; LSTM only), its biases, then weights (inputs x outputs)
/// and biases of each layer of the policy and of each of the value.
class PolicyNetwork {
 public:
  /// What the shared layer hands from one step to the next. Without an LSTM it is not looked at.
  struct Memory {
    std::vector<float> hidden;
    std::vector<float> cell;
  };

  /// Everything that forward() computes and backward() needs. To be used again, so that nothing is
  /// allocated in a loop.
  struct Trace {
    int sequences = 0;
    int steps = 0;
    std::vector<float> states;                      ///< rows x inputs
    std::vector<float> gates;                       ///< rows x 4 hidden, after their functions
    std::vector<float> cells;                       ///< rows x hidden
    std::vector<float> shared;                      ///< rows x hidden: output of the shared layer
    std::vector<std::vector<float>> policy, value;  ///< outputs of each layer of the heads
    const std::vector<float>& logits() const { return policy.back(); }  ///< rows x outputs
    const std::vector<float>& values() const { return value.back(); }   ///< rows
  };

  /// Throws Error when a size is not in 1..4096.
  explicit PolicyNetwork(const PolicyShape& shape);

  const PolicyShape& shape() const { return shape_; }
  std::size_t size() const { return parameters_.size(); }
  std::vector<float>& parameters() { return parameters_; }
  const std::vector<float>& parameters() const { return parameters_; }

  /// Weights uniform in +-sqrt(3 / inputs of the product), which keeps the size of signals (LeCun
  /// et al. 1998), biases 0. The forget gates start with a bias of 1: to remember is the better
  /// start (Jozefowicz et al. 2015). The weights of the policy's last layer get a hundredth, so
  /// that all actions start about equally likely.
  void draw(Rng& rng);

  /// A memory of nothing: what an episode starts with.
  Memory blank() const;
  /// Runs trace.sequences sequences of trace.steps steps over trace.states, each from a blank
  /// memory.
  void forward(Trace& trace) const;
  /// One step of one sequence from `memory`, which is moved on. The same numbers as forward() gives
  /// for that step, bit for bit.
  void step(const std::vector<float>& state, Memory& memory, Trace& trace) const;
  /// Adds to `gradient` (as long as the parameters) what a loss with these derivatives by logits
  /// (rows x outputs) and values (rows) has by the parameters, through all steps. `trace` is that
  /// of the last forward().
  void backward(const Trace& trace, const std::vector<float>& by_logits,
                const std::vector<float>& by_values, std::vector<float>& gradient) const;

 private:
  struct Dense {
    int inputs, outputs;
    std::size_t weights;  ///< where they are in the parameters
    std::size_t biases;
  };

  Dense add_dense(int inputs, int outputs, std::size_t& at) const;
  void apply(const Dense& layer, int rows, const float* in, std::vector<float>& out) const;
  void run(Trace& trace, const Memory* start) const;
  void run_lstm(Trace& trace, const Memory* start) const;
  void run_head(const std::vector<Dense>& layers, const std::vector<float>& shared, int rows,
                std::vector<std::vector<float>>& outputs) const;
  void back_dense(const Dense& layer, int rows, const float* in, const std::vector<float>& by_out,
                  float* by_in, std::vector<float>& gradient) const;
  void back_head(const std::vector<Dense>& layers, const Trace& trace,
                 const std::vector<std::vector<float>>& outputs, std::vector<float> by_out,
                 std::vector<float>& by_shared, std::vector<float>& gradient) const;
  void back_lstm(const Trace& trace, std::vector<float>& by_shared,
                 std::vector<float>& gradient) const;

  PolicyShape shape_;
  int width_ = 0;              ///< outputs of the shared layer's products: 4 hidden, or hidden
  std::size_t recurrent_ = 0;  ///< where the recurrent weights are
  Dense input_{};              ///< input weights and biases of the shared layer
  std::vector<Dense> policy_;
  std::vector<Dense> value_;
  std::vector<float> parameters_;
};

}  // namespace bittern
