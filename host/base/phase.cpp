#include "host/base/phase.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <utility>

#include "host/base/terminal.h"
#include "host/base/text.h"

namespace bittern {
namespace {

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string took(double seconds) {
  return seconds < 60.0 ? fmt::format("{:.1f} s", seconds) : clock_text(seconds);
}

}  // namespace

Phases::Phases(PhaseOptions options) : options_(std::move(options)) {
  if (options_.out == nullptr) {
    options_.out = &std::cerr;
    if (!options_.terminal) {
      options_.terminal = is_terminal(STDERR_FILENO);
      options_.columns = 0;
    }
  }
  terminal_ = options_.terminal.value_or(false);
  if (!options_.now) options_.now = steady_seconds;
  start_ = options_.now();
}

Phases::~Phases() {
  const std::lock_guard lock(mutex_);
  clear();
}

Phases::Running* Phases::begin(const std::string& name, Meter meter) {
  const std::lock_guard lock(mutex_);
  const double now = options_.now();
  running_.push_back(std::make_unique<Running>());
  Running* running = running_.back().get();
  *running = {printable(name), std::move(meter), now};
  if (running_.size() > 1) {
    spdlog::debug("{}", running->name);
  } else {
    spdlog::info("{}", running->name);
    if (options_.lines && !terminal_) {
      waiting_.push_back(fmt::format("[{}] {}", clock_text(now - start_), running->name));
    }
  }
  print_lines();
  if (terminal_) {
    show(true);
  } else {
    next_ = now + options_.every_line_s;
  }
  return running;
}

void Phases::end(Running* running, const std::string& result) {
  const std::lock_guard lock(mutex_);
  print_lines();
  clear();
  const double seconds = options_.now() - running->start;
  const bool inner = running_.size() > 1;
  const std::string line =
      fmt::format("{}: {}{}{}", running->name, result, result.empty() ? "" : ", ", took(seconds));
  spdlog::log(inner ? spdlog::level::debug : spdlog::level::info, line);
  if (!inner && terminal_ && options_.lines && options_.mode != ProgressMode::kOff &&
      seconds >= options_.quiet_s) {
    *options_.out << fmt::format("[{}] {}\n", clock_text(running->start - start_), line)
                  << std::flush;
  }
  running_.erase(std::find_if(running_.begin(), running_.end(),
                              [&](const auto& known) { return known.get() == running; }));
  if (terminal_ && !running_.empty()) show(true);
}

void Phases::advance(Running* running, std::uint64_t steps, bool earlier) {
  const std::lock_guard lock(mutex_);
  running->meter.done += steps;
  if (earlier) running->meter.before += steps;
  print_lines();
  show(false);
}

void Phases::note(Running* running, const std::string& text) {
  const std::lock_guard lock(mutex_);
  running->meter.note = printable(text);
  show(false);
}

/// Lines of phases, from the time on when the command is not a quick one any more.
void Phases::print_lines() {
  if (options_.mode == ProgressMode::kOff || options_.now() - start_ < options_.quiet_s) return;
  for (const std::string& line : waiting_) *options_.out << line << "\n";
  if (!waiting_.empty()) options_.out->flush();
  waiting_.clear();
}

/// The meter of the innermost phase, when it is time for it.
void Phases::show(bool at_once) {
  const bool wanted =
      terminal_ ? options_.mode != ProgressMode::kOff : options_.mode == ProgressMode::kOn;
  if (!wanted || running_.empty()) return;
  const double now = options_.now();
  if (!at_once && now < next_) return;
  const Running& running = *running_.back();
  std::size_t columns = 0;
  if (terminal_) {
    columns = (options_.columns > 0 ? options_.columns : terminal_columns(STDERR_FILENO)) - 1;
  }
  const std::string label =
      fmt::format("[{}] {}", clock_text(running.start - start_), running.name);
  const std::string text = meter_text(label, running.meter, now - running.start, columns);
  if (terminal_) {
    *options_.out << "\r\x1b[K" << text << std::flush;
    visible_ = true;
  } else {
    *options_.out << text << "\n" << std::flush;
  }
  next_ = now + (terminal_ ? options_.every_s : options_.every_line_s);
}

void Phases::clear() {
  if (visible_) *options_.out << "\r\x1b[K" << std::flush;
  visible_ = false;
}

Phase::Phase(std::shared_ptr<Phases> phases, const std::string& name, Meter meter)
    : phases_(std::move(phases)) {
  if (phases_) running_ = phases_->begin(name, std::move(meter));
}
Phase::~Phase() {
  if (phases_) phases_->end(running_, result_);
}
void Phase::advance(std::uint64_t steps) {
  if (phases_) phases_->advance(running_, steps, false);
}
void Phase::done_before(std::uint64_t steps) {
  if (phases_) phases_->advance(running_, steps, true);
}
void Phase::note(const std::string& text) {
  if (phases_) phases_->note(running_, text);
}

}  // namespace bittern
