#include "host/run/measurer.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <climits>
#include <map>

#include "host/base/error.h"
#include "host/base/processors.h"
#include "host/base/version.h"
#include "host/run/answer_check.h"

namespace bittern {
namespace {

/// Digits of a key that tell it from others for people.
constexpr std::size_t kShownKey = 12;

std::string wrong_text(const PreparedLayer& layer, const LayerRun& run, const Variant& variant) {
  const LayerJob& job = layer.planned.job;
  const std::string where =
      fmt::format("{} on {} (schedule {})", job_name(job), variant.name, layer.planned.plan->key());
  if (run.fault) {
    return fmt::format("{}: {}; run 'bittern validate --variant {}'", where, *run.fault,
                       variant.name);
  }
  const Difference& d = *run.difference;
  return fmt::format(
      "{}: output {} {} is {}, expected {}; {} of {} outputs differ from the integer reference. "
      "The "
      "RTL or the lowering is wrong: run 'bittern validate --variant {}' for a trace",
      where, d.index, output_position(job.layer, d.index), d.got, d.expected, d.count,
      layer.expected.size(), variant.name);
}

std::unique_ptr<DevicePool> make_pool(const Variant& variant, const MeasurerOptions& options) {
  if (!options.endpoints.empty()) {
    return std::make_unique<DevicePool>(variant, options.endpoints, options.device);
  }
  const int asked = static_cast<int>(std::min<std::size_t>(options.workers, INT_MAX));
  const auto workers = static_cast<std::size_t>(worker_count(asked, "workers"));
  return std::make_unique<DevicePool>(variant, workers, options.device);
}

}  // namespace

std::size_t default_workers() { return static_cast<std::size_t>(processors()); }

std::string tools_text(const DeviceIdentity& identity) {
  std::string text = fmt::format("bittern {} ({})", version(), source_revision());
  for (const auto& [tool, about] : identity.tools) text += fmt::format(", {} {}", tool, about);
  return text;
}

LayerJob network_job(const Core& core, const Variant& variant, const Layer& layer, BitPair bits) {
  for (const int width : {bits.weight, bits.activation}) {
    if (width < 1 || width > core.max_bits()) {
      fail_usage("layer {}: {} bits, expected 1 to {} on variant {} (core {})", layer.name, width,
                 core.max_bits(), variant.name, variant.core);
    }
  }
  LayerJob job;
  job.layer = layer;
  job.precision.bits = core.supported(bits);
  job.precision.activation_signed = layer.signed_input;
  job.batch = variant.batch;
  return job;
}

WrongResult::WrongResult(const PreparedLayer& layer, const LayerRun& run, const Variant& variant)
    : Error(wrong_text(layer, run, variant)) {}

Measurer::Measurer(Variant variant, MeasurerOptions options) : options_(std::move(options)) {
  if (options_.use_store) {
    store_ = std::make_shared<MeasurementStore>(
        options_.store.empty() ? MeasurementStore::default_path() : options_.store);
  }
  planner_ = std::make_shared<Planner>(std::move(variant), store_);
  pool_ = make_pool(planner_->variant(), options_);
}

Measurer::~Measurer() = default;

std::filesystem::path Measurer::store_path() const {
  return store_ ? store_->path() : std::filesystem::path();
}

const DeviceIdentity& Measurer::identity() {
  const std::lock_guard lock(mutex_);
  if (!identity_) identity_ = pool_->identity();
  return *identity_;
}

MeasurementKey Measurer::key_of(const LayerJob& job) {
  return key_of(job, planner_->know({job}).front());
}

MeasurementKey Measurer::key_of(const LayerJob& job, const KnownPlan& plan) {
  MeasurementKey key;
  key.variant = variant().name;
  key.variant_key = variant().key();
  key.rtl_hash = identity().rtl_hash;
  key.origin = identity().kind == DeviceKind::kBoard ? Origin::kBoard : Origin::kRtl;
  key.layer_key = job.layer.key();
  key.precision = job.precision;
  key.batch = job.batch;
  key.result_bits = plan.result_bits;
  key.result_signed = plan.result_signed;
  key.program = plan.program;
  key.schedule = plan.schedule;
  return key;
}

std::vector<Measurement> Measurer::measure(const std::vector<LayerJob>& jobs) {
  const std::vector<KnownPlan> plans = planner_->know(jobs, options_.runner.phases);
  std::vector<Measurement> results(jobs.size());
  std::map<std::string, std::vector<std::size_t>> places;  // by content key
  std::vector<LayerJob> missing;
  std::vector<std::size_t> missing_places;  // the first of each in jobs
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const MeasurementKey key = key_of(jobs[i], plans[i]);
    std::vector<std::size_t>& same = places[key.hex()];
    same.push_back(i);
    if (same.size() > 1) continue;
    if (store_) {
      if (std::optional<Measurement> known = store_->find(key)) {
        spdlog::debug("{}: {} cycles, in the store as {}", job_name(jobs[i]), known->cycles,
                      known->key.substr(0, kShownKey));
        results[i] = std::move(*known);
        ++recalled_;
        continue;
      }
    }
    missing.push_back(jobs[i]);
    missing_places.push_back(i);
  }

  if (store_ && !missing.empty()) {
    store_->require_writable(
        fmt::format("has {} of the {} measurements that are needed, and cannot "
                    "take the others",
                    places.size() - missing.size(), places.size()));
  }
  const std::string tools = tools_text(identity());
  const std::vector<PlannedLayer> planned = planner_->plan(missing, options_.runner.phases);
  const auto done = [&](std::size_t i, const PreparedLayer& layer, const LayerRun& run) {
    if (run.fault || run.difference) throw WrongResult(layer, run, variant());
    if (!run.remote.empty()) check_closed_form(run, layer.planned, identity().kind);
    // Of the plan that ran, whatever the store knew of it.
    const MeasurementKey key = key_of(layer.planned.job, known_plan(layer.planned));
    Measurement measurement;
    measurement.key = key.hex();
    measurement.cycles = run.cycles;
    measurement.events = run.events;
    measurement.bytes_read = run.bytes_read;
    measurement.bytes_written = run.bytes_written;
    measurement.origin = key.origin;
    measurement.schedule = key.schedule;
    measurement.checked = true;
    measurement.remote = run.remote;
    if (store_) store_->put(key, measurement, tools);
    spdlog::debug("{}: {} cycles on {}", job_name(layer.planned.job), run.cycles, variant().name);
    results[missing_places[i]] = std::move(measurement);
    ++simulated_;
  };
  run_layers(core(), *pool_, planned, done, options_.runner);

  for (const auto& [key, same] : places) {
    for (const std::size_t i : same) {
      if (i != same.front()) results[i] = results[same.front()];
    }
  }
  return results;
}

}  // namespace bittern
