// Memory behind the data ports of a core under test: AXI4 with single id, in order, fixed latency,
// and optionally random back-pressure. Checks the rules that docs/rtl.md promises and keeps the
// first violation as text.
#pragma once

#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <vector>

#include "tests/rtl/signals.h"

namespace bittern::rtl_test {

/// How the memory behaves.
struct MemoryConfig {
  unsigned read_ports = 1;
  unsigned write_ports = 1;
  unsigned port_bytes = 8;
  unsigned max_burst_beats = 64;
  unsigned latency = 16;       ///< Request accepted to first beat; last write beat to response.
  unsigned outstanding = 8;    ///< Bursts that a port may have in flight.
  unsigned stall_percent = 0;  ///< Chance of each ready and valid to be low in a cycle.
  std::int64_t read_error =
      -1;  ///< A burst that covers this byte address answers SLVERR; -1: none.
  std::int64_t write_error = -1;
};

/// Memory of a core: call drive() before the rising edge, sample() when the outputs of the cycle
/// have settled.
class AxiMemory {
 public:
  AxiMemory(const MemoryConfig& config, std::size_t bytes, std::uint32_t seed)
      : config_(config),
        data_(bytes),
        rng_(seed),
        reads_(config.read_ports),
        writes_(config.write_ports) {}

  std::vector<std::uint8_t>& data() { return data_; }
  /// First broken rule, empty while there is none.
  const std::string& violation() const { return violation_; }
  /// No burst is waiting for data or for its response.
  bool idle() const {
    for (const auto& port : reads_) {
      if (!port.bursts.empty()) return false;
    }
    for (const auto& port : writes_) {
      if (!port.bursts.empty() || !port.responses.empty()) return false;
    }
    return true;
  }

  /// Sets the inputs of the core for this cycle. A stage that has only one kind of ports uses
  /// drive_reads and sample_reads, or drive_writes and sample_writes.
  template <typename Dut>
  void drive(Dut& dut) {
    drive_reads(dut);
    drive_writes(dut);
  }

  template <typename Dut>
  void drive_reads(Dut& dut) {
    for (unsigned p = 0; p < config_.read_ports; ++p) {
      ReadPort& port = reads_[p];
      port.arready = port.bursts.size() < config_.outstanding && !stall();
      set_bits(dut.m_rd_arready_i, p, 1, port.arready);
      if (!port.rvalid) {
        port.rvalid = !port.bursts.empty() && port.bursts.front().ready_cycle <= cycle_ && !stall();
      }
      set_bits(dut.m_rd_rvalid_i, p, 1, port.rvalid);
      const bool has = port.rvalid;
      const Burst burst = has ? port.bursts.front() : Burst{};
      set_bits(dut.m_rd_rlast_i, p, 1, has && port.beat + 1 == burst.beats);
      set_bits(dut.m_rd_rresp_i, 2 * p, 2, has && covers(burst, config_.read_error) ? 2 : 0);
      for (unsigned b = 0; b < config_.port_bytes; b += 4) {
        std::uint32_t word = static_cast<std::uint32_t>(rng_());  // rubbish when not valid
        if (has) word = load(burst.address + port.beat * config_.port_bytes + b);
        set_bits(dut.m_rd_rdata_i, 8 * (p * config_.port_bytes + b), 32, word);
      }
    }
  }

  template <typename Dut>
  void drive_writes(Dut& dut) {
    for (unsigned p = 0; p < config_.write_ports; ++p) {
      WritePort& port = writes_[p];
      port.awready = port.bursts.size() + port.responses.size() < config_.outstanding && !stall();
      port.wready = !stall();
      if (!port.bvalid) {
        port.bvalid =
            !port.responses.empty() && port.responses.front().ready_cycle <= cycle_ && !stall();
      }
      set_bits(dut.m_wr_awready_i, p, 1, port.awready);
      set_bits(dut.m_wr_wready_i, p, 1, port.wready);
      set_bits(dut.m_wr_bvalid_i, p, 1, port.bvalid);
      const bool bad = port.bvalid && covers(port.responses.front(), config_.write_error);
      set_bits(dut.m_wr_bresp_i, 2 * p, 2, bad ? 2 : 0);
    }
  }

  /// Takes the handshakes of this cycle.
  template <typename Dut>
  void sample(Dut& dut) {
    take_reads(dut);
    take_writes(dut);
    ++cycle_;
  }
  template <typename Dut>
  void sample_reads(Dut& dut) {
    take_reads(dut);
    ++cycle_;
  }
  template <typename Dut>
  void sample_writes(Dut& dut) {
    take_writes(dut);
    ++cycle_;
  }

 private:
  struct Burst {
    std::uint32_t address = 0;
    unsigned beats = 0;
    std::uint64_t ready_cycle = 0;
  };
  /// An address channel: a valid request must stay as it is until it is accepted.
  struct AddressChannel {
    bool waiting = false;
    std::uint32_t address = 0;
    unsigned len = 0;
    void check(AxiMemory& memory, const char* channel, unsigned p, bool valid, bool ready,
               std::uint32_t new_address, unsigned new_len) {
      if (waiting && (!valid || new_address != address || new_len != len)) {
        memory.fail(std::string(channel) + " changed before ready, port " + std::to_string(p));
      }
      waiting = valid && !ready;
      address = new_address;
      len = new_len;
    }
  };
  struct ReadPort {
    AddressChannel address;
    std::deque<Burst> bursts;
    unsigned beat = 0;
    bool arready = false;
    bool rvalid = false;
  };
  struct WritePort {
    AddressChannel address;
    std::deque<Burst> bursts;     // address accepted, data not complete
    std::deque<Burst> responses;  // data complete
    struct Beat {
      std::vector<std::uint32_t> words;
      bool last;
    };
    std::deque<Beat> early;  // beats that came before their address
    bool waiting = false;
    std::vector<std::uint32_t> held;
    unsigned beat = 0;
    bool awready = false;
    bool wready = false;
    bool bvalid = false;
  };

