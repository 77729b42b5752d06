#pragma once

#include "host/base/error.h"

namespace bittern {

/// The user asked to stop (Ctrl-C or SIGTERM). Nothing went wrong: whatever was finished is kept.
class Stopped : public Error {
 public:
  Stopped() : Error("stopped on request") {}
};

/// From now on, SIGINT and SIGTERM set a flag instead of ending the process; a second one ends it
/// at once.
void catch_stop_signals();

/// Whether a stop was asked for. Safe from any thread; long loops look at it.
bool stop_requested();

/// Throws Stopped when a stop was asked for.
void throw_if_stopped();

/// Asks for a stop as the signals do; `false` takes it back (tests).
void request_stop(bool stop = true);

}  // namespace bittern
