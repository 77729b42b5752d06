#include <fmt/format.h>

#include <charconv>
#include <cstdio>
#include <optional>
#include <string>

#include "host/base/error.h"
#include "host/protocol/server.h"

namespace bittern {
namespace {

constexpr const char* kUsage =
    "usage: {} --fd N | --listen unix:PATH | --listen tcp:HOST:PORT [--once] | --identity\n";
constexpr const char* kHelp =
    "A device that serves Bittern's protocol (docs/protocol.md).\n"
    "  --fd N       on an inherited socket, for one client\n"
    "  --listen A   on unix:PATH or tcp:HOST:PORT (port 0: any free one, printed); clients one "
    "after\n"
    "               the other, with --once only one\n"
    "  --identity   print what this device is, and leave\n"
    "  --variant F  ignored: hosts name the variant file that they expect\n"
    "  --help       print this, and leave\n";

/// Command line of a device.
struct Arguments {
  std::optional<int> fd;
  std::optional<Endpoint> listen;
  bool once = false;
  bool identity = false;
  bool help = false;
};

Arguments parse(int argc, char** argv) {
  Arguments arguments;
  const auto value = [&](int& i) -> std::string {
    if (i + 1 >= argc) fail_usage("{} needs a value", argv[i]);
    return argv[++i];
  };
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--fd") {
      const std::string text = value(i);
      int fd = -1;
      const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), fd);
      if (code != std::errc() || end != text.data() + text.size() || fd < 0) {
        fail_usage("--fd {}: expected the number of an inherited socket", text);
      }
      arguments.fd = fd;
    } else if (word == "--listen") {
      arguments.listen = Endpoint::parse(value(i));
    } else if (word == "--variant") {
      value(i);  // whatever is in it, the host compares it with the identity
    } else if (word == "--once") {
      arguments.once = true;
    } else if (word == "--identity") {
      arguments.identity = true;
    } else if (word == "--help" || word == "-h") {
      arguments.help = true;
      return arguments;
    } else {
      fail_usage("unknown argument '{}'", word);
    }
  }
  const int modes =
      (arguments.fd ? 1 : 0) + (arguments.listen ? 1 : 0) + (arguments.identity ? 1 : 0);
  if (modes != 1) fail_usage("expected exactly one of --fd, --listen, --identity");
  return arguments;
}

void print_identity(const DeviceIdentity& identity) {
  fmt::print("variant: {}\ncore: {}\nkind: {}\nmemory_bytes: {}\nrtl_hash: {}\n", identity.variant,
             identity.core, identity.kind == DeviceKind::kBoard ? "board" : "simulation",
             identity.memory_bytes, identity.rtl_hash);
  for (const auto& [name, number] : identity.parameters) fmt::print("rtl.{}: {}\n", name, number);
  for (const auto& [name, number] : identity.memory) fmt::print("memory.{}: {}\n", name, number);
  for (const auto& [tool, version] : identity.tools) fmt::print("tool.{}: {}\n", tool, version);
}

void listen(const Arguments& arguments, DeviceBackend& backend) {
  Listener listener(*arguments.listen);
  fmt::print("listening on {}\n", listener.endpoint().text());
  std::fflush(stdout);
  ServeOptions options;
  options.allow_trace = listener.endpoint().kind == Endpoint::Kind::kUnix;
  do {
    Connection connection = listener.accept();
    const ServeEnd end = serve(connection, backend, options);
    if (end != ServeEnd::kClosed) {
      fmt::print(stderr, "{}\n",
                 end == ServeEnd::kLost ? "client vanished" : "client sent malformed frames");
    }
    backend.reset();
  } while (!arguments.once);
}

}  // namespace

int device_main(int argc, char** argv, DeviceBackend& backend) {
  const char* name = argc > 0 ? argv[0] : "device";
  try {
    const Arguments arguments = parse(argc, argv);
    if (arguments.help) {
      fmt::print(kUsage, name);
      fmt::print("{}", kHelp);
    } else if (arguments.identity) {
      print_identity(backend.identity());
    } else if (arguments.fd) {
      Connection connection = Connection::from_fd(*arguments.fd);
      if (serve(connection, backend) == ServeEnd::kMalformed) {
        fail("the host sent malformed frames");
      }
    } else {
      listen(arguments, backend);
    }
    return 0;
  } catch (const Error& error) {
    fmt::print(stderr, "{}: {}\n", name, error.what());
    if (error.status() == ExitStatus::kUsage) fmt::print(stderr, kUsage, name);
    return static_cast<int>(error.status());
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}: {}\n", name, error.what());
    return static_cast<int>(ExitStatus::kFailed);
  }
}

}  // namespace bittern
