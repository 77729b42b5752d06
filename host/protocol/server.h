#pragma once

#include <chrono>

#include "host/protocol/backend.h"
#include "host/protocol/connection.h"

namespace bittern {

/// How a server deals with its client. The defaults are right outside tests.
struct ServeOptions {
  /// Silence within a frame, or a peer that does not read, for so long ends the connection. Silence
  /// between frames is fine: hosts think for minutes.
  std::chrono::milliseconds frame_timeout{30000};
  /// Progress frames during a run.
  std::chrono::milliseconds progress_every{250};
  /// Whether trace_on is allowed. It writes files, so it is refused to clients that come over TCP.
  bool allow_trace = true;
};

/// Why serve() returned.
enum class ServeEnd {
  kClosed,     ///< the client closed the connection between frames
  kLost,       ///< it vanished within a frame, during a run, or stopped reading
  kMalformed,  ///< it sent what cannot be followed (bad magic, length too large) and was told so
};

/// Answers requests of one client until it goes away. Every malformed request gets a typed error
/// answer; where the stream is still in step the connection goes on, else it ends. The death of the
/// client is noticed during a run too. Throws nothing but std::bad_alloc.
ServeEnd serve(Connection& connection, DeviceBackend& backend, const ServeOptions& options = {});

/// main() of a device executable: parses the command line, serves, returns the exit status.
///
///     --fd N                     serve one client on an inherited socket, then exit
///     --listen unix:PATH         serve clients one after another, until killed
///     --listen tcp:HOST:PORT     the same; HOST is 127.0.0.1 unless given; port 0 = any free one
///     --once                     with --listen: exit after the first client
///     --identity                 print the identity as text and exit
///     --variant FILE             the variant's file that the host has read, given beside --fd; for
///                                backends that take their memory model from it, others need not
///
/// The address that is listened on is printed on stdout as one line "listening on tcp:...". Between
/// clients the backend is reset.
int device_main(int argc, char** argv, DeviceBackend& backend);

}  // namespace bittern
