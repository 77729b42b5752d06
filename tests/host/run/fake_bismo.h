#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "host/base/error.h"
#include "host/base/temporary_folder.h"
#include "host/cores/bismo/bismo_core.h"
#include "host/cores/bismo/bismo_isa.h"
#include "host/cores/cores.h"
#include "host/cores/matrix/matrix_config.h"
#include "host/network/network.h"
#include "host/protocol/registers.h"
#include "host/protocol/server.h"
#include "host/run/layer_run.h"
#include "host/run/measurer.h"
#include "tests/host/base/message_of.h"
#include "tests/host/cores/bismo/bismo_interpreter.h"

namespace bittern::testing {

inline Variant tiny_variant() {
  return load_variant(std::string(BITTERN_SOURCE_DIR) + "/configs/variants/bismo_tiny.yaml");
}

/// What a fake device does otherwise than a good one.
struct FakeBehaviour {
  std::string rtl_hash = std::string(64, 'a');
  /// Of every run; otherwise, and then events too, those of the closed form.
  std::optional<std::uint64_t> cycles;
  std::int64_t flip_address = -1;  ///< lowest bit of this byte is wrong whenever it is read
  bool forget_results = false;     ///< programs end well, but write nothing
  bool fault = false;              ///< programs end with an error code
  bool never_ends = false;         ///< programs run into the cycle limit
  int deaths = 0;                  ///< so many runs end with a closed connection
  bool traces = true;              ///< false: refuses to trace
  bool runs_for_ever = false;      ///< runs until its host gives up
  DeviceKind kind = DeviceKind::kSimulation;
  /// Makes something else of what a run counted; index as in the register map.
  std::function<void(RunResult&)> lie;
  bool lies_in_registers = true;  ///< false: the shell's counters stay true
};

/// What the closed form says of a BISMO program in memory.
inline ModelResult model_of(const MatrixConfig& config, const std::vector<bismo_isa::Word>& words) {
  BitPair bits{1, 1};
  int result_bits = 32;
  std::vector<MatrixStep> steps;
  const auto fetch = [&](const auto& op, const MatrixOperand& operand, MatrixStep::Kind kind) {
    MatrixStep step;
    step.kind = kind;
    step.wait_free = op.wait_free != 0;
    step.send_filled = op.send_filled != 0;
    step.buffer_base = static_cast<std::uint32_t>(op.buffer_base);
    step.words = op.words;
    step.word_beats = operand.rows >> op.narrow;
    step.dram_base = op.dram_base;
    step.lane_stride = op.lane_stride;
    steps.push_back(step);
  };
  for (const bismo_isa::Word& word : words) {
    switch (word[0] & 15) {
      case bismo_isa::FetchLhs::kOpcode:
        fetch(bismo_isa::FetchLhs::decode(word), config.lhs, MatrixStep::Kind::kFetchLhs);
        break;
      case bismo_isa::FetchRhs::kOpcode:
        fetch(bismo_isa::FetchRhs::decode(word), config.rhs, MatrixStep::Kind::kFetchRhs);
        break;
      case bismo_isa::Exec::kOpcode: {
        const auto op = bismo_isa::Exec::decode(word);
        MatrixStep step;
        step.kind = MatrixStep::Kind::kExec;
        step.wait_lhs = op.wait_lhs != 0;
        step.wait_rhs = op.wait_rhs != 0;
        step.free_lhs = op.free_lhs != 0;
        step.free_rhs = op.free_rhs != 0;
        step.accumulate = op.accumulate != 0;
        step.emit = op.emit != 0;
        step.lhs_bits = static_cast<int>(op.lhs_bits) + 1;
        step.rhs_bits = static_cast<int>(op.rhs_bits) + 1;
        step.lhs_base = static_cast<std::uint32_t>(op.lhs_base);
        step.rhs_base = static_cast<std::uint32_t>(op.rhs_base);
        step.k_words = static_cast<std::uint32_t>(op.k_words);
        step.lhs_stride = static_cast<std::uint32_t>(op.lhs_stride);
        step.rhs_stride = static_cast<std::uint32_t>(op.rhs_stride);
        step.lhs_tiles = static_cast<std::uint32_t>(op.lhs_tiles) + 1;
        step.rhs_tiles = static_cast<std::uint32_t>(op.rhs_tiles) + 1;
        bits = {step.rhs_bits, step.lhs_bits};
        steps.push_back(step);
        break;
      }
      case bismo_isa::Result::kOpcode: {
        const auto op = bismo_isa::Result::decode(word);
        MatrixStep step;
        step.kind = MatrixStep::Kind::kResult;
        step.tiles = op.tiles;
        step.dram_base = op.dram_base;
        step.lane_stride = op.lane_stride;
        result_bits = op.width == 0 ? 32 : 16 >> op.width;
        steps.push_back(step);
        break;
      }
      default:
        break;
    }
  }
  MatrixModel model(config.for_results(result_bits).machine(bits), words.size());
  for (const MatrixStep& step : steps) model.step(step);
  return model.finish();
}

/// Device of variant bismo_tiny that computes with the instruction-level interpreter. The byte at
/// address a is written in cycle cycles * a / mem_limit.
class FakeBismo : public DeviceBackend {
 public:
  FakeBismo(const Variant& variant, const FakeBehaviour& behaviour)
      : variant_(variant),
        behaviour_(behaviour),
        config_(bismo_config(variant)),
        memory_(variant.memory.size_bytes) {}

