#include "host/device/device_pool.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <stdexcept>

#include "host/base/stop.h"

namespace bittern {

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

std::unique_ptr<Device> DevicePool::make(const Slot& slot) {
  auto device = slot.endpoint ? connect_device(*slot.endpoint, variant_, options_)
                              : start_device(variant_, options_);
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

DevicePool::Lease DevicePool::acquire() {
  std::unique_lock lock(mutex_);
  while (true) {
    throw_if_stopped();
    // A device that runs is preferred to one that would have to be started.
    Slot* best = nullptr;
    for (Slot& slot : slots_) {
      if (!slot.busy && (!best || (!best->device && slot.device))) best = &slot;
    }
    if (best) {
      const std::size_t index = static_cast<std::size_t>(best - slots_.data());
      best->busy = true;
      std::unique_ptr<Device> device = std::move(best->device);
      lock.unlock();
      Lease lease(this, index, std::move(device));  // gives the slot back if make() throws
      if (!lease.device_) lease.device_ = make(slots_[index]);
      return lease;
    }
    freed_.wait_for(lock, std::chrono::milliseconds(200));
  }
}

void DevicePool::give_back(std::size_t index, std::unique_ptr<Device> device) {
  std::unique_ptr<Device> lost;  // destroyed outside the lock: that may take a moment
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

void DevicePool::with_device(const std::string& what, const std::function<void(Device&)>& job) {
  try {
    const Lease lease = acquire();
    return job(*lease);
  } catch (const DeviceError& error) {
    spdlog::warn("{}\nrepeating {} on a fresh device", error.what(), what);
  }
  const Lease lease = acquire();
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
