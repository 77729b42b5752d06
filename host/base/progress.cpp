#include "host/base/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <utility>

#include "host/base/table.h"
#include "host/base/text.h"

namespace bittern {
namespace {

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::size_t terminal_columns() {
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

}  // namespace

Progress::Progress(std::string label, std::uint64_t total, ProgressOptions options)
    : label_(std::move(label)), total_(total), options_(std::move(options)) {
  if (options_.out == nullptr) {
    options_.out = &std::cerr;
    terminal_ = ::isatty(STDERR_FILENO) == 1;
  }
  if (!options_.now) options_.now = steady_seconds;
  if (options_.mode == ProgressMode::kAuto && !terminal_) options_.mode = ProgressMode::kOff;
  start_ = options_.now();
  next_ = start_ + options_.first_after_s;
}

Progress::~Progress() { finish(); }

void Progress::advance(std::uint64_t steps, std::uint64_t work) {
  const std::lock_guard<std::mutex> lock(mutex_);
  done_ += steps;
  work_ += work;
  show_if_due();
}

void Progress::note(const std::string& text) {
  const std::lock_guard<std::mutex> lock(mutex_);
  note_ = printable(text);
  show_if_due();
}

void Progress::finish() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (visible_ && terminal_) *options_.out << "\r\x1b[K" << std::flush;
  visible_ = false;
  options_.mode = ProgressMode::kOff;
}

void Progress::show_if_due() {
  if (options_.mode == ProgressMode::kOff) return;
  const double now = options_.now();
  if (now < next_) return;
  std::string text = line(now - start_);
  if (terminal_) {
    const std::size_t columns = terminal_columns();
    if (text.size() >= columns) text.resize(columns - 1);
    *options_.out << "\r\x1b[K" << text << std::flush;
  } else {
    *options_.out << text << "\n" << std::flush;
  }
  visible_ = true;
  next_ = now + (terminal_ ? options_.every_s : options_.every_line_s);
}

std::string Progress::line(double elapsed) const {
  const double rate = elapsed > 0 ? static_cast<double>(done_) / elapsed : 0.0;
  std::string out = fmt::format("{} {}", label_, done_);
  if (total_ > 0) {
    out += fmt::format("/{} {}%", total_, std::min<std::uint64_t>(100, 100 * done_ / total_));
  }
  out += fmt::format("  {:.3g}/s", rate);
  if (!options_.work_unit.empty() && elapsed > 0) {
    out += "  " + si(static_cast<double>(work_) / elapsed, options_.work_unit + "/s");
  }
  if (total_ > done_ && rate > 0) {
    out += "  ETA " + clock_text(static_cast<double>(total_ - done_) / rate);
  }
  if (!note_.empty()) out += "  " + note_;
  return out;
}

std::string clock_text(double seconds) {
  if (!(seconds >= 0) || seconds > 1e9) return "?";
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

}  // namespace bittern
