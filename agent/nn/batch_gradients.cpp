#include "agent/nn/batch_gradients.h"

#include <algorithm>
#include <utility>

#include "agent/torch.h"

namespace bittern {
namespace {

using torch::Tensor;
using torch::autograd::variable_list;

/// Sum over images and pixels, one for each channel, in double precision.
Tensor channel_sums(const Tensor& x) {
  return x.dim() == 2 ? x.sum(std::vector<std::int64_t>{0}, false, torch::kFloat64)
                      : x.sum(std::vector<std::int64_t>{0, 2, 3}, false, torch::kFloat64);
}

void add_to(Tensor& sum, const Tensor& more) { sum = sum.defined() ? sum + more : more; }

}  // namespace

BatchGradients::BatchGradients(const Model& model, WorkerPool& pool, const Weights& at,
                               const Hooks& hooks, std::vector<TensorData> pieces)
    : model_(model), pool_(pool), at_(at), hooks_(hooks) {
  plan();
  const std::size_t nodes = model_.graph().nodes.size();
  for (TensorData& data : pieces) {
    images_ += data.size();
    Piece piece;
    piece.data = std::move(data);
    piece.values.resize(nodes);
    piece.gradients.resize(nodes);
    piece.records.resize(stages_.size());
    piece.normed.resize(norms_.size());
    piece.found.resize(at_.size());
    pieces_.push_back(std::move(piece));
  }
}

void BatchGradients::plan() {
  const std::vector<Node>& nodes = model_.graph().nodes;
  Stage stage;
  for (std::size_t i = 0; i <= nodes.size(); ++i) {
    if (i < nodes.size() && nodes[i].op != Op::kBatchNorm) continue;
    stage.end = i;
    stages_.push_back(stage);
    stage.first = i + 1;
    if (i < nodes.size()) norms_.push_back({i, 0, {}});
  }
  std::vector<std::size_t> stage_of(nodes.size(), stages_.size());  // batch norms: of none
  for (std::size_t s = 0; s < stages_.size(); ++s) {
    for (std::size_t i = stages_[s].first; i < stages_[s].end; ++i) stage_of[i] = s;
  }
  const auto connect = [&](int source, std::size_t taker) {
    if (source == kImage) return;
    const auto from = static_cast<std::size_t>(source);
    if (stage_of[from] == taker && taker != stages_.size()) return;
    if (taker != stages_.size()) {
      std::vector<int>& inputs = stages_[taker].inputs;
      if (std::find(inputs.begin(), inputs.end(), source) == inputs.end()) inputs.push_back(source);
    }
    if (stage_of[from] != stages_.size()) {
      std::vector<std::size_t>& outputs = stages_[stage_of[from]].outputs;
      if (std::find(outputs.begin(), outputs.end(), from) == outputs.end()) outputs.push_back(from);
    }
  };
  connect(model_.graph().output, stages_.size() - 1);  // the loss takes it
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    for (const int source : nodes[i].inputs) connect(source, stage_of[i]);
    const int slot = model_.slot_of_node(i);
    if (slot >= 0 && stage_of[i] != stages_.size()) {
      stages_[stage_of[i]].slots.push_back(static_cast<std::size_t>(slot));
    }
  }
}

template <typename Body>
void BatchGradients::for_pieces(Body body) {
  pool_.run(static_cast<int>(pieces_.size()),
            [&](int index) { body(pieces_[static_cast<std::size_t>(index)]); });
}

template <typename Body>
Tensor BatchGradients::sum_of_pieces(Body body) {
  std::vector<Tensor> sums(pieces_.size());
  pool_.run(static_cast<int>(pieces_.size()), [&](int index) {
    const torch::NoGradGuard no_gradient;
    const auto place = static_cast<std::size_t>(index);
    sums[place] = body(pieces_[place]);
  });
  Tensor total;
  for (const Tensor& sum : sums) add_to(total, sum);
  return total;
}

