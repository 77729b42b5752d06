#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <exception>

#include "host/base/error.h"
#include "host/base/log.h"
#include "host/protocol/busy_door.h"
#include "host/protocol/server.h"

namespace bittern {
namespace {

/// A client that listens before it speaks is none of ours.
constexpr std::chrono::milliseconds kHelloTimeout{10000};

void print_identity(const DeviceIdentity& identity) {
  fmt::print("variant: {}\ncore: {}\nkind: {}\nmemory_bytes: {}\nrtl_hash: {}\n", identity.variant,
             identity.core, identity.kind == DeviceKind::kBoard ? "board" : "simulation",
             identity.memory_bytes, identity.rtl_hash);
  for (const auto& [name, number] : identity.parameters) fmt::print("rtl.{}: {}\n", name, number);
  for (const auto& [name, number] : identity.memory) fmt::print("memory.{}: {}\n", name, number);
  for (const auto& [tool, version] : identity.tools) fmt::print("tool.{}: {}\n", tool, version);
}

const char* end_text(ServeEnd end) {
  switch (end) {
    case ServeEnd::kClosed:
      return "client left";
    case ServeEnd::kLost:
      return "client vanished";
    case ServeEnd::kMalformed:
      return "client sent malformed frames";
    case ServeEnd::kIdle:
      return "client was silent for too long and was dropped";
  }
  return "unknown";
}

void listen(const DeviceArguments& arguments, DeviceBackend& backend) {
  Listener listener(*arguments.listen);
  fmt::print("listening on {}\n", listener.endpoint().text());
  std::fflush(stdout);
  ServeOptions options;
  options.allow_trace = listener.endpoint().kind == Endpoint::Kind::kUnix;
  options.hello_timeout = kHelloTimeout;
  options.idle_timeout = arguments.idle_timeout;
  do {
    Connection connection = listener.accept();
    const BusyDoor door(listener);
    const ServeEnd end = serve(connection, backend, options);
    if (end != ServeEnd::kClosed) fmt::print(stderr, "{}\n", end_text(end));
    connection.close();
    backend.reset();
  } while (!arguments.once);
}

int report(const DeviceArguments& arguments, const Error& error) {
  fmt::print(stderr, "{}: {}\n", arguments.program, error.what());
  if (error.status() == ExitStatus::kUsage) fmt::print(stderr, "{}", arguments.usage_text());
  return static_cast<int>(error.status());
}

}  // namespace

int device_main(const DeviceArguments& arguments, DeviceBackend& backend) {
  try {
    start_logging(arguments.log_level);
    if (arguments.help) {
      fmt::print("{}", arguments.help_text());
    } else if (arguments.identity) {
      print_identity(backend.identity());
    } else if (arguments.fd) {
      // The client is the host that started us: it may think for as long as it likes.
      Connection connection = Connection::from_fd(*arguments.fd);
      if (serve(connection, backend) == ServeEnd::kMalformed) {
        fail("the host sent malformed frames");
      }
    } else {
      listen(arguments, backend);
    }
    return 0;
  } catch (const Error& error) {
    return report(arguments, error);
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", arguments.program, error.what());
    return static_cast<int>(ExitStatus::kFailed);
  }
}

int device_main(int argc, char** argv, DeviceBackend& backend) {
  DeviceArguments arguments;
  try {
    if (argc > 0) arguments.program = argv[0];
    arguments = DeviceArguments::parse(argc, argv);
  } catch (const Error& error) {
    return report(arguments, error);
  }
  return device_main(arguments, backend);
}

}  // namespace bittern
