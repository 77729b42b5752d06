#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace bittern::sim {

/// Memory behind the AXI ports of a simulated device: size, and timing in cycles of the clock.
struct MemoryTiming {
  std::uint64_t size_bytes = 0;       ///< up to 4 GiB
  std::uint32_t latency = 16;         ///< at least 1
  std::uint32_t bytes_per_cycle = 8;  ///< of each data port; the instruction port has 8
  std::uint32_t outstanding = 8;      ///< bursts that a port may have in flight, 1 to 64
};

/// Answer to every access that touches [begin, end): SLVERR, for tests of error handling.
struct FaultRange {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Bytes of the device, zero at first. Pages that were never written take no host memory.
class Storage {
 public:
  /// Throws Error when the host cannot map `size` bytes.
  explicit Storage(std::uint64_t size);

  std::uint64_t size() const { return size_; }
  std::uint8_t* data() { return bytes_.get(); }
  const std::uint8_t* data() const { return bytes_.get(); }
  /// Whether [address, address + bytes) exists and is not in the fault range.
  bool accessible(std::uint64_t address, std::uint64_t bytes) const {
    return address + bytes <= size_ &&
           (!fault_ || address + bytes <= fault_->begin || address >= fault_->end);
  }
  /// Makes accesses of the ports to a range fail; std::nullopt ends it.
  void set_fault(std::optional<FaultRange> fault) { fault_ = fault; }

 private:
  struct Unmap {
    std::uint64_t size;
    void operator()(std::uint8_t* bytes) const;
  };
  std::uint64_t size_;
  std::unique_ptr<std::uint8_t, Unmap> bytes_;
  std::optional<FaultRange> fault_;
};

/// The rate of a port. A beat of B bytes takes I = B / r cycles, r being bytes_per_cycle or B, if
/// that is less. I may be a fraction, and fractions add up as long as beats go one after another
/// as fast as they may. With e the end of the beat before (0 at first), a beat may go from cycle
/// ceil(e) on; if it does go in that cycle, it ends at e + I; if it goes in a later cycle v, at
/// v + I. So 6 bytes a cycle of beats of 8 give beats in cycles v, v + 2, v + 3, v + 4, v + 6, ...
class BeatRate {
 public:
  BeatRate(std::uint32_t beat_bytes, std::uint32_t bytes_per_cycle);
  void reset() { end_ = 0; }
  /// Whether a beat may go in cycle `now`.
  bool ready(std::uint64_t now) const { return now * rate_ >= end_; }
  /// A beat goes in cycle `now`, in which it may.
  void go(std::uint64_t now) {
    const std::uint64_t start = now * rate_;
    end_ = (start - end_ < rate_ ? end_ : start) + beat_;
  }

 private:
  std::uint64_t beat_;
  std::uint64_t rate_;
  std::uint64_t end_ = 0;  // in 1 / rate_ of a cycle
};

/// Read port. With L = latency and x(b) the cycle in which beat b is transferred (rvalid and
/// rready), for an address accepted (arvalid and arready) in cycle t, a beat goes to the port
/// (has rvalid) from the first cycle on
///   - that its rate allows,
///   - that is at least x(b) + 1, b being the beat before it,
///   - and, for the first beat of a burst, at least t + L.
/// A stalled beat does not make the following ones come faster than their rate.
/// Bursts are answered in order. arready is high in a cycle when fewer than `outstanding` bursts
/// were accepted before it whose last beat was not transferred before it. A beat that is not
/// accessible reads as zero with SLVERR.
/// Data is what memory holds at the end of the cycle before the beat becomes valid.
class ReadPort {
 public:
  ReadPort(Storage& storage, const MemoryTiming& timing, std::uint32_t beat_bytes);
  /// One active cycle; see sim_memory_pkg.sv for flags and the status that it returns. `data` gets
  /// beat_bytes bytes when the status says that there is a new beat.
  std::uint32_t tick(std::uint32_t flags, std::uint32_t address, std::uint32_t length, void* data);
  /// Forgets everything in flight.
  void reset();
  std::uint32_t beat_bytes() const { return beat_bytes_; }

