#include "host/analysis/roofline.h"

#include <algorithm>
#include <array>

#include "host/base/error.h"

namespace bittern {
namespace {

double quotient(double dividend, double divisor) {
  return divisor > 0.0 ? dividend / divisor : 0.0;
}

}  // namespace

MemoryBandwidth memory_bandwidth(const Variant& variant) {
  const std::int64_t bytes =
      std::min<std::int64_t>(variant.parameter("PortWidth") / 8, variant.memory.bytes_per_cycle);
  const double port = static_cast<double>(bytes) * variant.clock_mhz * 1e6;
  return {port, port * static_cast<double>(variant.parameter("NumReadPorts")),
          port * static_cast<double>(variant.parameter("NumWritePorts"))};
}

const char* bound_name(Bound bound) {
  switch (bound) {
    case Bound::kCompute:
      return "compute";
    case Bound::kRead:
      return "read";
    case Bound::kWrite:
      return "write";
  }
  return "unknown";
}

RooflinePoint roofline_point(const LayerReport& layer, const Variant& variant) {
  const MemoryBandwidth bandwidth = memory_bandwidth(variant);
  const double read_s = static_cast<double>(layer.port_bytes_read) / bandwidth.port;
  const double write_s = static_cast<double>(layer.port_bytes_written) / bandwidth.port;
  const double compute_s = layer.ideal_cycles / (variant.clock_mhz * 1e6);

  RooflinePoint point;
  point.operations = kOperationsPerMac * static_cast<double>(layer.macs);
  point.bytes = static_cast<double>(layer.bytes_read + layer.bytes_written);
  point.peak = quotient(point.operations, compute_s);
  point.memory_limit = quotient(point.operations, std::max(read_s, write_s));
  point.attainable = quotient(point.operations, std::max({compute_s, read_s, write_s}));
  point.achieved = quotient(point.operations, layer.latency_s);
  if (std::max(read_s, write_s) > compute_s) {
    point.bound = read_s >= write_s ? Bound::kRead : Bound::kWrite;
  }
  return point;
}

RooflinePoint roofline_total(const std::vector<RooflinePoint>& layers) {
  RooflinePoint sum;
  double compute_s = 0.0;
  double memory_s = 0.0;
  double attainable_s = 0.0;
  double achieved_s = 0.0;
  std::array<double, 3> bound_s{};
  for (const RooflinePoint& layer : layers) {
    sum.operations += layer.operations;
    sum.bytes += layer.bytes;
    compute_s += quotient(layer.operations, layer.peak);
    memory_s += quotient(layer.operations, layer.memory_limit);
    attainable_s += quotient(layer.operations, layer.attainable);
    achieved_s += quotient(layer.operations, layer.achieved);
    bound_s[static_cast<std::size_t>(layer.bound)] += quotient(layer.operations, layer.attainable);
  }
  sum.peak = quotient(sum.operations, compute_s);
  sum.memory_limit = quotient(sum.operations, memory_s);
  sum.attainable = quotient(sum.operations, attainable_s);
  sum.achieved = quotient(sum.operations, achieved_s);
  const auto longest = std::max_element(bound_s.begin(), bound_s.end());
  sum.bound = static_cast<Bound>(longest - bound_s.begin());
  return sum;
}

}  // namespace bittern
