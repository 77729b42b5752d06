#include "host/run/measurer.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <climits>
#include <map>

#include "host/base/error.h"
#include "host/base/processors.h"
#include "host/base/version.h"
#include "host/cores/cores.h"
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

Measurer::Measurer(Variant variant, MeasurerOptions options)
    : variant_(std::move(variant)), options_(std::move(options)), core_(make_core(variant_)) {
  if (options_.use_store) {
    store_ = std::make_unique<MeasurementStore>(
        options_.store.empty() ? MeasurementStore::default_path() : options_.store);
  }
  pool_ = make_pool(variant_, options_);
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

MeasurementKey Measurer::key_of(const LayerJob& job, const std::string& schedule) {
  MeasurementKey key;
  key.variant = variant_.name;
  key.variant_key = variant_.key();
  key.rtl_hash = identity().rtl_hash;
  key.origin = identity().kind == DeviceKind::kBoard ? Origin::kBoard : Origin::kRtl;
  key.layer_key = job.layer.key();
  key.precision = job.precision;
  key.batch = job.batch;
  key.schedule = schedule;
  key.lowering_version = core_->lowering_version();
  return key;
}

std::vector<Measurement> Measurer::measure(const std::vector<LayerJob>& jobs) {
  const std::vector<PlannedLayer> planned =
      plan_layers(*core_, jobs, default_workers(), options_.runner.phases);
  std::vector<Measurement> results(jobs.size());
  std::map<std::string, std::vector<std::size_t>> places;  // by content key
  std::vector<MeasurementKey> keys;
  std::vector<PlannedLayer> missing;
  for (std::size_t i = 0; i < planned.size(); ++i) {
    const MeasurementKey key = key_of(planned[i].job, planned[i].plan->key());
    std::vector<std::size_t>& same = places[key.hex()];
    same.push_back(i);
    if (same.size() > 1) continue;
    if (store_) {
      if (std::optional<Measurement> known = store_->find(key)) {
        spdlog::debug("{}: {} cycles, in the store as {}", job_name(planned[i].job), known->cycles,
                      known->key.substr(0, kShownKey));
        results[i] = std::move(*known);
        ++recalled_;
        continue;
      }
    }
    keys.push_back(key);
    missing.push_back(planned[i]);
  }

  if (store_ && !missing.empty()) {
    store_->require_writable(
        fmt::format("has {} of the {} measurements that are needed, and cannot "
                    "take the others",
                    places.size() - missing.size(), places.size()));
  }
  const std::string tools = tools_text(identity());
  const auto done = [&](std::size_t i, const PreparedLayer& layer, const LayerRun& run) {
    if (run.fault || run.difference) throw WrongResult(layer, run, variant_);
    if (!run.remote.empty()) check_closed_form(run, layer.planned, identity().kind);
    Measurement measurement;
    measurement.key = keys[i].hex();
    measurement.cycles = run.cycles;
    measurement.events = run.events;
    measurement.bytes_read = run.bytes_read;
    measurement.bytes_written = run.bytes_written;
    measurement.origin = keys[i].origin;
    measurement.schedule = keys[i].schedule;
    measurement.checked = true;
    measurement.remote = run.remote;
    if (store_) store_->put(keys[i], measurement, tools);
    spdlog::debug("{}: {} cycles on {}", job_name(layer.planned.job), run.cycles, variant_.name);
    results[places.at(measurement.key).front()] = std::move(measurement);
    ++simulated_;
  };
  run_layers(*core_, *pool_, missing, done, options_.runner);

  for (const auto& [key, same] : places) {
    for (const std::size_t i : same) {
      if (i != same.front()) results[i] = results[same.front()];
    }
  }
  return results;
}

}  // namespace bittern
