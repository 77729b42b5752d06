#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace bittern {

/// Which images of a data set a network answered correctly, in the order of the set. Two networks
/// that were scored on the same images can be compared image by image.
class Answers {
 public:
  Answers() = default;
  explicit Answers(std::vector<bool> correct) : correct_(std::move(correct)) {}

  /// No images: nothing is known.
  bool empty() const { return correct_.empty(); }
  std::size_t images() const { return correct_.size(); }
  bool correct(std::size_t image) const { return correct_[image]; }

  /// "<images>:<hexadecimal digits>", four images a digit, the first one in the highest bit, bits
  /// behind the last image 0; empty for no images.
  std::string text() const;
  /// The inverse; throws Error when the text has another form.
  static Answers parse(const std::string& text);

  bool operator==(const Answers& other) const { return correct_ == other.correct_; }

 private:
  std::vector<bool> correct_;
};

/// Standard error of an accuracy in percent over so many images, in points: the binomial
/// sqrt(p (1 - p) / n). Where all answers are right or all wrong, that of one image off, since
/// 0 would claim certainty. 0 without images.
double accuracy_standard_error(double percent, std::size_t images);

/// Difference between the accuracies of two networks on the same images.
struct PairedDifference {
  std::size_t images = 0;
  std::size_t only_first = 0;   ///< images that only the first one answers correctly
  std::size_t only_second = 0;  ///< and only the second one
  double points = 0.0;          ///< first minus second, percent points
  double low = 0.0;             ///< 95 % interval of it, points
  double high = 0.0;

  /// The interval lies above 0, below 0, or holds it.
  bool first_is_better() const { return low > 0.0; }
  bool second_is_better() const { return high < 0.0; }
};

/// First minus second, with the adjusted Wald interval of Bonett and Price (2012) for paired
/// proportions: one is added to both counts of images on which the two disagree. It says how far
/// other images of the same kind would give another difference between these two networks; it knows
/// nothing of other seeds. Throws Error when the two have different numbers of images, or none.
PairedDifference paired_difference(const Answers& first, const Answers& second);

}  // namespace bittern