  template <typename Dut>
  void take_reads(Dut& dut) {
    for (unsigned p = 0; p < config_.read_ports; ++p) {
      ReadPort& port = reads_[p];
      const bool arvalid = get_bits(dut.m_rd_arvalid_o, p, 1) != 0;
      const auto araddr = static_cast<std::uint32_t>(get_bits(dut.m_rd_araddr_o, 32 * p, 32));
      const auto arlen = static_cast<unsigned>(get_bits(dut.m_rd_arlen_o, 8 * p, 8));
      port.address.check(*this, "AR", p, arvalid, port.arready, araddr, arlen);
      if (arvalid && port.arready) {
        check_burst("AR", p, araddr, arlen + 1);
        port.bursts.push_back({araddr, arlen + 1, cycle_ + config_.latency});
      }
      if (port.rvalid && get_bits(dut.m_rd_rready_o, p, 1) != 0) {
        port.rvalid = false;
        if (++port.beat == port.bursts.front().beats) {
          port.beat = 0;
          port.bursts.pop_front();
        }
      }
    }
  }

  template <typename Dut>
  void take_writes(Dut& dut) {
    for (unsigned p = 0; p < config_.write_ports; ++p) sample_write(dut, p);
  }

  template <typename Dut>
  void sample_write(Dut& dut, unsigned p) {
    WritePort& port = writes_[p];
    const bool awvalid = get_bits(dut.m_wr_awvalid_o, p, 1) != 0;
    const auto awaddr = static_cast<std::uint32_t>(get_bits(dut.m_wr_awaddr_o, 32 * p, 32));
    const auto awlen = static_cast<unsigned>(get_bits(dut.m_wr_awlen_o, 8 * p, 8));
    port.address.check(*this, "AW", p, awvalid, port.awready, awaddr, awlen);
    if (awvalid && port.awready) {
      check_burst("AW", p, awaddr, awlen + 1);
      port.bursts.push_back({awaddr, awlen + 1, 0});
    }
    if (port.bvalid && get_bits(dut.m_wr_bready_o, p, 1) != 0) {
      port.bvalid = false;
      port.responses.pop_front();
    }
    const bool wvalid = get_bits(dut.m_wr_wvalid_o, p, 1) != 0;
    std::vector<std::uint32_t> words;
    for (unsigned b = 0; b < config_.port_bytes; b += 4) {
      words.push_back(static_cast<std::uint32_t>(
          get_bits(dut.m_wr_wdata_o, 8 * (p * config_.port_bytes + b), 32)));
    }
    if (port.waiting && (!wvalid || words != port.held)) {
      fail("W changed before ready, port " + std::to_string(p));
    }
    port.waiting = wvalid && !port.wready;
    port.held = words;
    if (wvalid && port.wready) {
      port.early.push_back({words, get_bits(dut.m_wr_wlast_o, p, 1) != 0});
    }
    while (!port.early.empty() && !port.bursts.empty()) {
      Burst& burst = port.bursts.front();
      const WritePort::Beat& beat = port.early.front();
      for (unsigned b = 0; b < config_.port_bytes; b += 4) {
        store(burst.address + port.beat * config_.port_bytes + b, beat.words[b / 4]);
      }
      ++port.beat;
      if (beat.last != (port.beat == burst.beats)) fail("WLAST in the wrong place");
      port.early.pop_front();
      if (port.beat == burst.beats) {
        burst.ready_cycle = cycle_ + config_.latency;
        port.responses.push_back(burst);
        port.bursts.pop_front();
        port.beat = 0;
      }
    }
  }

  bool stall() { return config_.stall_percent != 0 && rng_() % 100 < config_.stall_percent; }
  bool covers(const Burst& burst, std::int64_t address) const {
    return address >= burst.address &&
           address < std::int64_t{burst.address} + burst.beats * config_.port_bytes;
  }
  void check_burst(const char* channel, unsigned p, std::uint32_t address, unsigned beats) {
    const std::uint32_t boundary = config_.max_burst_beats * config_.port_bytes;
    if (address % config_.port_bytes != 0) fail(std::string(channel) + " not aligned to a beat");
    if (address / boundary != (address + beats * config_.port_bytes - 1) / boundary) {
      fail(std::string(channel) + " crosses a burst boundary, port " + std::to_string(p));
    }
    if (address + std::uint64_t{beats} * config_.port_bytes > data_.size()) {
      fail(std::string(channel) + " beyond memory: " + std::to_string(address));
    }
  }
  std::uint32_t load(std::uint64_t address) const {
    std::uint32_t word = 0;
    for (unsigned i = 0; i < 4 && address + i < data_.size(); ++i) {
      word |= std::uint32_t{data_[address + i]} << (8 * i);
    }
    return word;
  }
  void store(std::uint64_t address, std::uint32_t word) {
    for (unsigned i = 0; i < 4 && address + i < data_.size(); ++i) {
      data_[address + i] = static_cast<std::uint8_t>(word >> (8 * i));
    }
  }
  void fail(const std::string& what) {
    if (violation_.empty()) violation_ = "cycle " + std::to_string(cycle_) + ": " + what;
  }

  MemoryConfig config_;
  std::vector<std::uint8_t> data_;
  std::mt19937 rng_;
  std::vector<ReadPort> reads_;
  std::vector<WritePort> writes_;
  std::uint64_t cycle_ = 0;
  std::string violation_;
};

}  // namespace bittern::rtl_test
