#include "host/base/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "host/base/table.h"
#include "host/base/terminal.h"

namespace bittern {

std::string count_text(std::uint64_t count) {
  return count < 10000 ? std::to_string(count) : si(static_cast<double>(count), "");
}

std::string rate_text(double per_second, const std::string& unit) {
  constexpr double kMinute = 60.0;
  constexpr double kHour = 3600.0;
  // From one a minute and one an hour on, so that the number is not below 1 where that can be.
  if (per_second < 1.0 && per_second > 0.0) {
    const bool minute = per_second * kMinute >= 1.0;
    return fmt::format("{:.1f} {}/{}", per_second * (minute ? kMinute : kHour), unit,
                       minute ? "min" : "h");
  }
  return fmt::format("{} {}/s", si(per_second, ""), unit);
}

std::string clock_text(double seconds) {
  if (!(seconds >= 0) || seconds > 1e9) return "?";
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::string meter_text(const std::string& label, const Meter& meter, double elapsed_s,
                       std::size_t columns) {
  std::vector<std::string> parts;
  const double rate =
      elapsed_s > 0 ? static_cast<double>(meter.done - meter.before) / elapsed_s : 0.0;
  if (!meter.unit.empty()) {
    const std::string total = meter.total > 0 ? "/" + count_text(meter.total) : "";
    parts.push_back(fmt::format("{}{} {}", count_text(meter.done), total, meter.unit));
    if (meter.total > 0) {
      const double share = static_cast<double>(meter.done) / static_cast<double>(meter.total);
      parts.push_back(fmt::format("{} %", static_cast<int>(100.0 * std::min(1.0, share))));
    }
    if (rate > 0) parts.push_back(rate_text(rate, meter.unit));
    if (meter.total > meter.done && rate > 0) {
      parts.push_back("ETA " + clock_text(static_cast<double>(meter.total - meter.done) / rate));
    }
  }
  if (!meter.note.empty()) parts.push_back(meter.note);
  std::string line = columns > 0 ? shortened(label, columns) : label;
  for (const std::string& part : parts) {
    if (columns > 0 && text_width(line) + 2 + text_width(part) > columns) break;
    line += "  " + part;
  }
  return line;
}

}  // namespace bittern
