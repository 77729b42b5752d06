#include "agent/rl/ppo/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "agent/torch.h"
#include "host/base/error.h"
#include "tests/agent/rl/ppo/reference.h"

namespace bittern {
namespace {

using testing::differences;
using ::testing::HasSubstr;
using testing::Numbers;
using testing::ReferenceNetwork;

PolicyShape small(bool lstm) {
  PolicyShape shape;
  shape.inputs = 3;
  shape.outputs = 4;
  shape.lstm = lstm;
  shape.hidden = 5;
  shape.policy = {6, 5};
  shape.value = {4, 3};
  return shape;
}

/// Parameters of the size that trained ones have: those of draw() leave every function in its
/// linear part.
PolicyNetwork lively(const PolicyShape& shape, std::uint64_t seed) {
  PolicyNetwork network(shape);
  Rng rng(seed);
  for (float& p : network.parameters()) p = static_cast<float>(0.6 * rng.normal());
  return network;
}

PolicyNetwork::Trace random_trace(int sequences, int steps, int inputs, std::uint64_t seed) {
  PolicyNetwork::Trace trace;
  trace.sequences = sequences;
  trace.steps = steps;
  Rng rng(seed);
  for (int i = 0; i < sequences * steps * inputs; ++i) {
    trace.states.push_back(static_cast<float>(rng.normal()));
  }
  return trace;
}

std::vector<Numbers> states_of(const PolicyNetwork::Trace& trace, int sequence, int inputs) {
  std::vector<Numbers> result;
  for (int t = 0; t < trace.steps; ++t) {
    const float* from = trace.states.data() + (t * trace.sequences + sequence) * inputs;
    result.emplace_back(from, from + inputs);
  }
  return result;
}

class Network : public ::testing::TestWithParam<bool> {};

TEST_P(Network, ComputesWhatItsParametersSay) {
  const PolicyShape shape = small(GetParam());
  const PolicyNetwork network = lively(shape, 1);
  const Numbers p(network.parameters().begin(), network.parameters().end());
  PolicyNetwork::Trace trace = random_trace(3, 6, shape.inputs, 2);
  network.forward(trace);
  for (int e = 0; e < 3; ++e) {
    const auto wanted = ReferenceNetwork(shape).run(p, states_of(trace, e, shape.inputs));
    for (int t = 0; t < 6; ++t) {
      const int row = t * 3 + e;
      EXPECT_NEAR(trace.values()[row], wanted[t].value, 1e-5);
      for (int k = 0; k < shape.outputs; ++k) {
        EXPECT_NEAR(trace.logits()[row * shape.outputs + k], wanted[t].logits[k], 1e-5);
      }
    }
  }
}

/// Through all steps, heads and gates: a loss that weighs every output otherwise, by finite
/// differences in double precision.
TEST_P(Network, HasTheGradientsOfFiniteDifferences) {
  const PolicyShape shape = small(GetParam());
  const PolicyNetwork network = lively(shape, 3);
  const Numbers p(network.parameters().begin(), network.parameters().end());
  PolicyNetwork::Trace trace = random_trace(2, 5, shape.inputs, 4);
  network.forward(trace);
  Rng rng(5);
  std::vector<float> by_logits;
  std::vector<float> by_values;
  for (std::size_t i = 0; i < trace.logits().size(); ++i) {
    by_logits.push_back(static_cast<float>(rng.normal()));
  }
  for (std::size_t i = 0; i < trace.values().size(); ++i) {
    by_values.push_back(static_cast<float>(rng.normal()));
  }
  std::vector<float> gradient(network.size(), 0.0f);
  network.backward(trace, by_logits, by_values, gradient);

  const auto loss = [&](const Numbers& q) {
    double sum = 0.0;
    for (int e = 0; e < 2; ++e) {
      const auto steps = ReferenceNetwork(shape).run(q, states_of(trace, e, shape.inputs));
      for (int t = 0; t < 5; ++t) {
        const int row = t * 2 + e;
        sum += by_values[row] * steps[t].value;
        for (int k = 0; k < shape.outputs; ++k) {
          sum += by_logits[row * shape.outputs + k] * steps[t].logits[k];
        }
      }
    }
    return sum;
  };
  const Numbers wanted = differences(loss, p);
  ASSERT_EQ(wanted.size(), gradient.size());
  double largest = 0.0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_NEAR(gradient[i], wanted[i], 2e-4 * (1.0 + std::abs(wanted[i]))) << "parameter " << i;
    largest = std::max(largest, std::abs(wanted[i]));
  }
  EXPECT_GT(largest, 0.1) << "the gradient is not tested";

