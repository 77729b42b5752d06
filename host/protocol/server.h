#pragma once

#include <chrono>

#include "host/protocol/backend.h"
#include "host/protocol/connection.h"
#include "host/protocol/device_arguments.h"

namespace bittern {

/// How a server deals with its client. The defaults are right outside tests.
struct ServeOptions {
  /// A frame that is not complete, or a peer that does not read, for so long (plus the time of its
  /// bytes) ends the connection.
  std::chrono::milliseconds frame_timeout{30000};
  /// A client that has not said hello by then is dropped; 0: never.
  std::chrono::milliseconds hello_timeout{0};
  /// A client that asks for nothing for so long is dropped; 0: never. A run is no silence.
  std::chrono::milliseconds idle_timeout{0};
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
  kIdle,       ///< it was silent for too long and was told so
};

/// Answers requests of one client until it goes away. Every malformed request gets a typed error
/// answer; where the stream is still in step the connection goes on, else it ends. The death of the
/// client is noticed during a run too. Throws nothing but std::bad_alloc.
ServeEnd serve(Connection& connection, DeviceBackend& backend, const ServeOptions& options = {});

/// main() of a device executable: parses the command line (DeviceArguments), serves, returns the
/// exit status. The address that is listened on is printed on stdout as one line "listening on
/// tcp:...". Clients are served one after another, and the backend is reset between them; one that
/// comes while another is served is told so (WireError::kBusy).
int device_main(int argc, char** argv, DeviceBackend& backend);

/// The same for executables that have read their command line already, because the backend depends
/// on it.
int device_main(const DeviceArguments& arguments, DeviceBackend& backend);

}  // namespace bittern
