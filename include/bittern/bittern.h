// The library of Bittern in one header: cycles, latency and energy of a network's layers on a
// bit-flexible accelerator, measured on its simulated RTL or by the closed form. Needs C++17 and
// nothing else; link bittern::bittern.
//
//   #include <bittern/bittern.h>
//   const bittern::api::Session session;
//   const auto costs = session.measure("lenet", "bismo_edge", {{4, 8}});
//   std::cout << costs.latency_s << " s\n";
//
// docs/library.md shows a whole project.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

// Set by the CMake package of an installed Bittern: where its files and its devices lie.
#ifndef BITTERN_INSTALLED_HOME
#define BITTERN_INSTALLED_HOME ""
#endif
#ifndef BITTERN_INSTALLED_PROGRAMS
#define BITTERN_INSTALLED_PROGRAMS ""
#endif

namespace bittern::api {

/// Every error. what() says what happened, where, what was expected and how to mend it.
class Error : public std::runtime_error {
 public:
  Error(const std::string& message, bool usage) : std::runtime_error(message), usage_(usage) {}
  /// Whether the caller asked for something that there is not (a wrong name, bits out of range),
  /// and not that something failed.
  bool usage() const { return usage_; }

 private:
  bool usage_;
};

/// Version of the library and the revision it was built from, for example "0.1.0 (a1b2c3d)".
std::string version();

/// Bitwidths of one layer, 1 to 8 each (a core rounds up to what it can run).
struct Bits {
  int weights = 8;
  int activations = 8;
};

/// A quantisable operation of a network.
struct Layer {
  std::string name;
  std::string kind;          ///< "conv", "depthwise" or "linear"
  std::int64_t macs = 0;     ///< multiply-accumulates for one image
  std::int64_t weights = 0;  ///< number of weights
};

/// Where cycles come from.
enum class Cycles {
  kRtl,         ///< runs on simulated RTL, every output checked; known ones from the store
  kClosedForm,  ///< closed form of the RTL: milliseconds, nothing is simulated
  kPublished,   ///< model of the architecture's authors, where there is one
};

/// What a layer costs for the whole batch of the variant.
struct LayerCost {
  std::string name;
  Bits bits;                 ///< that were asked for
  std::uint64_t cycles = 0;  ///< of the variant's clock
  double latency_s = 0.0;
  double energy_j = 0.0;         ///< with the lower published number for device memory
  double energy_high_j = 0.0;    ///< with the higher one
  std::uint64_t bytes_read = 0;  ///< of device memory, instructions included
  std::uint64_t bytes_written = 0;
  std::string origin;                           ///< "rtl", "model" or "published"
  std::map<std::string, std::uint64_t> events;  ///< counters, by the names of docs/registers.md
};

/// What a network costs: its quantised layers one after the other. Pooling, additions and the
/// host's part are not in it.
struct Costs {
  std::vector<LayerCost> layers;  ///< in the network's order
  std::uint64_t cycles = 0;       ///< sums over the layers
  double latency_s = 0.0;
  double energy_j = 0.0;
  double energy_high_j = 0.0;
  double clock_mhz = 0.0;
  int batch = 1;
  std::size_t simulated = 0;   ///< layers that ran on a device now
  std::size_t from_store = 0;  ///< layers that were measured before
};

/// How to measure.
struct MeasureOptions {
  Cycles cycles = Cycles::kRtl;
  std::string store;        ///< file of measurements; empty: ~/.cache/bittern/measurements.db
  std::size_t workers = 0;  ///< simulations at once; 0: one for each processor
};

/// Where the files and the programs of an installation lie.
struct Places {
  /// Folder that holds configs/. Empty: found from the place of the running program.
  std::string home = BITTERN_INSTALLED_HOME;
  /// Folder with the devices (bittern-device-*). Empty: that of the running program.
  std::string programs = BITTERN_INSTALLED_PROGRAMS;
};

/// Access to the networks, variants and devices of an installation. Its functions throw Error.
class Session {
 public:
  /// The environment wins: $BITTERN_HOME and $BITTERN_DEVICES_DIR. `places.home` becomes
  /// $BITTERN_HOME of this process when that is not set, as devices need it, too.
  explicit Session(const Places& places = {});

  /// Names of the networks and of the variants that are installed, sorted.
  std::vector<std::string> networks() const;
  std::vector<std::string> variants() const;

  /// Layers of a network: a name of networks(), or a path that ends in .yaml.
  std::vector<Layer> layers(const std::string& network) const;

  /// Costs of a network on a variant (names, or paths that end in .yaml). `bits` has an element for
  /// every layer, or one for all of them.
  Costs measure(const std::string& network, const std::string& variant,
                const std::vector<Bits>& bits, const MeasureOptions& options = {}) const;

 private:
  std::string programs_;
};

}  // namespace bittern::api
