#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <mutex>
#include <string>

namespace bittern {

/// When a progress meter is shown: on a terminal only, always, never.
enum class ProgressMode { kAuto, kOn, kOff };

/// Where and when a meter is shown. The defaults are right outside tests.
struct ProgressOptions {
  ProgressMode mode = ProgressMode::kAuto;
  /// Unit of the second count of advance(), for example "cycles": shown as a rate. Empty: none.
  std::string work_unit;
  std::ostream* out = nullptr;  ///< stderr when null
  std::function<double()> now;  ///< seconds on a monotonic clock; the system's when empty
  double first_after_s = 2.0;   ///< nothing is shown before: short jobs stay quiet
  double every_s = 0.5;         ///< on a terminal
  double every_line_s = 10.0;   ///< where lines cannot be overwritten (forced, not a terminal)
};

/// Progress meter on stderr: done/total, percentage, rate, ETA, and the rate of a second quantity
/// ("layer 12/68 17 % 0.8/s, 0.9 M cycles/s, ETA 1:10"). Thread-safe. Its line is cleared when it
/// is destroyed.
class Progress {
 public:
  /// `label` names what is counted; `total` of 0 means unknown (no percentage, no ETA).
  Progress(std::string label, std::uint64_t total, ProgressOptions options = {});
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Counts `steps` more as done, and `work` units of the second quantity.
  void advance(std::uint64_t steps = 1, std::uint64_t work = 0);
  /// Text shown behind the figures, for example the best reward so far.
  void note(const std::string& text);
  /// Removes the meter; further calls do nothing. The destructor does this too.
  void finish();

 private:
  void show_if_due();
  std::string line(double elapsed) const;

  std::mutex mutex_;
  std::string label_;
  std::uint64_t total_;
  ProgressOptions options_;
  std::string note_;
  std::uint64_t done_ = 0;
  std::uint64_t work_ = 0;
  double start_ = 0;
  double next_ = 0;
  bool visible_ = false;
  bool terminal_ = false;
};

/// Seconds as "0:07", "12:30", "3:05:00".
std::string clock_text(double seconds);

}  // namespace bittern
