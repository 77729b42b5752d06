#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace bittern::page {

// Parts of the reports' HTML pages: self-contained (no scripts, nothing fetched), light or dark as
// the reader's system is. Text is escaped here, unless a parameter says that it is HTML.

/// Colours of series, readable on light and on dark ground; the n-th of as many as are wanted.
std::string color(std::size_t n);

/// A whole document.
std::string document(const std::string& title, const std::string& subtitle,
                     const std::string& body_html);

/// A large figure with what it is.
std::string tile(const std::string& value, const std::string& label, const char* css = "");

/// Tiles side by side.
std::string tiles(const std::vector<std::string>& tiles_html);

/// Charts in a grid; empty ones are left out. `wide`: one below the other.
std::string charts(const std::vector<std::string>& svgs, bool wide = false);

/// A chart with a short note below it; the note may be empty.
struct Figure {
  std::string svg;
  std::string note;
};

/// Figures in a grid; those without a chart are left out. `small`: three beside each other instead
/// of two.
std::string figures(const std::vector<Figure>& figures, bool small = false);

/// A paragraph of explanation.
std::string note(const std::string& text);

/// Sentences, one below the other.
std::string list(const std::vector<std::string>& sentences);

/// What makes a page's numbers doubtful, so that nobody overlooks it; empty for no warnings.
std::string warnings(const std::vector<std::string>& texts);

/// Text as it is, line by line.
std::string verbatim(const std::string& text);

/// A cell of a table: text, and a CSS style for it.
struct Cell {
  Cell(std::string content) : text(std::move(content)) {}  // NOLINT: cells are written as texts
  Cell(const char* content) : text(content) {}             // NOLINT
  Cell(std::string content, std::string css) : text(std::move(content)), style(std::move(css)) {}
  std::string text;
  std::string style;
  std::string link = {};  ///< address that the text leads to; empty: none
};

/// Table; the first `text_columns` columns are aligned left, all others right.
std::string table(const std::vector<std::string>& heading,
                  const std::vector<std::vector<Cell>>& rows, std::size_t text_columns = 1);

/// Name and text of facts, one a line.
std::string facts(const std::vector<std::pair<std::string, std::string>>& lines);

}  // namespace bittern::page
