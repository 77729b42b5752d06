#include "host/analysis/roofline.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "host/base/random.h"
#include "host/cores/cores.h"
#include "host/network/network.h"

namespace bittern {
namespace {

Variant variant(int port_width, int bytes_per_cycle) {
  Variant v;
  v.name = "test";
  v.clock_mhz = 100;
  v.rtl = {{"PortWidth", port_width}, {"NumReadPorts", 3}, {"NumWritePorts", 2}};
  v.memory.bytes_per_cycle = bytes_per_cycle;
  return v;
}

/// Report of a layer by what the roofline needs of it.
LayerReport report(std::int64_t macs, double ideal_cycles, std::uint64_t port_read,
                   std::uint64_t port_written, std::uint64_t cycles) {
  LayerReport r;
  r.macs = macs;
  r.ideal_cycles = ideal_cycles;
  r.port_bytes_read = port_read;
  r.port_bytes_written = port_written;
  r.bytes_read = 3 * port_read;
  r.bytes_written = 2 * port_written;
  r.cycles = cycles;
  r.latency_s = static_cast<double>(cycles) / 100e6;
  return r;
}

TEST(MemoryBandwidth, IsThatOfThePortsOrOfTheMemoryBehindThem) {
  const MemoryBandwidth whole = memory_bandwidth(variant(64, 8));
  EXPECT_DOUBLE_EQ(whole.port, 8 * 100e6);
  EXPECT_DOUBLE_EQ(whole.read, 3 * whole.port);
  EXPECT_DOUBLE_EQ(whole.write, 2 * whole.port);
  EXPECT_DOUBLE_EQ(whole.all(), 5 * whole.port);
  // A memory faster than the port makes it no faster.
  EXPECT_DOUBLE_EQ(memory_bandwidth(variant(64, 32)).port, whole.port);
  EXPECT_DOUBLE_EQ(memory_bandwidth(variant(64, 3)).port, 3 * 100e6);
}

TEST(RooflinePoint, TheBusiestPortOrTheArrayBounds) {
  const Variant v = variant(64, 8);
  // 1000 cycles of compute against 800 bytes (100 cycles) a port.
  RooflinePoint p = roofline_point(report(5000, 1000, 800, 80, 2000), v);
  EXPECT_EQ(p.bound, Bound::kCompute);
  EXPECT_DOUBLE_EQ(p.peak, 10000 / 1e-5);
  EXPECT_DOUBLE_EQ(p.attainable, p.peak);
  EXPECT_DOUBLE_EQ(p.memory_limit, 10 * p.peak);
  EXPECT_DOUBLE_EQ(p.reached(), 0.5);
  EXPECT_DOUBLE_EQ(p.intensity(), 10000.0 / (2400 + 160));
  // 16000 bytes: 2000 cycles of reading.
  p = roofline_point(report(5000, 1000, 16000, 80, 2000), v);
  EXPECT_EQ(p.bound, Bound::kRead);
  EXPECT_DOUBLE_EQ(p.attainable, 10000 / 2e-5);
  EXPECT_DOUBLE_EQ(p.reached(), 1.0);
  p = roofline_point(report(5000, 1000, 16000, 24000, 3000), v);
  EXPECT_EQ(p.bound, Bound::kWrite);
  EXPECT_DOUBLE_EQ(p.attainable, 10000 / 3e-5);
}

TEST(RooflinePoint, MemoryLimitIsBetweenOnePortAndAllPorts) {
  const Variant v = variant(64, 8);
  const MemoryBandwidth bandwidth = memory_bandwidth(v);
  Rng rng(7);
  for (int i = 0; i < 200; ++i) {
    LayerReport r = report(rng.integer(1, 100000), 100, 0, 0, 1000);
    // Any spread of the bytes over three reading and two writing ports.
    std::uint64_t read = 0;
    std::uint64_t written = 0;
    for (int port = 0; port < 5; ++port) {
      const std::uint64_t bytes = 8 * static_cast<std::uint64_t>(rng.integer(1, 1000));
      (port < 3 ? read : written) += bytes;
      std::uint64_t& most = port < 3 ? r.port_bytes_read : r.port_bytes_written;
      most = std::max(most, bytes);
    }
    r.bytes_read = read;
    r.bytes_written = written;
    const RooflinePoint p = roofline_point(r, v);
    EXPECT_GE(p.memory_limit, p.intensity() * bandwidth.port * (1 - 1e-12));
    EXPECT_LE(p.memory_limit, p.intensity() * bandwidth.all() * (1 + 1e-12));
  }
}

TEST(RooflineTotal, LayersRunOneAfterTheOther) {
  const Variant v = variant(64, 8);
  const RooflinePoint compute = roofline_point(report(5000, 1000, 800, 80, 2000), v);
  const RooflinePoint read = roofline_point(report(3000, 100, 24000, 80, 4000), v);
  const RooflinePoint sum = roofline_total({compute, read});
  EXPECT_DOUBLE_EQ(sum.operations, 16000);
  EXPECT_DOUBLE_EQ(sum.bytes, compute.bytes + read.bytes);
  EXPECT_DOUBLE_EQ(sum.peak, 16000 / 11e-6);          // 1000 + 100 cycles
  EXPECT_DOUBLE_EQ(sum.memory_limit, 16000 / 31e-6);  // 100 + 3000
  EXPECT_DOUBLE_EQ(sum.attainable, 16000 / 40e-6);    // 1000 + 3000
  EXPECT_DOUBLE_EQ(sum.achieved, 16000 / 60e-6);
  EXPECT_EQ(sum.bound, Bound::kRead);
  EXPECT_EQ(roofline_total({compute}).bound, Bound::kCompute);
}

TEST(RooflineTotal, OfNothingIsNothing) {
  const RooflinePoint none = roofline_total({});
  EXPECT_EQ(none.attainable, 0.0);
  EXPECT_EQ(none.intensity(), 0.0);
  EXPECT_EQ(none.reached(), 0.0);
}

// On every layer, at any bits, nothing is faster than its roofline.
TEST(RooflinePoint, NoLayerOfTheClosedFormExceedsWhatIsAttainable) {
  for (const char* name : {"bismo_tiny", "bismo_edge", "bismo_cloud"}) {
    const Variant v =
        load_variant(std::string(BITTERN_SOURCE_DIR) + "/configs/variants/" + name + ".yaml");
    const EnergyTable energy = load_energy_table(std::string(BITTERN_SOURCE_DIR) +
                                                 "/configs/energy/" + v.energy + ".yaml");
    const auto core = make_core(v);
    const Network network =
        load_network(std::string(BITTERN_SOURCE_DIR) + "/configs/networks/odd.yaml");
    for (const BitPair bits : {BitPair{1, 1}, BitPair{2, 8}, BitPair{8, 8}}) {
      for (const Layer& layer : network.layers) {
        const LayerJob job = network_job(*core, v, layer, bits);
        const Measurement measured = model_measurement(known_plan(plan_layer(*core, job)), v);
        const RooflinePoint p =
            roofline_point(report_layer(layer, bits, measured, *core, v, energy), v);
        EXPECT_GT(p.achieved, 0.0) << name << " " << layer.name;
        EXPECT_LE(p.achieved, p.attainable) << name << " " << layer.name;
        EXPECT_LE(p.attainable, p.peak) << name << " " << layer.name;
      }
    }
  }
}

}  // namespace
}  // namespace bittern
