#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/base/span.h"
#include "host/cores/stream/model_result.h"
#include "host/integer/layer_data.h"
#include "host/integer/result_format.h"
#include "host/network/layer.h"
#include "host/variant/variant.h"

namespace bittern {

/// Bytes that belong at a device address.
struct MemorySegment {
  std::uint64_t address = 0;
  std::vector<std::uint8_t> bytes;
};

/// How many instructions of a program the schedule needs, where results lie, and why this schedule
/// was chosen. Made by Core::plan; opaque to everybody but the core that made it, apart from the
/// fields here.
class Plan {
 public:
  virtual ~Plan() = default;
  /// Canonical text of the schedule (tiling, loop order, splits), for people: goes into lut.csv.
  virtual std::string key() const = 0;

  Layer layer;
  Precision precision;
  int batch = 1;
  ResultFormat result;  ///< of the outputs in device memory
};

/// Where the parts of a program lie in device memory.
struct ProgramLayout {
  std::uint64_t program_address = 0;
  std::uint32_t instruction_count = 0;  ///< END included
  std::uint64_t result_address = 0;
  std::uint64_t result_bytes = 0;
  std::uint64_t memory_end = 0;  ///< highest address used + 1; written to register mem_limit
};

/// What a device needs to compute one layer.
struct Program : ProgramLayout {
  std::vector<MemorySegment> segments;  ///< tensors, then the instructions
};

/// A program but for the content of its tensors: all that cycles and events depend on.
struct ProgramOutline : ProgramLayout {
  /// Region of device memory that a tensor is written to.
  struct Region {
    std::uint64_t address = 0;
    std::uint64_t bytes = 0;
  };
  std::vector<Region> tensors;
  std::vector<std::uint8_t> instructions;  ///< at program_address, END included

  /// SHA-256 over all of it, hexadecimal.
  std::string digest() const;
};

/// What a model that others published says of a layer.
struct PublishedResult {
  std::string schedule;          ///< its tiling and loop order
  std::uint64_t compute = 0;     ///< cycles in which its array works
  std::uint64_t stalls = 0;      ///< the others
  std::uint64_t bytes_read = 0;  ///< of device memory
  std::uint64_t bytes_written = 0;
  /// What it counts besides, by the names of the register map, so that an energy table can charge
  /// for it.
  std::vector<std::pair<std::string, std::uint64_t>> events;

  std::uint64_t cycles() const { return compute + stalls; }
};

/// A core as the host sees it: makes schedules and programs, reads results, knows the closed-form
/// cycle model. One subclass per core, in
/// the folder of that core.
class Core {
 public:
  virtual ~Core() = default;

  /// The best schedule by the closed form over all loop orders and tilings considered. Never
  /// refuses a legal layer: layers that exceed the buffers are split. Throws Error only when device
  /// memory is too small for the tensors.
  virtual std::unique_ptr<Plan> plan(const Layer& layer, const Precision& precision,
                                     int batch) const = 0;

  /// The program of a plan without its tensors. Quick: nothing of their size is made. Throws Error
  /// when the program does not fit device memory.
  virtual ProgramOutline outline(const Plan& plan) const = 0;

  /// Tensors packed into memory segments, and the instructions: outline() filled with data. Throws
  /// Error when the data are not those of the plan's layer.
  Program build(const Plan& plan, const LayerData& data) const;

  /// Device result bytes back to int32 outputs [batch][out_channel][height][width], each in the
  /// range of the plan's result format.
  virtual std::vector<std::int32_t> unpack(const Plan& plan, Bytes result) const = 0;

  /// Closed-form cycles of a plan.
  virtual ModelResult model(const Plan& plan) const = 0;

  /// Most bits of an operand.
  virtual int max_bits() const { return 8; }

  /// Bit pair that the core really runs for a requested one (BISMO: the same; BitFusion: rounded up
  /// to 2, 4, 8).
  virtual BitPair supported(BitPair bits) const = 0;

  /// Multiply-accumulates a cycle at these bits as long as the array never waits: what utilisation
  /// refers to.
  virtual double peak_macs_per_cycle(BitPair bits) const = 0;

  /// Where the cycles of a run go, seen from the array: (heading, event) pairs, first the event
  /// that counts its work, then what it waited for. The events never overlap; what they leave of
  /// the cycles is time in which the array had no instruction.
  virtual std::vector<std::pair<std::string, std::string>> cycle_split() const = 0;

  /// The model that the authors of the architecture published, with a tiling of its own; nothing
  /// where there is none. `bits` are those asked for, before supported().
  virtual std::optional<PublishedResult> published(const Layer& layer, BitPair bits,
                                                   int batch) const {
    static_cast<void>(layer), static_cast<void>(bits), static_cast<void>(batch);
    return std::nullopt;
  }
  /// The same for the tiling and loop order of a plan of this core.
  virtual std::optional<PublishedResult> published_for(const Plan& plan) const {
    static_cast<void>(plan);
    return std::nullopt;
  }

 private:
  /// The content of ProgramOutline::tensors, in their order.
  virtual std::vector<std::vector<std::uint8_t>> pack(const Plan& plan,
                                                      const LayerData& data) const = 0;
};

}  // namespace bittern
