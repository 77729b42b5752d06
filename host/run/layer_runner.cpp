#include "host/run/layer_runner.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <numeric>
#include <thread>

#include "host/base/stop.h"

namespace bittern {
namespace {

/// Threads that are joined, whatever happens.
class Threads {
 public:
  ~Threads() {
    for (std::thread& thread : threads_) thread.join();
  }
  template <typename Function>
  void start(Function function) {
    threads_.emplace_back(std::move(function));
  }

 private:
  std::vector<std::thread> threads_;
};

/// The state that preparing threads and device threads share.
class Batch {
 public:
  using Done = std::function<void(std::size_t, const PreparedLayer&, const LayerRun&)>;

  Batch(const Core& core, DevicePool& pool, const std::vector<PlannedLayer>& layers,
        const Done& done, const RunnerOptions& options)
      : core_(core),
        pool_(pool),
        layers_(layers),
        done_(done),
        budget_(options.memory_budget_bytes),
        order_(layers.size()),
        phase_(options.phases,
               fmt::format("simulating {} layer{} on {}, {} cycles", layers.size(),
                           layers.size() == 1 ? "" : "s", pool.variant().name,
                           count_text(total_cycles(layers))),
               {total_cycles(layers), "cycles"}) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::stable_sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
      return layers[a].predicted.cycles > layers[b].predicted.cycles;
    });
    workers_ = std::min(pool.size(), layers.size());
  }

  void run() {
    {
      Threads threads;
      const std::size_t preparing = std::max<std::size_t>(1, workers_ / 4);
      guarded([&] {  // when one cannot start, those that did end
        for (std::size_t i = 0; i < preparing; ++i) {
          threads.start([this] { guarded([this] { prepare_all(); }); });
        }
        for (std::size_t i = 0; i < workers_; ++i) {
          threads.start([this] { guarded([this] { run_all(); }); });
        }
      });
    }
    if (error_) std::rethrow_exception(error_);
  }

 private:
  struct Ready {
    std::size_t index;
    std::uint64_t bytes;
    PreparedLayer layer;
  };

  static std::uint64_t total_cycles(const std::vector<PlannedLayer>& layers) {
    std::uint64_t total = 0;
    for (const PlannedLayer& layer : layers) total += layer.predicted.cycles;
    return total;
  }

  /// What ends the other runs after the first failure. Nobody sees it.
  struct Abandoned {};

  template <typename Function>
  void guarded(Function function) {
    try {
      function();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
      failed_ = true;
    }
    changed_.notify_all();
  }

  /// Looked at all the time while devices run: nobody waits for hours for what is not wanted.
  void give_up_when_failed() const {
    throw_if_stopped();
    if (failed_) throw Abandoned{};
  }

  void prepare_all() {
    while (true) {
      std::size_t index = 0;
      std::uint64_t bytes = 0;
      {
        std::unique_lock lock(mutex_);
        if (error_ || next_ == order_.size()) return;
        index = order_[next_++];
        bytes = memory_estimate(layers_[index].job);
        // At most one layer waits for every device, and memory is bounded.
        changed_.wait(lock, [&] {
          return error_ || (waiting_ < workers_ && (used_ == 0 || used_ + bytes <= budget_));
        });
        if (error_) return;
        ++waiting_;
        used_ += bytes;
      }
      throw_if_stopped();
      Ready ready{index, bytes, prepare_layer(core_, layers_[index])};
      {
        const std::lock_guard lock(mutex_);
        ready_.push_back(std::move(ready));
      }
      changed_.notify_all();
    }
  }

  void run_all() {
    while (true) {
      Ready ready;
      {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return error_ || !ready_.empty() || taken_ == order_.size(); });
        if (error_ || ready_.empty()) return;
        ready = std::move(ready_.front());
        ready_.pop_front();
        --waiting_;
        if (++taken_ == order_.size()) changed_.notify_all();
      }
      changed_.notify_all();
      run_one(ready);
      {
        const std::lock_guard lock(mutex_);
        used_ -= ready.bytes;
      }
      changed_.notify_all();
    }
  }

  void run_one(const Ready& ready) {
    const PlannedLayer& planned = layers_[ready.index];
    std::uint64_t shown = 0;
    const auto progress = [&](std::uint64_t cycles) {
      // The meter's total is what the closed form says.
      const std::uint64_t now = std::min(cycles, planned.predicted.cycles);
      if (now > shown) phase_.advance(now - shown);
      shown = std::max(shown, now);
    };
    LayerRun run;
    pool_.with_device(
        job_name(planned.job),
        [&](Device& device) {
          run = run_layer(device, core_, pool_.variant(), ready.layer, progress);
        },
        [this] { give_up_when_failed(); });
    progress(planned.predicted.cycles);
    const std::lock_guard lock(done_mutex_);
    phase_.note(fmt::format("{}/{} layers", ++finished_, layers_.size()));
    done_(ready.index, ready.layer, run);
  }

  const Core& core_;
  DevicePool& pool_;
  const std::vector<PlannedLayer>& layers_;
  const Done& done_;
  const std::uint64_t budget_;
  std::vector<std::size_t> order_;  // longest first
  std::size_t workers_ = 1;
  Phase phase_;

  std::mutex done_mutex_;
  std::size_t finished_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::exception_ptr error_;
  std::atomic<bool> failed_{false};  // error_ is set
  std::deque<Ready> ready_;
  std::size_t next_ = 0;     // in order_, to be prepared
  std::size_t taken_ = 0;    // handed to devices
  std::size_t waiting_ = 0;  // being prepared or in ready_
  std::uint64_t used_ = 0;   // bytes prepared or running
};

}  // namespace

