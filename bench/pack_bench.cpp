// Lowering on the host: how fast layers become memory images and results become outputs.
// "items" are elements of the im2col matrix (packing), outputs (unpacking), multiply-accumulates
// (reference); "bytes" are those of the image.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "host/cores/cores.h"
#include "host/cores/matrix/bitplanes.h"
#include "host/cores/matrix/matrix_core.h"
#include "host/cores/matrix/matrix_image.h"
#include "host/integer/layer_data.h"
#include "host/integer/reference.h"

namespace bittern {
namespace {

Layer conv(const std::string& name, int channels, int size, int kernel, int outputs) {
  Layer layer;
  layer.name = name;
  layer.in_channels = channels;
  layer.in_height = layer.in_width = size;
  layer.out_channels = outputs;
  layer.kernel_h = layer.kernel_w = kernel;
  layer.pad_top = layer.pad_bottom = layer.pad_left = layer.pad_right = kernel / 2;
  return layer;
}

std::vector<Layer> layers() {
  std::vector<Layer> all = {conv("conv1x5x5", 1, 28, 5, 20), conv("conv64x3x3", 64, 56, 3, 64),
                            conv("pointwise256", 256, 28, 1, 256)};
  Layer depthwise = conv("depthwise96", 96, 56, 3, 96);
  depthwise.kind = LayerKind::kDepthwise;
  depthwise.groups = 96;
  all.push_back(depthwise);
  Layer linear;
  linear.name = "linear4096";
  linear.kind = LayerKind::kLinear;
  linear.in_channels = linear.out_channels = 4096;
  all.push_back(linear);
  return all;
}

/// A layer planned on any core, at 8 bits.
struct Planned {
  Planned(const std::string& variant, const Layer& layer_)
      : core(make_core(load_variant(variant))),
        layer(layer_),
        data(random_layer_data(layer_, Precision{}, 1, 1)),
        plan(core->plan(layer_, Precision{}, 1)) {}
  std::unique_ptr<Core> core;
  Layer layer;
  LayerData data;
  std::unique_ptr<Plan> plan;
};

/// What packing on a core that multiplies matrices takes besides.
struct Case : Planned {
  Case(const std::string& variant, const Layer& layer_) : Planned(variant, layer_) {
    const auto& matrix = dynamic_cast<const MatrixPlan&>(*plan);
    config = dynamic_cast<const MatrixCore&>(*core).config().staggered(matrix.schedule.columns,
                                                                       matrix.schedule.cascade);
    shape = matrix.shape;
    map = make_map(config, shape, matrix.schedule, BitPair{});
  }
  MatrixConfig config;
  MatrixShape shape;
  StreamMap map;
};

void pack_activations_bench(benchmark::State& state, const std::string& variant,
                            const Layer& layer) {
  const Case c(variant, layer);
  std::size_t bytes = 0;
  for (auto _ : state) {
    const auto image = pack_activations(c.config, c.shape, c.map.lhs, BitPair{}.activation, c.layer,
                                        1, c.data.activations);
    bytes += image.size();
    benchmark::DoNotOptimize(image.data());
  }
  state.SetItemsProcessed(state.iterations() * c.shape.bundles * c.shape.m * c.shape.k);
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

void pack_weights_bench(benchmark::State& state, const std::string& variant, const Layer& layer) {
  const Case c(variant, layer);
  std::size_t bytes = 0;
  for (auto _ : state) {
    const auto image =
        pack_weights(c.config, c.shape, c.map.rhs, BitPair{}.weight, c.layer, c.data.weights);
    bytes += image.size();
    benchmark::DoNotOptimize(image.data());
  }
  state.SetItemsProcessed(state.iterations() * layer.weights());
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

void unpack_bench(benchmark::State& state, const std::string& variant, const Layer& layer) {
  const Planned c(variant, layer);
  const std::vector<std::uint8_t> result(c.core->build(*c.plan, c.data).result_bytes);
  for (auto _ : state) {
    const auto outputs = c.core->unpack(*c.plan, result);
    benchmark::DoNotOptimize(outputs.data());
  }
  state.SetItemsProcessed(state.iterations() * layer.outputs());
}

/// Both operands and the instructions.
void build_bench(benchmark::State& state, const std::string& variant, const Layer& layer) {
  const Planned c(variant, layer);
  std::size_t bytes = 0;
  for (auto _ : state) {
    for (const MemorySegment& segment : c.core->build(*c.plan, c.data).segments) {
      bytes += segment.bytes.size();
    }
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}

void plan_bench(benchmark::State& state, const std::string& variant, const Layer& layer) {
  const Planned c(variant, layer);
  for (auto _ : state) benchmark::DoNotOptimize(c.core->plan(layer, Precision{}, 1));
  state.SetLabel(c.plan->key() + ", " + std::to_string(c.core->model(*c.plan).cycles) + " cycles");
}

void reference_bench(benchmark::State& state, const Layer& layer) {
  const LayerData data = random_layer_data(layer, Precision{}, 1, 1);
  for (auto _ : state) benchmark::DoNotOptimize(reference_outputs(layer, 1, data));
  state.SetItemsProcessed(state.iterations() * layer.macs());
}

void split_bench(benchmark::State& state, decltype(&split_bitplanes) split) {
  const std::vector<std::uint8_t> source(1 << 16, 0x5a);
  std::vector<std::uint64_t> planes(source.size() / 8);
  for (auto _ : state) {
    split(source.data(), source.size(), 8, planes.data(), source.size() / 64);
    benchmark::DoNotOptimize(planes.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(source.size()));
}

void register_all() {
  benchmark::RegisterBenchmark("split_bitplanes/fast", split_bench, &split_bitplanes);
  benchmark::RegisterBenchmark("split_bitplanes/portable", split_bench, &split_bitplanes_portable);
  for (const std::string variant :
       {"bismo_edge", "bismo_cloud", "stripes_edge", "bitfusion_edge", "bitfusion_cloud"}) {
    const bool matrix = variant.compare(0, 9, "bitfusion") != 0;
    for (const Layer& layer : layers()) {
      const std::string name = "/" + variant + "/" + layer.name;
      if (matrix) {
        benchmark::RegisterBenchmark(("pack_activations" + name).c_str(), pack_activations_bench,
                                     variant, layer);
        benchmark::RegisterBenchmark(("pack_weights" + name).c_str(), pack_weights_bench, variant,
                                     layer);
      }
      benchmark::RegisterBenchmark(("build" + name).c_str(), build_bench, variant, layer);
      benchmark::RegisterBenchmark(("unpack" + name).c_str(), unpack_bench, variant, layer);
      benchmark::RegisterBenchmark(("plan" + name).c_str(), plan_bench, variant, layer)
          ->Unit(benchmark::kMicrosecond);
    }
  }
  for (const Layer& layer : layers()) {
    benchmark::RegisterBenchmark(("reference/" + layer.name).c_str(), reference_bench, layer);
  }
}

}  // namespace
}  // namespace bittern

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  bittern::register_all();
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
