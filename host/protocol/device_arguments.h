#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "host/protocol/connection.h"

namespace bittern {

/// Command line of a device executable. Every device has all of these options; those that a backend
/// has no use for are accepted and ignored.
struct DeviceArguments {
  std::string program = "device";  ///< argv[0], for messages
  std::optional<int> fd;           ///< serve one client on this inherited socket, then exit
  std::optional<Endpoint> listen;  ///< serve clients one after another
  bool once = false;               ///< with listen: exit after the first client
  bool identity = false;           ///< print who it is and exit
  bool help = false;               ///< print help() and exit
  std::string variant;             ///< file of the variant that the host has read; may be empty
  std::string log_level = "info";
  /// With listen: a client that asks for nothing for so long is dropped; 0: never.
  std::chrono::seconds idle_timeout{300};

  /// Throws Error (exit status 2) for an option that there is not, a value that makes no sense, and
  /// unless there is exactly one of fd, listen, identity.
  static DeviceArguments parse(int argc, char** argv);
  /// All options, one a line or two, in the order in which they are parsed: one list for both.
  std::string help_text() const;
  /// One line.
  std::string usage_text() const;
};

}  // namespace bittern
