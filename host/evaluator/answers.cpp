#include "host/evaluator/answers.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "host/base/error.h"

namespace bittern {
namespace {

constexpr double kNormal975 = 1.959963984540054;  ///< 97.5 % quantile of the normal distribution
constexpr std::size_t kMostImages = 100'000'000;

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::string Answers::text() const {
  if (empty()) return "";
  std::string out = std::to_string(images()) + ":";
  for (std::size_t first = 0; first < images(); first += 4) {
    int digit = 0;
    for (std::size_t i = first; i < first + 4; ++i) {
      digit = 2 * digit + (i < images() && correct_[i] ? 1 : 0);
    }
    out += "0123456789abcdef"[digit];
  }
  return out;
}

Answers Answers::parse(const std::string& text) {
  if (text.empty()) return {};
  const auto bad = [&] {
    fail(
        "answers \"{}...\": expected the number of images, a colon and one digit of 0-9, a-f for "
        "every four images",
        text.substr(0, 20));
  };
  std::size_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [colon, code] = std::from_chars(text.data(), end, count);
  if (code != std::errc() || colon == end || *colon != ':' || count == 0 || count > kMostImages ||
      static_cast<std::size_t>(end - colon - 1) != (count + 3) / 4) {
    bad();
  }
  std::vector<bool> correct;
  for (const char* at = colon + 1; at != end; ++at) {
    const int digit = digit_value(*at);
    if (digit < 0) bad();
    for (int bit = 3; bit >= 0; --bit) {
      const bool set = (digit >> bit & 1) != 0;
      if (correct.size() < count) {
        correct.push_back(set);
      } else if (set) {
        bad();
      }
    }
  }
  return Answers(std::move(correct));
}

double accuracy_standard_error(double percent, std::size_t images) {
  if (images == 0) return 0.0;
  const auto n = static_cast<double>(images);
  const double p = std::clamp(percent / 100.0, 1.0 / (n + 1.0), n / (n + 1.0));
  return 100.0 * std::sqrt(p * (1.0 - p) / n);
}

PairedDifference paired_difference(const Answers& first, const Answers& second) {
  if (first.images() != second.images() || first.empty()) {
    fail("answers to {} and {} images cannot be compared image by image", first.images(),
         second.images());
  }
  PairedDifference out;
  out.images = first.images();
  for (std::size_t i = 0; i < first.images(); ++i) {
    if (first.correct(i) && !second.correct(i)) ++out.only_first;
    if (!first.correct(i) && second.correct(i)) ++out.only_second;
  }
  const auto a = static_cast<double>(out.only_first);
  const auto b = static_cast<double>(out.only_second);
  const auto n = static_cast<double>(out.images);
  out.points = 100.0 * (a - b) / n;
  const double share_a = (a + 1.0) / (n + 2.0);
  const double share_b = (b + 1.0) / (n + 2.0);
  const double middle = share_a - share_b;
  const double error = std::sqrt((share_a + share_b - middle * middle) / (n + 2.0));
  out.low = 100.0 * std::max(middle - kNormal975 * error, -1.0);
  out.high = 100.0 * std::min(middle + kNormal975 * error, 1.0);
  return out;
}

}  // namespace bittern
