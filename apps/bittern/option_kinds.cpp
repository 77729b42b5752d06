#include "apps/bittern/option_kinds.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "host/base/terminal.h"
#include "host/base/yaml.h"

namespace bittern {
namespace {

constexpr std::size_t kShownWidth = 60;

template <typename T>
bool read_number(const std::string& text, T& value) {
  const char* end = text.data() + text.size();
  const auto [at, code] = std::from_chars(text.data(), end, value);
  return code == std::errc() && at == end;
}

/// Adds a check that may also rewrite the text. Without a description: the type name says it all.
template <typename Check>
CLI::Option* checked(CLI::Option* option, const std::string& type, Check check) {
  option->type_name(type);
  option->check(CLI::Validator(
      [check](std::string& text) -> std::string {
        const std::string problem = check(text);
        if (problem.empty()) return {};
        return problem + ", not '" + shortened(text, kShownWidth) + "'";
      },
      ""));
  return option;
}

}  // namespace

CLI::Option* whole_number(CLI::Option* option, std::int64_t low, std::int64_t high) {
  const bool bounded = high < INT64_MAX;
  return checked(option, bounded ? fmt::format("{}..{}", low, high) : "N",
                 [=](const std::string& text) -> std::string {
                   std::int64_t value = 0;
                   if (read_number(text, value) && value >= low && value <= high) return {};
                   return fmt::format("expected a whole number from {} to {}", low, high);
                 });
}

CLI::Option* real_number(CLI::Option* option, double low, double high, bool above) {
  return checked(
      option, fmt::format("{:g}..{:g}", low, high), [=](const std::string& text) -> std::string {
        double value = 0.0;
        if (read_number(text, value) && std::isfinite(value) && value <= high &&
            (above ? value > low : value >= low)) {
          return {};
        }
        return above ? fmt::format("expected a number above {:g}, at most {:g}", low, high)
                     : fmt::format("expected a number from {:g} to {:g}", low, high);
      });
}

CLI::Option* one_of(CLI::Option* option, const std::vector<std::string>& words) {
  option->type_name(fmt::format("{}", fmt::join(words, "|")));
  option->check(CLI::Validator(
      [words](std::string& text) -> std::string {
        if (std::find(words.begin(), words.end(), text) != words.end()) return {};
        return "there is no '" + shortened(text, kShownWidth) + "'" + suggestion(text, words);
      },
      ""));
  return option;
}

CLI::Option* text_of(CLI::Option* option, const std::string& type) {
  option->type_name(type);
  option->check(CLI::Validator(
      [](std::string& text) -> std::string {
        return text.empty() ? "expected something that is not empty" : "";
      },
      ""));
  return option;
}

std::vector<std::string> words_of(const CLI::Option& option) {
  std::vector<std::string> words;
  std::istringstream type(option.get_type_name());
  for (std::string word; std::getline(type, word, '|');) words.push_back(word);
  return words.size() > 1 ? words : std::vector<std::string>();
}

}  // namespace bittern
