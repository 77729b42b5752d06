#include "agent/evaluator/integer_score.h"

#include <algorithm>
#include <vector>

#include "agent/evaluator/stored_integers.h"
#include "agent/nn/training.h"
#include "agent/torch.h"
#include "host/integer/integer_executor.h"

namespace bittern {
namespace {

constexpr std::int64_t kPiece = 16;

Score score_with(const QuantisedNetwork& network, const TensorData& data, Engine& engine,
                 const std::function<void(int images)>& on_images) {
  const IntegerExecutor executor(network);
  const std::int64_t count = data.size();
  std::vector<Score> scores(static_cast<std::size_t>((count + kPiece - 1) / kPiece));
  engine.for_pieces(data, kPiece, [&](int index, const TensorData& piece) {
    const torch::NoGradGuard no_gradient;
    const torch::Tensor images = piece.images.cpu().contiguous();
    const auto bytes =
        static_cast<std::size_t>(images.numel() / std::max<std::int64_t>(images.size(0), 1));
    std::vector<float> logits;
    for (std::int64_t i = 0; i < images.size(0); ++i) {
      const std::vector<float> answer = executor.logits(
          Bytes(images.data_ptr<std::uint8_t>() + static_cast<std::size_t>(i) * bytes, bytes));
      logits.insert(logits.end(), answer.begin(), answer.end());
    }
    const torch::Tensor answers = torch::from_blob(
        logits.data(), {images.size(0), engine.model().classes()}, torch::kFloat32);
    scores[static_cast<std::size_t>(index)] = score_with_answers(answers, piece.labels.cpu());
    if (on_images) on_images(static_cast<int>(piece.size()));
  });
  Score total;
  for (const Score& score : scores) total += score;
  return total;
}

}  // namespace

Score integer_score(const QuantisedNetwork& network, const TensorData& data, Engine& engine) {
  return score_with(network, data, engine, {});
}

Score stated_integer_score(const Network& network, const TensorFile& checkpoint,
                           const Dataset& data, int threads, TensorDevice device,
                           const std::function<void(int images)>& on_images) {
  check_data_fits(network, data);
  Engine engine(network, threads, device);
  return score_with(stored_stated_network(network, checkpoint),
                    TensorData::from(data, engine.device()), engine, on_images);
}

}  // namespace bittern
