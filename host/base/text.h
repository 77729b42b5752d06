#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace bittern {

// Text from outside: names in files, what devices and tools say.

/// A code point of UTF-8 text.
struct Utf8 {
  char32_t code = 0;
  std::size_t bytes = 0;  ///< that it takes; 0: what is there is not UTF-8
};

/// The code point that begins at `position`, which is within `text`. Strict: no overlong forms, no
/// surrogates, nothing above U+10FFFF.
Utf8 utf8_at(std::string_view text, std::size_t position);

/// Whether a code point steers a terminal instead of being shown: control characters (tab and
/// newline too), and marks that turn the direction of text around or break lines.
bool steers_terminal(char32_t code);

/// `text` as it may be printed on one line: what steers a terminal is written out (\n, \x1b,
/// \u202e), bytes that are not UTF-8 become U+FFFD. Nothing else changes.
std::string printable(std::string_view text);

/// The same for text of several lines, such as an error message: newlines and tabs stay.
std::string printable_lines(std::string_view text);

/// The first `most` bytes of text that is longer, without half a character, and "...": what a
/// message quotes may be a file's whole content.
std::string shortened(std::string_view text, std::size_t most = 80);

}  // namespace bittern