void BatchGradients::forward(std::size_t number, Piece& piece) const {
  const Stage& stage = stages_[number];
  Record& record = piece.records[number];
  if (number == 0) piece.pixels = Model::pixels(piece.data.images);
  Values values{piece.pixels, std::vector<Tensor>(piece.values.size())};
  for (const int source : stage.inputs) {
    const auto from = static_cast<std::size_t>(source);
    record.inputs.push_back(piece.values[from].detach().requires_grad_(true));
    values.nodes[from] = record.inputs.back();
  }
  // Leaves of this piece's own graph that share the weights' memory.
  record.weights.resize(at_.size());
  for (const std::size_t slot : stage.slots) {
    record.weights[slot].weight = at_[slot].weight.detach().requires_grad_(true);
    if (!at_[slot].bias.defined()) continue;
    record.weights[slot].bias = at_[slot].bias.detach().requires_grad_(true);
  }
  model_.compute(stage.first, stage.end, record.weights, hooks_, values);
  for (const std::size_t output : stage.outputs) {
    record.outputs.push_back(values.nodes[output]);
    piece.values[output] = values.nodes[output].detach();
  }
  if (number + 1 < stages_.size()) return;
  const Tensor logits = model_.logits(values);
  const Tensor loss = summed_loss(logits, piece.data.labels);
  record.outputs = {loss / static_cast<double>(images_)};
  piece.score = score_of(logits, piece.data.labels, loss);
}

void BatchGradients::backward(std::size_t number, Piece& piece) const {
  const Stage& stage = stages_[number];
  Record& record = piece.records[number];
  variable_list ends;
  variable_list gradients;
  if (number + 1 == stages_.size()) {
    ends = record.outputs;
  } else {
    for (std::size_t i = 0; i < stage.outputs.size(); ++i) {
      // What depends on the image alone has none, what decides nothing gets none.
      if (!record.outputs[i].requires_grad()) continue;
      if (!piece.gradients[stage.outputs[i]].defined()) continue;
      ends.push_back(record.outputs[i]);
      gradients.push_back(piece.gradients[stage.outputs[i]]);
    }
  }
  variable_list leaves = record.inputs;
  for (const std::size_t slot : stage.slots) {
    leaves.push_back(record.weights[slot].weight);
    if (record.weights[slot].bias.defined()) leaves.push_back(record.weights[slot].bias);
  }
  if (ends.empty() || leaves.empty()) return;
  const variable_list found =
      torch::autograd::grad(ends, leaves, gradients, /*retain_graph=*/false, /*create_graph=*/false,
                            /*allow_unused=*/true);
  std::size_t next = 0;
  for (const int source : stage.inputs) {
    const Tensor& gradient = found[next++];
    if (gradient.defined()) add_to(piece.gradients[static_cast<std::size_t>(source)], gradient);
  }
  for (const std::size_t slot : stage.slots) {
    piece.found[slot].weight = found[next++];
    if (record.weights[slot].bias.defined()) piece.found[slot].bias = found[next++];
  }
  record = {};
}

void BatchGradients::normalise(std::size_t index, Weights& gradients) {
  Norm& norm = norms_[index];
  const Node& node = model_.graph().nodes[norm.node];
  const auto slot = static_cast<std::size_t>(model_.slot_of_node(norm.node));
  const auto input = [&node](const Piece& piece) {
    return node.inputs[0] == kImage ? piece.pixels
                                    : piece.values[static_cast<std::size_t>(node.inputs[0])];
  };
  norm.count = 0;
  for (const Piece& piece : pieces_) norm.count += input(piece).numel() / node.shape.channels;
  const auto count = static_cast<double>(norm.count);
  const Tensor mean =
      (sum_of_pieces([&](Piece& piece) { return channel_sums(input(piece)); }) / count)
          .to(torch::kFloat32);
  // In two passes: a difference of sums of squares would lose the digits of a small variance.
  const Tensor squares = sum_of_pieces([&](Piece& piece) {
    Tensor& centred = piece.normed[index];
    centred = input(piece) - per_channel(mean, input(piece));
    return channel_sums(centred * centred);
  });
  const Tensor variance = squares / count;
  norm.inverse = (1.0 / (variance + node.attributes.epsilon).sqrt()).to(torch::kFloat32);
  gradients[slot].mean = mean;
  gradients[slot].variance = (squares / std::max(count - 1.0, 1.0)).to(torch::kFloat32);
  for_pieces([&](Piece& piece) {
    const torch::NoGradGuard no_gradient;
    Tensor& normed = piece.normed[index];
    normed.mul_(per_channel(norm.inverse, normed));
    const Tensor result =
        normed * per_channel(at_[slot].weight, normed) + per_channel(at_[slot].bias, normed);
    Tensor& value = piece.values[norm.node];
    value = node.attributes.relu ? at::relu(result) : result;
    if (hooks_.stored && model_.stores(norm.node)) value = hooks_.stored(norm.node, value);
  });
}

