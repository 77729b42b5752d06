#include "host/protocol/device_arguments.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <vector>

#include "host/base/error.h"
#include "host/base/log.h"

namespace bittern {
namespace {

/// A day; longer silences are 0, never.
constexpr int kMostSeconds = 86400;

/// An option of every device.
struct DeviceOption {
  const char* name;
  const char* value;  ///< what stands behind it; empty: nothing
  std::string about;
  std::function<void(DeviceArguments&, const std::string&)> set;
};

int number(const char* name, const std::string& text, int most, const char* expected) {
  int value = -1;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size() || value < 0 || value > most) {
    fail_usage("{} {}: expected {}", name, text, expected);
  }
  return value;
}

/// All options: what is parsed and what the help says.
std::vector<DeviceOption> device_options() {
  using Arguments = DeviceArguments;
  const Arguments defaults;
  return {
      {"--fd", "N", "serve one client on an inherited socket, then exit",
       [](Arguments& a, const std::string& text) {
         a.fd = number("--fd", text, 1 << 20, "the number of an inherited socket");
       }},
      {"--listen", "ADDRESS",
       "serve clients one after another on unix:PATH or tcp:HOST:PORT (this machine unless HOST is "
       "given; port 0: any free one, printed)",
       [](Arguments& a, const std::string& text) { a.listen = Endpoint::parse(text); }},
      {"--once", "", "with --listen: exit after the first client",
       [](Arguments& a, const std::string&) { a.once = true; }},
      {"--idle-timeout", "SECONDS",
       fmt::format("with --listen: drop a client that asks for nothing for so long; 0: never "
                   "(otherwise {})",
                   defaults.idle_timeout.count()),
       [](Arguments& a, const std::string& text) {
         a.idle_timeout = std::chrono::seconds(
             number("--idle-timeout", text, kMostSeconds, "seconds, 0 to 86400"));
       }},
      {"--variant", "FILE",
       "file of the variant that the host has read: simulations take their memory model and clock "
       "from it",
       [](Arguments& a, const std::string& text) { a.variant = text; }},
      {"--log-level", "LEVEL",
       fmt::format("what is logged: {} (otherwise {})", fmt::join(log_levels(), ", "),
                   defaults.log_level),
       [](Arguments& a, const std::string& text) {
         const std::vector<std::string>& levels = log_levels();
         if (std::find(levels.begin(), levels.end(), text) == levels.end()) {
           fail_usage("--log-level {}: expected one of {}", text, fmt::join(levels, ", "));
         }
         a.log_level = text;
       }},
      {"--identity", "", "print what this device is, and leave",
       [](Arguments& a, const std::string&) { a.identity = true; }},
      {"--help", "", "print this, and leave",
       [](Arguments& a, const std::string&) { a.help = true; }},
  };
}

}  // namespace

DeviceArguments DeviceArguments::parse(int argc, char** argv) {
  DeviceArguments arguments;
  if (argc > 0) arguments.program = argv[0];
  const std::vector<DeviceOption> options = device_options();
  for (int i = 1; i < argc; ++i) {
    const std::string word = std::string(argv[i]) == "-h" ? "--help" : argv[i];
    const auto option = std::find_if(options.begin(), options.end(),
                                     [&](const DeviceOption& o) { return word == o.name; });
    if (option == options.end()) fail_usage("unknown argument '{}'", word);
    std::string value;
    if (*option->value != '\0') {
      if (i + 1 >= argc) fail_usage("{} needs a value", word);
      value = argv[++i];
    }
    option->set(arguments, value);
    if (arguments.help) return arguments;
  }
  const int modes =
      (arguments.fd ? 1 : 0) + (arguments.listen ? 1 : 0) + (arguments.identity ? 1 : 0);
  if (modes != 1) fail_usage("expected exactly one of --fd, --listen, --identity");
  return arguments;
}

std::string DeviceArguments::usage_text() const {
  return fmt::format("usage: {} --fd N | --listen ADDRESS | --identity | --help [OPTIONS]\n",
                     program);
}

std::string DeviceArguments::help_text() const {
  constexpr std::size_t kWidth = 100;
  constexpr std::size_t kIndent = 26;
  std::string out = usage_text() + "A device that serves Bittern's protocol (docs/protocol.md).\n";
  for (const DeviceOption& option : device_options()) {
    std::string line = fmt::format("  {} {}", option.name, option.value);
    line.resize(std::max(line.size(), kIndent), ' ');
    std::size_t begin = 0;
    while (begin < option.about.size()) {
      std::size_t end = option.about.find(' ', begin);
      end = std::min(end, option.about.size());
      if (line.size() > kIndent && line.size() + 1 + end - begin > kWidth) {
        out += line + "\n";
        line.assign(kIndent, ' ');
      }
      line += (line.back() == ' ' ? "" : " ") + option.about.substr(begin, end - begin);
      begin = end + 1;
    }
    out += line + "\n";
  }
  return out;
}

}  // namespace bittern