  DeviceIdentity identity() const override {
    DeviceIdentity identity;
    identity.kind = behaviour_.kind;
    identity.variant = variant_.name;
    identity.core = variant_.core;
    identity.parameters = variant_.rtl;
    if (identity.kind == DeviceKind::kSimulation) {
      identity.memory = {{"latency_cycles", variant_.memory.latency_cycles},
                         {"bytes_per_cycle", variant_.memory.bytes_per_cycle},
                         {"outstanding", variant_.memory.outstanding}};
    }
    identity.memory_bytes = memory_.size();
    identity.rtl_hash = behaviour_.rtl_hash;
    identity.tools = {{"interpreter", "1"}};
    return identity;
  }

  void read_memory(std::uint64_t address, MutableBytes out) override {
    std::copy_n(memory_.begin() + static_cast<std::ptrdiff_t>(address), out.size(), out.begin());
    const std::int64_t flip = behaviour_.flip_address - static_cast<std::int64_t>(address);
    if (behaviour_.flip_address >= 0 && flip >= 0 && flip < static_cast<std::int64_t>(out.size())) {
      out[static_cast<std::size_t>(flip)] ^= 1;
    }
  }
  void write_memory(std::uint64_t address, Bytes data) override {
    std::copy(data.begin(), data.end(), memory_.begin() + static_cast<std::ptrdiff_t>(address));
  }

  std::uint32_t read_register(std::uint32_t offset) override {
    const std::string& hash = behaviour_.rtl_hash;
    if (offset == registers::kMagic) return registers::kMagicValue;
    if (offset == registers::kMapVersion) return registers::kMapVersionValue;
    if (offset == registers::kCoreId) return static_cast<std::uint32_t>(registers::CoreId::kBismo);
    if (offset == registers::kRtlHashHi) return hex(hash.substr(0, 8));
    if (offset == registers::kRtlHashLo) return hex(hash.substr(8, 8));
    if (offset >= registers::kCounterBase && offset < registers::kCounterBase + 8 * shown_.size()) {
      const std::uint32_t from = offset - registers::kCounterBase;
      return static_cast<std::uint32_t>(shown_[from / 8] >> (from % 8 * 8));
    }
    const std::map<std::string_view, const char*> rtl = {{"dm", "Dm"},
                                                         {"dk", "Dk"},
                                                         {"dn", "Dn"},
                                                         {"lhs_depth", "LhsDepth"},
                                                         {"rhs_depth", "RhsDepth"},
                                                         {"num_read_ports", "NumReadPorts"},
                                                         {"num_write_ports", "NumWritePorts"},
                                                         {"port_width", "PortWidth"},
                                                         {"max_burst_beats", "MaxBurstBeats"}};
    const std::size_t index = (offset - registers::kParameterBase) / 4;
    if (index < registers::kBismoParameters.size()) {
      const auto found = rtl.find(registers::kBismoParameters[index]);
      if (found != rtl.end()) return static_cast<std::uint32_t>(variant_.parameter(found->second));
    }
    return 0;
  }
  void write_register(std::uint32_t, std::uint32_t) override {}

