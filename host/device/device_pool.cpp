#include "host/device/device_pool.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <stdexcept>

#include "host/base/stop.h"

namespace bittern {
namespace {

using std::chrono::milliseconds;

/// How often a wait for a free device looks at its check.
constexpr milliseconds kCheckEvery{100};
/// A busy device is asked again after a quarter of the time that it was busy so far, within these.
constexpr milliseconds kAskSoonest{50};
constexpr milliseconds kAskLatest{2000};

}  // namespace

DevicePool::DevicePool(Variant variant, std::size_t size, DeviceOptions options)
    : variant_(std::move(variant)), options_(std::move(options)), slots_(size) {
  if (size == 0) throw std::logic_error("a device pool needs at least one device");
}

DevicePool::DevicePool(Variant variant, std::vector<Endpoint> endpoints, DeviceOptions options)
    : DevicePool(std::move(variant), endpoints.size(), std::move(options)) {
  for (std::size_t i = 0; i < endpoints.size(); ++i) slots_[i].endpoint = std::move(endpoints[i]);
}

DevicePool::~DevicePool() = default;

DevicePool::Lease::Lease(Lease&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)),
      slot_(other.slot_),
      device_(std::move(other.device_)) {}

DevicePool::Lease::~Lease() {
  if (pool_) pool_->give_back(slot_, std::move(device_));
}

std::unique_ptr<Device> DevicePool::make(const Slot& slot, const Check& check) {
  DeviceOptions options = options_;
  options.client.check = check;
  auto device = slot.endpoint ? connect_device(*slot.endpoint, variant_, options)
                              : start_device(variant_, options);
  const std::lock_guard lock(mutex_);
  if (!identity_) identity_ = device->identity();
  if (identity_->rtl_hash != device->identity().rtl_hash) {
    fail(
        "device {} has RTL hash {}, but another one of the same run has {}: it was rebuilt, or two "
        "machines run different versions; start again with one version",
        device->name(), device->identity().rtl_hash, identity_->rtl_hash);
  }
  return device;
}

/// The best free slot, null when there is none for now: a device that runs is preferred to one that
/// would have to be started or reached, and that to one that could not be reached before. `tried`:
/// slots that failed in this call.
DevicePool::Slot* DevicePool::choose(const std::set<std::size_t>& tried) {
  const Clock::time_point now = Clock::now();
  Slot* best = nullptr;
  int best_rank = 3;
  for (Slot& slot : slots_) {
    if (slot.busy) continue;
    const int rank = slot.device ? 0 : slot.problem.empty() ? 1 : 2;
    if (rank == 2 && now < slot.again) continue;
    if (rank < best_rank) {
      best = &slot;
      best_rank = rank;
    }
  }
  if (best || may_come_free()) return best;
  for (Slot& slot : slots_) {
    if (tried.count(index_of(slot)) == 0) return &slot;
  }
  fail_none_left();
}

bool DevicePool::may_come_free() const {
  const Clock::time_point now = Clock::now();
  return std::any_of(slots_.begin(), slots_.end(), [&](const Slot& slot) {
    return slot.busy || (slot.elsewhere && now - slot.since < options_.busy_patience);
  });
}

void DevicePool::fail_none_left() const {
  if (slots_.size() == 1) {
    const Slot& slot = slots_.front();
    if (!slot.elsewhere) throw DeviceError(slot.problem);
    throw DeviceBusy(fmt::format("{}; waited for it for {:.0f} s", slot.problem,
                                 std::chrono::duration<double>(options_.busy_patience).count()));
  }
  std::string text =
      fmt::format("none of the {} devices of {} can be used:", slots_.size(), variant_.name);
  for (const Slot& slot : slots_) text += "\n  " + slot.problem;
  throw DeviceError(text);
}

void DevicePool::set_aside(Slot& slot, const std::string& problem, bool elsewhere) {
  const Clock::time_point now = Clock::now();
  const bool known = !slot.problem.empty() && slot.elsewhere == elsewhere;
  if (!known) {
    slot.since = now;
    if (slots_.size() > 1) {
      spdlog::warn("{}\nthe other devices go on without it; it is asked again from time to time",
                   problem);
    } else if (elsewhere) {
      spdlog::warn("{}; waiting for it", problem);
    }
  }
  slot.problem = problem;
  slot.elsewhere = elsewhere;
  const auto busy_for = std::chrono::duration_cast<milliseconds>(now - slot.since);
  slot.again = now + (elsewhere ? std::clamp(busy_for / 4, kAskSoonest, kAskLatest)
                                : options_.unreachable_rest);
}

DevicePool::Lease DevicePool::acquire(const Check& given) {
  const Check check = given ? given : throw_if_stopped;
  std::set<std::size_t> tried;
  std::unique_lock lock(mutex_);
  while (true) {
    check();
    Slot* best = choose(tried);
    if (!best) {
      freed_.wait_for(lock, kCheckEvery);
      continue;
    }
    const std::size_t index = index_of(*best);
    best->busy = true;
    std::unique_ptr<Device> device = std::move(best->device);
    lock.unlock();
    Lease lease(this, index, std::move(device));  // gives the slot back if make() throws
    // A device elsewhere drops clients that have nothing to do, so that others get their turn.
    if (lease.device_ && best->endpoint && lease.device_->hung_up()) lease.device_.reset();
    if (lease.device_) {
      lease.device_->on_wait(check);
      return lease;
    }
    std::string problem;
    bool elsewhere = false;
    try {
      lease.device_ = make(*best, check);
    } catch (const DeviceError& error) {
      if (!best->endpoint) throw;
      problem = error.what();
      elsewhere = dynamic_cast<const DeviceBusy*>(&error) != nullptr;
    }
    lock.lock();
    if (lease.device_) {
      if (!best->problem.empty()) spdlog::info("device {} works again", lease.device_->name());
      best->problem.clear();
      best->elsewhere = false;
      return lease;
    }
    set_aside(*best, problem, elsewhere);
    tried.insert(index);
    lock.unlock();  // the lease takes the lock to give its slot back
    { const Lease done = std::move(lease); }
    lock.lock();
  }
}

void DevicePool::give_back(std::size_t index, std::unique_ptr<Device> device) {
  std::unique_ptr<Device> lost;  // destroyed outside the lock: that may take a moment
  if (device) device->on_wait({});
  {
    const std::lock_guard lock(mutex_);
    Slot& slot = slots_[index];
    slot.busy = false;
    if (device && !device->usable()) {
      ++lost_;
      lost = std::move(device);
    }
    slot.device = std::move(device);
  }
  freed_.notify_one();
}

void DevicePool::with_device(const std::string& what, const std::function<void(Device&)>& job,
                             const Check& check) {
  bool began = false;
  try {
    const Lease lease = acquire(check);
    began = true;
    return job(*lease);
  } catch (const DeviceError& error) {
    if (!began && slots_.front().endpoint) throw;  // none is left, after all were tried
    spdlog::warn("{}\nrepeating {} on a fresh device", error.what(), what);
  }
  const Lease lease = acquire(check);
  job(*lease);
}

DeviceIdentity DevicePool::identity() {
  {
    const std::lock_guard lock(mutex_);
    if (identity_) return *identity_;
  }
  acquire();
  const std::lock_guard lock(mutex_);
  return *identity_;
}

std::size_t DevicePool::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

}  // namespace bittern