  // It adds.
  std::vector<float> twice = gradient;
  network.backward(trace, by_logits, by_values, twice);
  for (std::size_t i = 0; i < twice.size(); ++i) {
    EXPECT_NEAR(twice[i], 2 * gradient[i], 1e-4 * (1.0 + std::abs(gradient[i])));
  }
}

TEST_P(Network, StepsAsItRunsWholeSequences) {
  const PolicyShape shape = small(GetParam());
  const PolicyNetwork network = lively(shape, 6);
  PolicyNetwork::Trace whole = random_trace(5, 7, shape.inputs, 7);
  network.forward(whole);
  for (int e = 0; e < 5; ++e) {
    PolicyNetwork::Memory memory = network.blank();
    PolicyNetwork::Trace one;
    for (int t = 0; t < 7; ++t) {
      const int row = t * 5 + e;
      const float* from = whole.states.data() + row * shape.inputs;
      network.step({from, from + shape.inputs}, memory, one);
      EXPECT_EQ(one.values()[0], whole.values()[row]);
      for (int k = 0; k < shape.outputs; ++k) {
        EXPECT_EQ(one.logits()[k], whole.logits()[row * shape.outputs + k]);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(LstmOrNot, Network, ::testing::Bool());

/// LibTorch's LSTM knows nothing of ours.
TEST(LstmNetwork, IsTheLstmOfLibTorch) {
  const PolicyShape shape = small(true);
  const PolicyNetwork network = lively(shape, 8);
  PolicyNetwork::Trace trace = random_trace(3, 4, shape.inputs, 9);
  network.forward(trace);
  const int n = shape.hidden;
  const float* p = network.parameters().data();
  const auto matrix = [](const float* from, std::int64_t rows, std::int64_t columns) {
    return torch::from_blob(const_cast<float*>(from), {rows, columns}).t().contiguous();
  };
  const torch::Tensor input = matrix(p, shape.inputs, 4 * n);
  const torch::Tensor recurrent = matrix(p + shape.inputs * 4 * n, n, 4 * n);
  const torch::Tensor bias =
      torch::from_blob(const_cast<float*>(p + (shape.inputs + n) * 4 * n), {4 * n}).clone();
  const torch::Tensor x = torch::from_blob(trace.states.data(), {4, 3, shape.inputs}).clone();
  const torch::Tensor zero = torch::zeros({1, 3, n});
  const auto result = torch::lstm(x, {zero, zero}, {input, recurrent, bias, torch::zeros({4 * n})},
                                  true, 1, 0.0, false, false, false);
  const torch::Tensor out = std::get<0>(result).contiguous();
  ASSERT_EQ(out.numel(), static_cast<std::int64_t>(trace.shared.size()));
  for (std::size_t i = 0; i < trace.shared.size(); ++i) {
    EXPECT_NEAR(trace.shared[i], out.data_ptr<float>()[i], 1e-5);
  }
}

TEST(LstmNetwork, RemembersTheEpisodeAndForgetsItAfterwards) {
  const PolicyShape shape = small(true);
  const PolicyNetwork network = lively(shape, 10);
  PolicyNetwork::Trace trace;
  PolicyNetwork::Memory memory = network.blank();
  network.step({1.0f, 0.5f, -1.0f}, memory, trace);
  const float first = trace.values()[0];
  network.step({1.0f, 0.5f, -1.0f}, memory, trace);
  EXPECT_NE(trace.values()[0], first);
  memory = network.blank();
  network.step({1.0f, 0.5f, -1.0f}, memory, trace);
  EXPECT_EQ(trace.values()[0], first);
}

TEST(PolicyNetwork, HasThePapersSizes) {
  PolicyShape shape;
  shape.inputs = 10;
  shape.outputs = 7;
  const PolicyNetwork network(shape);
  const std::size_t lstm = 4 * 128 * (10 + 128 + 1);
  const std::size_t policy = 129 * 128 + 129 * 128 + 129 * 7;
  const std::size_t value = 129 * 128 + 129 * 64 + 65;
  EXPECT_EQ(network.size(), lstm + policy + value);
}

TEST(PolicyNetwork, StartsFromTheSeedWithAllActionsAboutEquallyLikely) {
  PolicyShape shape;
  shape.inputs = 10;
  shape.outputs = 5;
  PolicyNetwork network(shape);
  Rng rng(11);
  network.draw(rng);
  PolicyNetwork::Trace trace = random_trace(4, 6, 10, 12);
  network.forward(trace);
  for (const float logit : trace.logits()) EXPECT_LT(std::abs(logit), 0.02);
  PolicyNetwork again(shape);
  Rng same(11);
  again.draw(same);
  EXPECT_EQ(again.parameters(), network.parameters());
  Rng other(12);
  again.draw(other);
  EXPECT_NE(again.parameters(), network.parameters());
}

TEST(PolicyNetwork, SaysWhatDoesNotFit) {
  const auto message = [](const std::function<void()>& act) -> std::string {
    try {
      act();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message([] {
                PolicyShape shape;
                shape.hidden = 0;
                PolicyNetwork network(shape);
              }),
              HasSubstr("the size of the shared layer is 0; expected 1..4096"));
  EXPECT_THAT(message([] {
                PolicyShape shape;
                shape.value = {5, 5000};
                PolicyNetwork network(shape);
              }),
              HasSubstr("hidden layer is 5000"));
  EXPECT_THAT(message([] {
                const PolicyNetwork network(small(true));
                PolicyNetwork::Trace trace = random_trace(2, 3, 2, 1);
                network.forward(trace);
              }),
              HasSubstr("12 numbers for 6 states of 3"));
}

}  // namespace
}  // namespace bittern
