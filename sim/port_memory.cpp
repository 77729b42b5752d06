#include "sim/port_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>

#include "host/base/error.h"

namespace bittern::sim {
namespace {

// Bit numbers of sim_memory_pkg.sv.
constexpr std::uint32_t kAddressAccepted = 1;
constexpr std::uint32_t kBeatAccepted = 2;
constexpr std::uint32_t kResponseAccepted = 4;
constexpr std::uint32_t kAddressReady = 1u << 0;
constexpr std::uint32_t kRvalid = 1u << 1;
constexpr std::uint32_t kRlast = 1u << 2;
constexpr std::uint32_t kWready = 1u << 1;
constexpr std::uint32_t kBvalid = 1u << 2;
constexpr std::uint32_t kSlverr = 2u << 3;
constexpr std::uint32_t kActive = 1u << 5;
constexpr std::uint32_t kNewBeat = 1u << 6;

MemoryTiming checked(const MemoryTiming& timing) {
  if (timing.size_bytes == 0 || timing.size_bytes > (std::uint64_t{1} << 32)) {
    fail("memory of {} bytes: expected 1 byte to 4 GiB (addresses have 32 bits)",
         timing.size_bytes);
  }
  if (timing.latency < 1 || timing.latency > 100000) {
    fail("memory latency of {} cycles: expected 1 to 100000", timing.latency);
  }
  if (timing.bytes_per_cycle < 1) {
    fail("memory with 0 bytes a cycle: expected at least 1");
  }
  if (timing.outstanding < 1 || timing.outstanding > 64) {
    fail("memory with {} outstanding bursts a port: expected 1 to 64", timing.outstanding);
  }
  return timing;
}

}  // namespace

void Storage::Unmap::operator()(std::uint8_t* bytes) const { munmap(bytes, size); }

Storage::Storage(std::uint64_t size) : size_(size), bytes_(nullptr, Unmap{size}) {
  void* mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) {
    fail("cannot map {} bytes for the device memory: {}; make memory.size_mib smaller", size,
         std::strerror(errno));
  }
  bytes_.reset(static_cast<std::uint8_t*>(mapped));
}

BeatRate::BeatRate(std::uint32_t beat_bytes, std::uint32_t bytes_per_cycle)
    : beat_(beat_bytes), rate_(std::min(beat_bytes, bytes_per_cycle)) {}

ReadPort::ReadPort(Storage& storage, const MemoryTiming& timing, std::uint32_t beat_bytes)
    : storage_(storage),
      latency_(timing.latency),
      outstanding_(timing.outstanding),
      beat_bytes_(beat_bytes),
      bursts_(timing.outstanding),
      rate_(beat_bytes, timing.bytes_per_cycle) {}

void ReadPort::reset() {
  head_ = count_ = 0;
  now_ = 0;
  rate_.reset();
  presenting_ = last_ = error_ = false;
}

std::uint32_t ReadPort::tick(std::uint32_t flags, std::uint32_t address, std::uint32_t length,
                             void* data) {
  if (flags & kAddressAccepted) {
    std::uint32_t tail = head_ + count_;
    if (tail >= outstanding_) {
      tail -= outstanding_;
    }
    bursts_[tail] = {now_ + latency_, address, length + 1};
    ++count_;
  }
  if (flags & kBeatAccepted) {
    presenting_ = false;
    if (last_) {
      head_ = head_ + 1 == outstanding_ ? 0 : head_ + 1;
      --count_;
    }
  }
  ++now_;  // from here on the cycle whose outputs are decided
  std::uint32_t status = count_ < outstanding_ ? kAddressReady : 0;
  if (!presenting_ && count_ != 0 && rate_.ready(now_) && now_ >= bursts_[head_].ready) {
    Burst& burst = bursts_[head_];
    error_ = !storage_.accessible(burst.address, beat_bytes_);
    if (error_) {
      std::memset(data, 0, beat_bytes_);
    } else {
      std::memcpy(data, storage_.data() + burst.address, beat_bytes_);
    }
    burst.address += beat_bytes_;
    last_ = --burst.beats == 0;
    presenting_ = true;
    rate_.go(now_);
    status |= kNewBeat;
  }
  if (presenting_) {
    status |= kRvalid | (last_ ? kRlast : 0) | (error_ ? kSlverr : 0);
  }
  if (count_ != 0 || !rate_.ready(now_)) {
    status |= kActive;
  }
  return status;
}

