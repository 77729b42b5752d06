#include "host/base/stop.h"

#include <signal.h>

#include <atomic>

namespace bittern {
namespace {

// A signal handler can reach nothing but static storage.
std::atomic<bool> stop_flag{false};
static_assert(std::atomic<bool>::is_always_lock_free);

extern "C" void on_stop_signal(int) { stop_flag.store(true); }

}  // namespace

void catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = on_stop_signal;
  sigemptyset(&action.sa_mask);
  // The first signal also puts the default action back, so that a second one always ends us.
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool stop_requested() { return stop_flag.load(); }

void throw_if_stopped() {
  if (stop_requested()) throw Stopped();
}

void request_stop(bool stop) { stop_flag.store(stop); }

}  // namespace bittern
