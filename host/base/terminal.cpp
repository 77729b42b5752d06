#include "host/base/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "host/base/error.h"
#include "host/base/yaml.h"

namespace bittern {
namespace {

constexpr std::size_t kLeastColumns = 20;
constexpr std::size_t kUsualColumns = 80;

const char* escape_of(Style style) {
  switch (style) {
    case Style::kPlain:
      return "";
    case Style::kHeading:
      return "\x1b[1m";
    case Style::kGood:
      return "\x1b[32m";
    case Style::kWarning:
      return "\x1b[33m";
    case Style::kBad:
      return "\x1b[1;31m";
    case Style::kFaint:
      return "\x1b[2m";
  }
  return "";
}

bool set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

bool continues_code_point(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

/// Byte at which code point number `n` begins.
std::size_t byte_of(const std::string& text, std::size_t n) {
  std::size_t at = 0;
  for (; n > 0 && at < text.size(); --n) {
    do ++at;
    while (at < text.size() && continues_code_point(text[at]));
  }
  return at;
}

}  // namespace

ColourMode parse_colour_mode(const std::string& text) {
  if (text == "auto") return ColourMode::kAuto;
  if (text == "always") return ColourMode::kAlways;
  if (text == "never") return ColourMode::kNever;
  fail_usage("unknown colour mode '{}'{}", text, suggestion(text, {"auto", "always", "never"}));
}

bool is_terminal(int descriptor) {
  const char* term = std::getenv("TERM");
  return ::isatty(descriptor) == 1 && term != nullptr && *term != '\0' &&
         std::strcmp(term, "dumb") != 0;
}

bool colours_on(int descriptor, ColourMode mode) {
  if (mode != ColourMode::kAuto) return mode == ColourMode::kAlways;
  return is_terminal(descriptor) && !set("NO_COLOR");
}

std::size_t terminal_columns(int descriptor) {
  if (const char* text = std::getenv("COLUMNS")) {
    std::size_t columns = 0;
    const char* end = text + std::strlen(text);
    const auto [at, code] = std::from_chars(text, end, columns);
    if (code == std::errc() && at == end && columns >= kLeastColumns) return columns;
  }
  if (::isatty(descriptor) != 1) return 0;
  winsize size{};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return kUsualColumns;
}

std::string styled(const std::string& text, Style style, bool colour) {
  if (!colour || style == Style::kPlain) return text;
  return escape_of(style) + text + "\x1b[0m";
}

std::size_t text_width(const std::string& text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues_code_point(c); }));
}

std::string shortened(const std::string& text, std::size_t width) {
  const std::size_t all = text_width(text);
  if (all <= width) return text;
  const std::size_t kept = std::max<std::size_t>(width, 3) - 2;
  const std::size_t tail = kept / 2;
  return text.substr(0, byte_of(text, kept - tail)) + ".." + text.substr(byte_of(text, all - tail));
}

}  // namespace bittern
