#pragma once

#include <cstdint>
#include <vector>

#include "agent/nn/model.h"
#include "agent/nn/score.h"
#include "agent/nn/tensor_data.h"
#include "agent/nn/worker_pool.h"

namespace bittern {

/// Gradient of one batch that is computed in pieces. Batch norms need the statistics of the whole
/// batch, so the network is cut behind the input of each of them: all pieces go through one stage,
/// their sums are added in the order of the pieces, and the next stage begins; back the same way.
/// The result depends neither on the number of threads nor, but for rounding, on the pieces.
class BatchGradients {
 public:
  /// All arguments must outlive the object.
  BatchGradients(const Model& model, WorkerPool& pool, const Weights& at, const Hooks& hooks,
                 std::vector<TensorData> pieces);
  /// Fills `gradients` and returns the score of the batch. Once.
  Score compute(Weights& gradients);

 private:
  /// Nodes between two batch norms: first .. end - 1.
  struct Stage {
    std::size_t first = 0;
    std::size_t end = 0;
    std::vector<int> inputs;           ///< earlier nodes whose values it takes
    std::vector<std::size_t> outputs;  ///< its nodes whose values are taken later
    std::vector<std::size_t> slots;    ///< of its weights
  };
  /// One stage of one piece: the leaves and ends of its own autograd graph.
  struct Record {
    std::vector<torch::Tensor> inputs;
    Weights weights;
    std::vector<torch::Tensor> outputs;
  };
  struct Piece {
    TensorData data;
    torch::Tensor pixels;
    std::vector<torch::Tensor> values;     ///< of nodes that later stages take, without a graph
    std::vector<torch::Tensor> gradients;  ///< with respect to them
    std::vector<Record> records;           ///< of each stage
    std::vector<torch::Tensor> normed;     ///< by batch norm: values before its gain
    Weights found;
    Score score;
  };
  /// What batch norm number `index` did.
  struct Norm {
    std::size_t node = 0;
    std::int64_t count = 0;  ///< values of a channel in the batch
    torch::Tensor inverse;   ///< 1 / deviation
  };

  void plan();
  void forward(std::size_t stage, Piece& piece) const;
  void backward(std::size_t stage, Piece& piece) const;
  void normalise(std::size_t index, Weights& gradients);
  void normalise_back(std::size_t index, Weights& gradients);
  template <typename Body>
  void for_pieces(Body body);
  /// The sum over the pieces of what `body` gives for each, added in their order.
  template <typename Body>
  torch::Tensor sum_of_pieces(Body body);

  const Model& model_;
  WorkerPool& pool_;
  const Weights& at_;
  const Hooks& hooks_;
  std::int64_t images_ = 0;
  std::vector<Piece> pieces_;
  std::vector<Stage> stages_;
  std::vector<Norm> norms_;
};

}  // namespace bittern
