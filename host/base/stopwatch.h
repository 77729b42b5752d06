#pragma once

#include <chrono>
#include <utility>

namespace bittern {

/// Seconds of wall-clock time that never run backwards. For what is reported; no result may depend
/// on it.
class Stopwatch {
 public:
  /// Seconds since construction or the last lap(); the next lap begins.
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    return std::chrono::duration<double>(now - std::exchange(start_, now)).count();
  }
  /// The same, and the lap goes on.
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace bittern