void run_layers(const Core& core, DevicePool& pool, const std::vector<PlannedLayer>& layers,
                const std::function<void(std::size_t, const PreparedLayer&, const LayerRun&)>& done,
                const RunnerOptions& options) {
  if (layers.empty()) return;
  Batch(core, pool, layers, done, options).run();
}

std::vector<PlannedLayer> plan_layers(const Core& core, const std::vector<LayerJob>& jobs,
                                      std::size_t threads, const std::shared_ptr<Phases>& phases) {
  std::vector<std::size_t> distinct;  // in jobs
  std::vector<std::size_t> same_as(jobs.size());
  std::map<std::string, std::size_t> places;  // in distinct
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const LayerJob& job = jobs[i];
    const std::string key =
        fmt::format("{} {} {}", job.layer.key(), job.precision.key(), job.batch);
    const auto [place, is_new] = places.emplace(key, distinct.size());
    if (is_new) distinct.push_back(i);
    same_as[i] = place->second;
  }
  Phase phase(phases,
              fmt::format("planning {} layer{}", distinct.size(), distinct.size() == 1 ? "" : "s"),
              {distinct.size(), "plans"});
  std::vector<PlannedLayer> plans(distinct.size());
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr error;
  {
    Threads workers;
    for (std::size_t t = 0; t < std::min(std::max<std::size_t>(threads, 1), plans.size()); ++t) {
      workers.start([&] {
        try {
          for (std::size_t i = next++; i < plans.size(); i = next++) {
            throw_if_stopped();
            const LayerJob& job = jobs[distinct[i]];
            plans[i] = plan_layer(core, job);
            spdlog::debug("{}: {}, closed form {} cycles", job_name(job), plans[i].plan->key(),
                          plans[i].predicted.cycles);
            phase.advance();
          }
        } catch (...) {
          const std::lock_guard lock(mutex);
          if (!error) error = std::current_exception();
          next = plans.size();
        }
      });
    }
  }
  if (error) std::rethrow_exception(error);
  std::vector<PlannedLayer> planned;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    planned.push_back(plans[same_as[i]]);
    planned.back().job = jobs[i];
  }
  return planned;
}

}  // namespace bittern
