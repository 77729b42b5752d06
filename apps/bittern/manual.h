#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace bittern {

/// The manual page (roff, section 1) of a command with its options and those of its own commands.
std::string manual_page(const CLI::App& command);

}  // namespace bittern