 private:
  struct Burst {
    std::uint64_t ready;    // first cycle in which the first beat may be valid
    std::uint64_t address;  // of the next beat
    std::uint32_t beats;    // left to present
  };

  Storage& storage_;
  std::uint32_t latency_;
  std::uint32_t outstanding_;
  std::uint32_t beat_bytes_;
  std::vector<Burst> bursts_;  // ring of `outstanding` entries
  std::uint32_t head_ = 0;
  std::uint32_t count_ = 0;
  std::uint64_t now_ = 0;  // index of the next active cycle; idle ones need not be counted
  BeatRate rate_;
  bool presenting_ = false;
  bool last_ = false;
  bool error_ = false;
};

/// Write port. With L and the rate as above, a beat going in the cycle in which it is transferred,
/// for an address accepted in cycle t:
///   - wready is high from cycle t + 1, when the rate allows a beat;
///   - bvalid is high from cycle x + L, x being the cycle in which the last beat of the burst was
///     transferred, and not before the cycle after the response before it was transferred.
/// Data is in memory when its beat is transferred. awready is high in a cycle when fewer than
/// `outstanding` bursts were accepted before it whose response was not transferred before it. One
/// inaccessible beat makes the response SLVERR; it changes nothing.
class WritePort {
 public:
  WritePort(Storage& storage, const MemoryTiming& timing, std::uint32_t beat_bytes);
  /// One active cycle; see sim_memory_pkg.sv.
  std::uint32_t tick(std::uint32_t flags, std::uint32_t address, std::uint32_t length,
                     const void* data, std::uint32_t strobes);
  /// Forgets everything in flight.
  void reset();
  std::uint32_t beat_bytes() const { return beat_bytes_; }

 private:
  struct Burst {
    std::uint64_t address;   // of the next beat
    std::uint32_t beats;     // left to receive
    std::uint64_t response;  // first cycle in which bvalid may be high
    bool error;
  };
  void write_beat(Burst& burst, const std::uint8_t* data, std::uint32_t strobes);

  Storage& storage_;
  std::uint32_t latency_;
  std::uint32_t outstanding_;
  std::uint32_t beat_bytes_;
  std::uint32_t all_strobes_;
  std::vector<Burst> bursts_;   // ring of `outstanding` entries
  std::uint32_t head_ = 0;      // oldest burst without response
  std::uint32_t count_ = 0;     // bursts without response
  std::uint32_t received_ = 0;  // of these, the ones whose data is complete
  std::uint64_t now_ = 0;
  BeatRate rate_;
  bool responding_ = false;
};

/// The memory of one device: its bytes, its ports, and the AXI rule violations that the checkers
/// reported. Plain C++: the SystemC module around it is in sim/systemc_top.h.
class PortMemory {
 public:
  /// Read port 0 is the instruction port (8 bytes a beat), then `read_ports` data ports of
  /// `port_bytes` bytes. Throws Error for timing that makes no sense.
  PortMemory(const MemoryTiming& timing, std::uint32_t read_ports, std::uint32_t write_ports,
             std::uint32_t port_bytes);

  Storage& storage() { return storage_; }
  const Storage& storage() const { return storage_; }
  const MemoryTiming& timing() const { return timing_; }
  ReadPort& read_port(std::uint32_t id) { return read_ports_[id]; }
  WritePort& write_port(std::uint32_t id) { return write_ports_[id]; }

  /// Forgets bursts in flight and violations; the bytes stay.
  void reset();
  /// Keeps the first violation.
  void report_violation(const std::string& text);
  bool violated() const { return violated_; }
  const std::string& violation() const { return violation_; }
  /// What the pins of sim_top carry to find this object again.
  std::uint64_t handle() const { return reinterpret_cast<std::uintptr_t>(this); }

 private:
  MemoryTiming timing_;
  Storage storage_;
  std::vector<ReadPort> read_ports_;
  std::vector<WritePort> write_ports_;
  bool violated_ = false;
  std::string violation_;
};

}  // namespace bittern::sim
