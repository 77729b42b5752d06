#include "agent/rl/standing.h"

namespace bittern {

double standing(const Outcome& outcome, double objective) {
  constexpr double kBelowFloor = 1e4;  // more than rewards and accuracies differ by
  return outcome.meets_floor ? objective : outcome.accuracy.top1 - kBelowFloor;
}

}  // namespace bittern
