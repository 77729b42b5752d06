#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace bittern {

/// Script that makes bash, zsh or fish (`shell`) complete commands, options, words of options, and
/// names of networks, variants and campaigns (which it asks the program for).
std::string completion_script(const CLI::App& root, const std::string& shell);

}  // namespace bittern
