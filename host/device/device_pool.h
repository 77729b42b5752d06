#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/device/start.h"

namespace bittern {

/// Up to `size` devices of one variant, started when they are first needed, each for one job at a
/// time. A device that was lost is replaced by a fresh one. All devices of a pool have the same RTL
/// hash: one that was rebuilt in the meantime is an error, not a silent mixture. Thread-safe.
///
/// Devices that run elsewhere may be away. One that cannot be reached is named in one warning and
/// left out; after DeviceOptions::unreachable_rest it is tried again. One that serves somebody else
/// is asked again, more and more seldom, while others work; when there is no other, for
/// DeviceOptions::busy_patience. When none is left, all are tried once more, and then it is an
/// error.
class DevicePool {
 public:
  /// Called about ten times a second while a call waits, for a free device or for an answer. What
  /// it throws ends the wait; a device whose answer was waited for is given up (the process is
  /// killed). Empty: throw_if_stopped().
  using Check = std::function<void()>;

  /// `endpoints`: devices that run elsewhere, one each, instead of processes of ours.
  DevicePool(Variant variant, std::size_t size, DeviceOptions options = {});
  DevicePool(Variant variant, std::vector<Endpoint> endpoints, DeviceOptions options = {});
  /// All leases have to be given back before.
  ~DevicePool();
  DevicePool(const DevicePool&) = delete;
  DevicePool& operator=(const DevicePool&) = delete;

  /// A device for as long as this object lives.
  class Lease {
   public:
    Lease(Lease&& other) noexcept;
    Lease& operator=(Lease&&) = delete;
    ~Lease();
    Device& operator*() const { return *device_; }
    Device* operator->() const { return device_.get(); }

   private:
    friend class DevicePool;
    Lease(DevicePool* pool, std::size_t slot, std::unique_ptr<Device> device)
        : pool_(pool), slot_(slot), device_(std::move(device)) {}
    DevicePool* pool_;
    std::size_t slot_;
    std::unique_ptr<Device> device_;
  };

  /// Waits for a free device; starts one when a slot has none. Throws as start_device() and
  /// connect_device() do, what `check` throws, and DeviceError when no device that runs elsewhere
  /// is left.
  Lease acquire(const Check& check = {});

  /// Runs `job` on a device. When the device is lost (DeviceError), the job runs once more on a
  /// fresh one, and a warning is logged; a second loss is thrown. `job` must be repeatable. `what`
  /// names it in the log.
  void with_device(const std::string& what, const std::function<void(Device&)>& job,
                   const Check& check = {});

  const Variant& variant() const { return variant_; }
  std::size_t size() const { return slots_.size(); }
  /// Identity of its devices; starts one when none was started yet.
  DeviceIdentity identity();
  /// Devices that were lost so far.
  std::size_t lost() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Slot {
    std::optional<Endpoint> endpoint;
    std::unique_ptr<Device> device;
    bool busy = false;  ///< leased, or being made

    // Of an endpoint that could not be used when it was last tried.
    std::string problem;      ///< what it said; empty: nothing is known against it
    bool elsewhere = false;   ///< it serves somebody else ...
    Clock::time_point since;  ///< ... since then, as far as we know
    Clock::time_point again;  ///< not to be tried before
  };
  std::unique_ptr<Device> make(const Slot& slot, const Check& check);
  void give_back(std::size_t slot, std::unique_ptr<Device> device);
  Slot* choose(const std::set<std::size_t>& tried);
  bool may_come_free() const;
  void set_aside(Slot& slot, const std::string& problem, bool elsewhere);
  [[noreturn]] void fail_none_left() const;
  std::size_t index_of(const Slot& slot) const {
    return static_cast<std::size_t>(&slot - slots_.data());
  }

  const Variant variant_;
  const DeviceOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<Slot> slots_;
  std::optional<DeviceIdentity> identity_;
  std::size_t lost_ = 0;
};

}  // namespace bittern
