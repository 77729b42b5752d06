#include "host/execute/inference.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "host/base/error.h"
#include "host/base/phase.h"
#include "host/base/stop.h"
#include "host/base/stopwatch.h"
#include "host/execute/device_sums.h"
#include "host/integer/integer_executor.h"
#include "host/run/answer_check.h"

namespace bittern {
namespace {

/// Batches that go through a layer before the next layer begins, for each device: enough to keep it
/// busy, few enough for the host's memory.
constexpr std::size_t kBatchesADevice = 4;

void add(const LayerRun& run, Measurement& total) {
  total.cycles += run.cycles;
  for (const auto& [event, count] : run.events) total.events[event] += count;
  total.bytes_read += run.bytes_read;
  total.bytes_written += run.bytes_written;
  if (!run.remote.empty()) total.remote = run.remote;
}

/// A layer's part that is the same for every batch.
struct LayerPlan {
  PlannedLayer planned;
  DeviceSums sums;
};

class Run {
 public:
  Run(const QuantisedNetwork& network, const Variant& variant, const InferenceOptions& options)
      : network_(network),
        options_(options),
        executor_(network),
        measurer_(writing_sums(variant), options.measurer) {
    std::vector<LayerJob> jobs;
    for (std::size_t i = 0; i < network.layers.size(); ++i) {
      LayerJob job = network_job(measurer_.core(), measurer_.variant(), network.layers[i],
                                 network.precision[i].bits);
      job.precision.activation_signed = network.precision[i].activation_signed;
      jobs.push_back(job);
    }
    // Also what says that this device computes random tensors right.
    const std::vector<Measurement> measured = measurer_.measure(jobs);
    const std::vector<PlannedLayer> planned =
        measurer_.planner()->plan(jobs, options.measurer.runner.phases);
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      InferredLayer layer;
      layer.job = jobs[i];
      layer.bits = network.precision[i].bits;
      layer.measured = measured[i];
      layer.total.key = measured[i].key;
      layer.total.origin = measured[i].origin;
      layer.total.schedule = measured[i].schedule;
      layer.total.checked = true;
      out_.layers.push_back(std::move(layer));
      const auto node = static_cast<std::size_t>(network.layer_nodes[i]);
      plans_.push_back({planned[i], DeviceSums(network.layers[i], network.device_codes[i],
                                               network.nodes[node].weights)});
    }
    out_.rtl_hash = measurer_.identity().rtl_hash;
    out_.simulated = measurer_.simulated();
    if (measurer_.variant().key() != variant.key()) out_.requantise = "lowering.requantise";
  }

  Inference images(const std::vector<Bytes>& images) {
    const Stopwatch watch;
    const auto batch = static_cast<std::size_t>(measurer_.variant().batch);
    out_.batches = (images.size() + batch - 1) / batch;
    out_.blank_images = out_.batches * batch - images.size();
    const std::size_t total = out_.batches * plans_.size();
    Phase phase(options_.measurer.runner.phases,
                fmt::format("computing {} images on {}, {} runs of layers", images.size(),
                            measurer_.variant().name, total),
                {total, "runs"});
    phase_ = &phase;
    const std::size_t wave = kBatchesADevice * measurer_.pool().size() * batch;
    for (std::size_t first = 0; first < images.size() && !out_.difference; first += wave) {
      const std::size_t end = std::min(first + wave, images.size());
      this->wave({images.begin() + static_cast<std::ptrdiff_t>(first),
                  images.begin() + static_cast<std::ptrdiff_t>(end)},
                 first);
    }
    phase_ = nullptr;
    out_.seconds = watch.seconds();
    if (out_.difference) {
      out_.logits.clear();
      out_.difference->trace = trace_job(measurer_.core(), measurer_.pool(), failed_,
                                         options_.trace_folder, options_.measurer.runner.phases);
    }
    return std::move(out_);
  }

 private:
  /// An image on its way: as the devices compute it, and as integers do.
  struct Image {
    IntegerValues device;
    IntegerValues integer;
  };

  void wave(const std::vector<Bytes>& images, std::size_t first) {
    std::vector<Image> on_way;
    for (const Bytes& image : images) {
      on_way.push_back({executor_.begin(image), executor_.begin(image)});
    }
    // Blank images fill the last batch.
    const std::vector<std::uint8_t> blank(
        static_cast<std::size_t>(network_.graph.input.elements()));
    while (on_way.size() % static_cast<std::size_t>(measurer_.variant().batch) != 0) {
      on_way.push_back({executor_.begin(blank), executor_.begin(blank)});
    }
    for (std::size_t node = 0; node < network_.graph.nodes.size(); ++node) {
      throw_if_stopped();
      const int layer = executor_.layer_of_node(node);
      if (layer >= 0) {
        run_layer(static_cast<std::size_t>(layer), first, on_way);
        if (out_.difference) return;
        continue;
      }
      for (Image& image : on_way) {
        executor_.compute(node, image.device);
        executor_.compute(node, image.integer);
      }
    }
    for (std::size_t i = 0; i < images.size(); ++i) {
      out_.logits.push_back(executor_.answer(on_way[i].device));
      if (out_.logits.back() != executor_.answer(on_way[i].integer)) {
        fail("image {}: the answers differ although no sum of a layer does", first + i);
      }
    }
  }