  RunResult run(const RunRequest& request, const KeepGoing& keep_going) override {
    ++runs;
    for (std::uint64_t cycle = 0; behaviour_.runs_for_ever; cycle += 1000) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      if (keep_going(cycle)) continue;
      RunResult result;
      result.status = RunStatus::kAbandoned;
      return result;
    }
    RunResult result;
    result.counters.resize(1 + counter_names(variant_).size());
    if (behaviour_.deaths > 0) {
      --behaviour_.deaths;
      if (on_death) on_death();
    }
    Program program;
    program.segments = {
        {0, {memory_.begin(), memory_.begin() + static_cast<std::ptrdiff_t>(request.mem_limit)}}};
    program.program_address = request.program_address;
    program.instruction_count = request.instruction_count;
    program.memory_end = program.result_bytes = request.mem_limit;
    BismoInterpreter interpreter(config_, StageOrder::kProgram, 32);
    const std::vector<std::uint8_t> after = interpreter.run(program);
    std::vector<bismo_isa::Word> words(request.instruction_count);
    std::memcpy(words.data(), memory_.data() + request.program_address, 16 * words.size());
    const ModelResult model = model_of(config_, words);
    const std::uint64_t cycles = behaviour_.cycles.value_or(model.cycles);
    const bool cut = behaviour_.never_ends || request.cycle_limit < cycles;
    result.cycles = cut ? request.cycle_limit : cycles;
    if (cut) result.status = RunStatus::kCycleLimit;
    if (behaviour_.fault) {
      result.status = RunStatus::kFault;
      result.error_code = 2;
      result.error_info = 3;
    }
    if (!behaviour_.forget_results) {
      const std::uint64_t written =
          cut ? request.mem_limit * request.cycle_limit / cycles : request.mem_limit;
      std::copy_n(after.begin(), std::min<std::uint64_t>(written, after.size()), memory_.begin());
    }
    const std::vector<std::string> names = counter_names(variant_);
    const std::map<std::string, std::uint64_t> events(model.events.begin(), model.events.end());
    result.counters[0] = result.cycles;
    for (std::size_t i = 0; i < names.size(); ++i) {
      std::uint64_t count = events.at(names[i]);
      // Other cycles than those of the closed form: what fits into them.
      const bool fits = names[i].compare(0, 6, "instr_") == 0;
      if (behaviour_.cycles && !fits) count = std::min(count, result.cycles / 4);
      result.counters[i + 1] = count;
    }
    if (!behaviour_.lies_in_registers) shown_ = result.counters;
    if (behaviour_.lie) behaviour_.lie(result);
    if (behaviour_.lies_in_registers) shown_ = result.counters;
    return result;
  }

  void start_trace(const TraceRequest& request) override {
    if (!behaviour_.traces) fail("a fake cannot trace");
    trace = request;
  }
  void stop_trace() override {}
  void reset() override {}

  std::atomic<int> runs{0};
  TraceRequest trace;
  std::function<void()> on_death;

 private:
  static std::uint32_t hex(const std::string& digits) {
    return static_cast<std::uint32_t>(std::stoul(digits, nullptr, 16));
  }

  const Variant variant_;
  FakeBehaviour behaviour_;
  const MatrixConfig config_;
  std::vector<std::uint8_t> memory_;
  std::vector<std::uint64_t> shown_;  // counters that the registers show
};

/// Serves a backend on a unix socket until it is destroyed; one client after another.
class Served {
 public:
  Served(DeviceBackend& backend, const std::filesystem::path& socket)
      : backend_(backend),
        endpoint_{Endpoint::Kind::kUnix, socket.string(), "", 0},
        listener_(endpoint_),
        thread_([this] { loop(); }) {}
  ~Served() {
    stop_ = true;
    try {
      Connection::connect(endpoint_, std::chrono::milliseconds(1000));
    } catch (const Error&) {
      // The thread is in serve() and will see its client go.
    }
    thread_.join();
  }
  const Endpoint& endpoint() const { return endpoint_; }
  /// Ends the connection that is being served, as the death of a device does.
  void hang_up() {
    const std::lock_guard lock(mutex_);
    if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
  }

 private:
  void loop() {
    while (true) {
      Connection connection = listener_.accept();
      if (stop_) return;
      set_fd(connection.fd());
      serve(connection, backend_);
      set_fd(-1);
      if (stop_) return;
    }
  }
  void set_fd(int fd) {
    const std::lock_guard lock(mutex_);
    fd_ = fd;
  }

  DeviceBackend& backend_;
  const Endpoint endpoint_;
  Listener listener_;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  int fd_ = -1;
  std::thread thread_;
};

/// A fake device behind a socket.
class FakeDevice {
 public:
  FakeDevice(const TemporaryFolder& folder, const std::string& name,
             const FakeBehaviour& behaviour = {})
      : backend(tiny_variant(), behaviour), served(backend, folder / name) {
    backend.on_death = [this] { served.hang_up(); };
  }
  FakeBismo backend;
  Served served;
};

/// Options of a measurer on fakes, with a store in `folder`.
inline MeasurerOptions fake_options(const TemporaryFolder& folder,
                                    const std::vector<const FakeDevice*>& devices) {
  MeasurerOptions options;
  options.store = folder / "store.db";
  for (const FakeDevice* device : devices) options.endpoints.push_back(device->served.endpoint());
  return options;
}

/// A small network: two layers of one shape, one of another.
inline Network small_network() {
  Network network;
  network.name = "small";
  Layer conv;
  conv.name = "first";
  conv.in_channels = 3;
  conv.in_height = conv.in_width = 5;
  conv.out_channels = 4;
  conv.kernel_h = conv.kernel_w = 3;
  conv.pad_top = 1;
  network.layers.push_back(conv);
  conv.name = "second";
  network.layers.push_back(conv);
  Layer linear;
  linear.name = "head";
  linear.kind = LayerKind::kLinear;
  linear.in_channels = 70;
  linear.out_channels = 5;
  linear.signed_input = true;
  network.layers.push_back(linear);
  return network;
}

}  // namespace bittern::testing
