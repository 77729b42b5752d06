#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "host/base/progress.h"

namespace bittern {

/// When phases and meters are shown: meters on a terminal and lines elsewhere; meters everywhere;
/// nothing.
enum class ProgressMode { kAuto, kOn, kOff };

/// Where and how phases are shown. The defaults are right outside tests.
struct PhaseOptions {
  ProgressMode mode = ProgressMode::kAuto;
  /// Whether a phase leaves a line. Not where the log already says the same on stderr.
  bool lines = true;
  std::ostream* out = nullptr;   ///< stderr when null
  std::optional<bool> terminal;  ///< whether `out` can write a line anew; asked when empty
  std::size_t columns = 80;      ///< of a terminal that is not asked
  std::function<double()> now;   ///< seconds on a monotonic clock; the system's when empty
  double quiet_s = 2.0;          ///< a command that ends before leaves no line
  double every_s = 0.2;          ///< between two states of a meter on a terminal
  double every_line_s = 10.0;    ///< between two lines of a meter elsewhere
};

/// The phases of a command, on stderr and in the log. On a terminal the running phase and its meter
/// are one line that is written anew, and that stays, with the time it took, when the phase was
/// long. Elsewhere each phase is one line, "[0:12] searching, 80 episodes", with the time since the
/// command began; a command that is done within two seconds prints none. Phases within phases are
/// shown as meters only. Thread-safe. Lives longer than its phases.
class Phases {
 public:
  explicit Phases(PhaseOptions options = {});
  ~Phases();
  Phases(const Phases&) = delete;
  Phases& operator=(const Phases&) = delete;

 private:
  friend class Phase;
  struct Running {
    std::string name;
    Meter meter;
    double start = 0.0;
  };

  Running* begin(const std::string& name, Meter meter);
  void end(Running* running, const std::string& result);
  void advance(Running* running, std::uint64_t steps, bool earlier);
  void note(Running* running, const std::string& text);
  void print_lines();
  void show(bool at_once);
  void clear();

  std::mutex mutex_;
  PhaseOptions options_;
  bool terminal_ = false;
  double start_ = 0.0;
  double next_ = 0.0;
  bool visible_ = false;
  std::vector<std::string> waiting_;               ///< lines of the first two seconds
  std::vector<std::unique_ptr<Running>> running_;  ///< innermost last
};

/// A part of a command's work, for as long as this object lives, with its meter. Without Phases it
/// is not shown. Thread-safe.
///
///     Phase phase(phases, "searching, 80 episodes", {80, "episodes"});
///     phase.advance();
class Phase {
 public:
  Phase(std::shared_ptr<Phases> phases, const std::string& name, Meter meter = {});
  ~Phase();
  Phase(const Phase&) = delete;
  Phase& operator=(const Phase&) = delete;

  /// Counts `steps` more as done.
  void advance(std::uint64_t steps = 1);
  /// Counts what was done before this process and is no part of its rate.
  void done_before(std::uint64_t steps);
  /// Text behind the figures of the meter.
  void note(const std::string& text);
  /// What came out, for the log.
  void result(const std::string& text) { result_ = text; }

 private:
  std::shared_ptr<Phases> phases_;
  Phases::Running* running_ = nullptr;
  std::string result_;
};

}  // namespace bittern