void BatchGradients::normalise_back(std::size_t index, Weights& gradients) {
  const Norm& norm = norms_[index];
  const Node& node = model_.graph().nodes[norm.node];
  const auto slot = static_cast<std::size_t>(model_.slot_of_node(norm.node));
  const Tensor shift = sum_of_pieces([&](Piece& piece) {
    Tensor& gradient = piece.gradients[norm.node];
    if (node.attributes.relu) {
      // What was stored may have been rounded to 0, which stops no gradient.
      const Tensor& normed = piece.normed[index];
      const Tensor& value = piece.values[norm.node];
      const bool rounded = hooks_.stored && model_.stores(norm.node);
      gradient = gradient * (rounded ? normed * per_channel(at_[slot].weight, normed) +
                                           per_channel(at_[slot].bias, normed)
                                     : value)
                                .gt(0);
    }
    return channel_sums(gradient);
  });
  const Tensor gain = sum_of_pieces(
      [&](Piece& piece) { return channel_sums(piece.gradients[norm.node] * piece.normed[index]); });
  gradients[slot].weight = gain.to(torch::kFloat32);
  gradients[slot].bias = shift.to(torch::kFloat32);
  if (node.inputs[0] == kImage) return;
  const auto count = static_cast<double>(norm.count);
  const Tensor mean_shift = (shift / count).to(torch::kFloat32);
  const Tensor mean_gain = (gain / count).to(torch::kFloat32);
  const Tensor factor = at_[slot].weight * norm.inverse;
  for_pieces([&](Piece& piece) {
    const torch::NoGradGuard no_gradient;
    const Tensor& gradient = piece.gradients[norm.node];
    const Tensor& normed = piece.normed[index];
    const Tensor centred =
        gradient - per_channel(mean_shift, normed) - normed * per_channel(mean_gain, normed);
    add_to(piece.gradients[static_cast<std::size_t>(node.inputs[0])],
           centred * per_channel(factor, normed));
    piece.gradients[norm.node] = Tensor();
    piece.normed[index] = Tensor();
  });
}

Score BatchGradients::compute(Weights& gradients) {
  gradients.resize(at_.size());
  for (std::size_t stage = 0; stage < stages_.size(); ++stage) {
    // The way back through the last stage is taken at once.
    const bool last = stage + 1 == stages_.size();
    for_pieces([&](Piece& piece) {
      forward(stage, piece);
      if (last) backward(stage, piece);
    });
    const torch::NoGradGuard no_gradient;
    if (!last) normalise(stage, gradients);
  }
  for (std::size_t stage = stages_.size() - 1; stage-- > 0;) {
    {
      const torch::NoGradGuard no_gradient;
      normalise_back(stage, gradients);
    }
    for_pieces([&](Piece& piece) { backward(stage, piece); });
  }
  const torch::NoGradGuard no_gradient;
  for (const Stage& stage : stages_) {
    for (const std::size_t slot : stage.slots) {
      gradients[slot] = pieces_[0].found[slot];
      for (std::size_t index = 1; index < pieces_.size(); ++index) {
        gradients[slot].weight.add_(pieces_[index].found[slot].weight);
        if (gradients[slot].bias.defined()) {
          gradients[slot].bias.add_(pieces_[index].found[slot].bias);
        }
      }
    }
  }
  Score sum;
  for (const Piece& piece : pieces_) sum += piece.score;
  return sum;
}

}  // namespace bittern
