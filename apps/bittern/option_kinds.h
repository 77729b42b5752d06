#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace bittern {

// Kinds of options. Each gives the option its check and its type name, which help, man pages and
// completion show. A value that fails is wrong usage (exit status 2), said before the command
// begins; an option that takes one value may be given once.

/// A decimal whole number from `low` to `high`.
CLI::Option* whole_number(CLI::Option* option, std::int64_t low, std::int64_t high);

/// A decimal number from `low` (with `above`: above it) to `high`; neither infinite nor "nan".
CLI::Option* real_number(CLI::Option* option, double low, double high, bool above = false);

/// One of these words; the message names the nearest.
CLI::Option* one_of(CLI::Option* option, const std::vector<std::string>& words);

/// Text that is not empty. `type` says what it is: a kind that completion knows (kNetwork ...) or
/// any other word.
CLI::Option* text_of(CLI::Option* option, const std::string& type);

// Type names that completion knows.
constexpr const char* kNetwork = "NETWORK";
constexpr const char* kVariant = "VARIANT";
constexpr const char* kCampaign = "CAMPAIGN";
constexpr const char* kFile = "FILE";
constexpr const char* kFolder = "FOLDER";

/// The words of one_of(); none for other options.
std::vector<std::string> words_of(const CLI::Option& option);

}  // namespace bittern
