#pragma once

#include <cstddef>
#include <string>

namespace bittern {

/// When colours are used: on a terminal that has them, always, never.
enum class ColourMode { kAuto, kAlways, kNever };

/// "auto", "always" or "never"; throws Error (exit status 2) for anything else.
ColourMode parse_colour_mode(const std::string& text);

/// Whether text that is written to a descriptor is coloured. kAuto: when it is a terminal, $TERM is
/// set and not "dumb", and $NO_COLOR is not set (or empty; https://no-color.org).
bool colours_on(int descriptor, ColourMode mode);

/// Whether a descriptor is a terminal on which a line can be written anew.
bool is_terminal(int descriptor);

/// Columns of the terminal behind a descriptor: $COLUMNS when that is a number from 20 on, else
/// what the terminal says (80 when it says nothing). 0, no limit, when it is no terminal and
/// $COLUMNS is not set.
std::size_t terminal_columns(int descriptor);

/// What a piece of text is, for its colour.
enum class Style { kPlain, kHeading, kGood, kWarning, kBad, kFaint };

/// `text` between the escape sequences of a style; as it is when `colour` is false.
std::string styled(const std::string& text, Style style, bool colour);

/// Columns that UTF-8 text takes on a terminal: one for each code point (all that we print is
/// narrow).
std::size_t text_width(const std::string& text);

/// `text` in at most `width` columns (at least 3): its begin and its end with ".." between.
std::string shortened(const std::string& text, std::size_t width);

}  // namespace bittern