  void run_layer(std::size_t layer, std::size_t first, std::vector<Image>& images) {
    const LayerPlan& plan = plans_[layer];
    const auto batch = static_cast<std::size_t>(measurer_.variant().batch);
    std::vector<PlannedLayer> runs;
    for (std::size_t b = 0; b < images.size() / batch; ++b) {
      auto data = std::make_shared<LayerData>();
      data->weights = plan.sums.weights();
      for (std::size_t i = b * batch; i < (b + 1) * batch; ++i) {
        const std::vector<std::int16_t> input =
            plan.sums.activations(executor_.layer_input(layer, images[i].device));
        data->activations.insert(data->activations.end(), input.begin(), input.end());
      }
      runs.push_back(plan.planned);
      runs.back().job.data = std::move(data);
    }
    RunnerOptions options = options_.measurer.runner;
    options.phases = nullptr;  // one meter for all of it
    run_layers(
        measurer_.core(), measurer_.pool(), runs,
        [&](std::size_t b, const PreparedLayer& prepared, const LayerRun& run) {
          take(layer, first, b, prepared, run, images);
        },
        options);
  }

  /// The answer of a device to one batch.
  void take(std::size_t layer, std::size_t first, std::size_t b, const PreparedLayer& prepared,
            const LayerRun& run, std::vector<Image>& images) {
    InferredLayer& out = out_.layers[layer];
    const auto batch = static_cast<std::size_t>(measurer_.variant().batch);
    ++out_.runs;
    ++out.runs;
    add(run, out.total);
    for (const MemorySegment& segment : prepared.program.segments) {
      out.bytes_to_device += segment.bytes.size();
    }
    out.bytes_from_device += prepared.program.result_bytes;
    if (phase_ != nullptr) phase_->advance();
    if (!run.remote.empty()) {
      check_closed_form(run, prepared.planned, measurer_.identity().kind);
    }
    InferenceDifference found;
    found.layer = layer;
    found.image = first + b * batch;
    if (run.fault) {
      found.fault = *run.fault;
    } else if (run.cycles != out.measured.cycles) {
      found.fault =
          fmt::format("took {} cycles, with random tensors {}", run.cycles, out.measured.cycles);
    } else if (run.difference) {
      // What integers say of the whole batch, from other code than the executor's.
      const auto each = static_cast<std::size_t>(network_.layers[layer].outputs());
      found.image += run.difference->index / each;
      found.index = run.difference->index % each;
      found.expected = run.difference->expected;
      found.got = run.difference->got;
      found.count = run.difference->count;
    } else {
      for (std::size_t i = 0; i < batch; ++i) {
        finish(layer, run.outputs, i, images[b * batch + i], found);
        if (found.count > 0) {
          found.image = first + b * batch + i;
          break;
        }
      }
    }
    if (found.count == 0 && found.fault.empty()) return;
    if (out_.difference && out_.difference->image <= found.image) return;
    out_.difference = found;
    failed_ = prepared.planned.job;
  }

  /// Image `place` of a batch's outputs.
  void finish(std::size_t layer, const std::vector<std::int32_t>& outputs, std::size_t place,
              Image& image, InferenceDifference& found) const {
    const auto each = static_cast<std::size_t>(network_.layers[layer].outputs());
    const DeviceSums& made = plans_[layer].sums;
    const Span<const std::int32_t> of_device =
        Span<const std::int32_t>(outputs).subspan(place * each, each);
    const std::vector<std::int32_t> sums =
        made.sums(of_device, made.activations(executor_.layer_input(layer, image.device)));
    const std::vector<std::int32_t> expected =
        executor_.layer_sums(layer, executor_.layer_input(layer, image.integer));
    for (std::size_t k = 0; k < each; ++k) {
      if (sums[k] == expected[k]) continue;
      if (found.count++ > 0) continue;
      found.index = k;
      found.expected = expected[k];
      found.got = sums[k];
    }
    executor_.finish_layer(layer, sums, image.device);
    executor_.finish_layer(layer, expected, image.integer);
  }

  const QuantisedNetwork& network_;
  const InferenceOptions& options_;
  const IntegerExecutor executor_;
  Measurer measurer_;
  std::vector<LayerPlan> plans_;
  Phase* phase_ = nullptr;
  LayerJob failed_;
  Inference out_;
};

}  // namespace

std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> InferredLayer::data_dependent()
    const {
  std::map<std::string, std::pair<std::uint64_t, std::uint64_t>> found;
  for (const auto& [event, count] : total.events) {
    const auto random = measured.events.find(event);
    const std::uint64_t expected = random == measured.events.end() ? 0 : random->second * runs;
    if (count != expected) found[event] = {count, expected};
  }
  return found;
}

Variant writing_sums(Variant variant) {
  variant.lowering.erase("requantise");
  return variant;
}

Inference infer(const QuantisedNetwork& network, const Variant& variant,
                const std::vector<Bytes>& images, const InferenceOptions& options) {
  if (images.empty()) fail_usage("no images to compute");
  return Run(network, variant, options).images(images);
}

}  // namespace bittern