WritePort::WritePort(Storage& storage, const MemoryTiming& timing, std::uint32_t beat_bytes)
    : storage_(storage),
      latency_(timing.latency),
      outstanding_(timing.outstanding),
      beat_bytes_(beat_bytes),
      all_strobes_(beat_bytes == 32 ? 0xffffffffu : (1u << beat_bytes) - 1),
      bursts_(timing.outstanding),
      rate_(beat_bytes, timing.bytes_per_cycle) {}

void WritePort::reset() {
  head_ = count_ = received_ = 0;
  now_ = 0;
  rate_.reset();
  responding_ = false;
}

void WritePort::write_beat(Burst& burst, const std::uint8_t* data, std::uint32_t strobes) {
  if (!storage_.accessible(burst.address, beat_bytes_)) {
    burst.error = true;
  } else if (strobes == all_strobes_) {
    std::memcpy(storage_.data() + burst.address, data, beat_bytes_);
  } else {
    for (std::uint32_t i = 0; i < beat_bytes_; ++i) {
      if ((strobes >> i) & 1) {
        storage_.data()[burst.address + i] = data[i];
      }
    }
  }
  burst.address += beat_bytes_;
  --burst.beats;
}

std::uint32_t WritePort::tick(std::uint32_t flags, std::uint32_t address, std::uint32_t length,
                              const void* data, std::uint32_t strobes) {
  if (flags & kBeatAccepted) {
    Burst& burst = bursts_[(head_ + received_) % outstanding_];
    write_beat(burst, static_cast<const std::uint8_t*>(data), strobes);
    rate_.go(now_);
    if (burst.beats == 0) {
      burst.response = now_ + latency_;
      ++received_;
    }
  }
  if (flags & kResponseAccepted) {
    responding_ = false;
    head_ = head_ + 1 == outstanding_ ? 0 : head_ + 1;
    --count_;
    --received_;
  }
  if (flags & kAddressAccepted) {
    bursts_[(head_ + count_) % outstanding_] = {address, length + 1, 0, false};
    ++count_;
  }
  ++now_;  // from here on the cycle whose outputs are decided
  std::uint32_t status = count_ < outstanding_ ? kAddressReady : 0;
  if (count_ > received_ && rate_.ready(now_)) {
    status |= kWready;
  }
  if (!responding_ && received_ != 0 && now_ >= bursts_[head_].response) {
    responding_ = true;
  }
  if (responding_) {
    status |= kBvalid | (bursts_[head_].error ? kSlverr : 0);
  }
  if (count_ != 0 || !rate_.ready(now_)) {
    status |= kActive;
  }
  return status;
}

PortMemory::PortMemory(const MemoryTiming& timing, std::uint32_t read_ports,
                       std::uint32_t write_ports, std::uint32_t port_bytes)
    : timing_(checked(timing)), storage_(timing.size_bytes) {
  MemoryTiming instruction = timing;
  instruction.bytes_per_cycle = 8;
  read_ports_.emplace_back(storage_, instruction, 8);
  for (std::uint32_t i = 0; i < read_ports; ++i) {
    read_ports_.emplace_back(storage_, timing, port_bytes);
  }
  for (std::uint32_t i = 0; i < write_ports; ++i) {
    write_ports_.emplace_back(storage_, timing, port_bytes);
  }
}

void PortMemory::reset() {
  for (ReadPort& port : read_ports_) {
    port.reset();
  }
  for (WritePort& port : write_ports_) {
    port.reset();
  }
  violated_ = false;
  violation_.clear();
}

void PortMemory::report_violation(const std::string& text) {
  if (!violated_) {
    violated_ = true;
    violation_ = text;
  }
}

}  // namespace bittern::sim
