#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bittern {

/// Where tensors are computed.
enum class TensorDevice {
  kAuto,  ///< a GPU when there is one, else the CPU
  kCpu,
  kCuda,
};

/// The device called "auto", "cpu" or "cuda"; throws Error for other names.
TensorDevice tensor_device_of(const std::string& name);

/// What a network scored on a data set.
struct Score {
  std::int64_t images = 0;
  std::int64_t correct = 0;
  std::int64_t correct_in_five = 0;  ///< the label is among the five greatest logits
  double loss_sum = 0.0;             ///< cross entropy summed over the images (nats)
  /// Of each image whether the answer is correct, where that was asked for.
  std::vector<bool> answers = {};
  std::vector<std::int64_t> predictions = {};  ///< and its class, likewise

  /// Share of correct answers in percent; 0 without images.
  double accuracy() const {
    return images == 0 ? 0.0 : 100.0 * static_cast<double>(correct) / static_cast<double>(images);
  }
  /// Likewise of those whose label is among the five best answers (top-5).
  double top5() const {
    return images == 0 ? 0.0
                       : 100.0 * static_cast<double>(correct_in_five) / static_cast<double>(images);
  }
  /// Mean cross entropy (nats); 0 without images.
  double loss() const { return images == 0 ? 0.0 : loss_sum / static_cast<double>(images); }
  Score& operator+=(const Score& other) {
    images += other.images;
    correct += other.correct;
    correct_in_five += other.correct_in_five;
    loss_sum += other.loss_sum;
    answers.insert(answers.end(), other.answers.begin(), other.answers.end());
    predictions.insert(predictions.end(), other.predictions.begin(), other.predictions.end());
    return *this;
  }
};

/// Share of images that both answer with the same class, right or wrong, in percent. Both have
/// predictions of the same images.
inline double agreement(const Score& a, const Score& b) {
  std::int64_t same = 0;
  for (std::size_t i = 0; i < a.predictions.size(); ++i) {
    if (a.predictions[i] == b.predictions[i]) ++same;
  }
  return a.predictions.empty()
             ? 0.0
             : 100.0 * static_cast<double>(same) / static_cast<double>(a.predictions.size());
}

}  // namespace bittern
