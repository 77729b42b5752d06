#include "agent/data/label_list.h"

#include <charconv>
#include <map>

#include "host/base/error.h"
#include "host/base/text.h"

namespace bittern {
namespace {

constexpr int kMostClasses = 1 << 20;
constexpr const char* kBlanks = " \t\r";

std::string_view trimmed(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(kBlanks) - begin + 1);
}

/// A number of a class, or -1.
int class_number(std::string_view text) {
  int value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && value >= 0 && value < kMostClasses ? value : -1;
}

/// Calls `body` with every line that says something, and its number.
template <typename Body>
void for_lines(std::string_view text, Body body) {
  int number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    ++number;
    if (!line.empty() && line[0] != '#') body(line, number);
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

std::vector<LabelledFile> parse_label_list(std::string_view text, const std::string& name) {
  std::vector<LabelledFile> found;
  std::map<std::string, int> lines;
  for_lines(text, [&](std::string_view line, int number) {
    const std::size_t blank = line.find_last_of(kBlanks);
    const int label = blank == std::string_view::npos ? -1 : class_number(line.substr(blank + 1));
    if (label < 0) {
      fail("{}:{}: '{}': expected a file, a blank and the number of a class, 0..{}", name, number,
           shortened(printable(line)), kMostClasses - 1);
    }
    LabelledFile entry{std::string(trimmed(line.substr(0, blank))), label, number};
    const auto [other, added] = lines.emplace(entry.file, number);
    if (!added) {
      fail("{}:{}: a second line for '{}', which line {} has", name, number,
           shortened(printable(entry.file)), other->second);
    }
    found.push_back(std::move(entry));
  });
  if (found.empty()) fail("{}: no line with an image and its class", name);
  return found;
}

std::vector<std::string> parse_class_list(std::string_view text, const std::string& name) {
  std::map<int, std::string> ids;
  std::map<std::string, int> numbers;
  for_lines(text, [&](std::string_view line, int number) {
    const std::size_t blank = line.find_first_of(kBlanks);
    const int index = class_number(line.substr(0, blank));
    const std::string_view rest =
        blank == std::string_view::npos ? std::string_view() : trimmed(line.substr(blank));
    if (index < 0 || rest.empty()) {
      fail("{}:{}: '{}': expected the number of a class, 0..{}, a blank and its id", name, number,
           shortened(printable(line)), kMostClasses - 1);
    }
    const std::string id(rest.substr(0, rest.find_first_of(kBlanks)));
    if (!ids.emplace(index, id).second) fail("{}:{}: class {} is there twice", name, number, index);
    if (!numbers.emplace(id, index).second) {
      fail("{}:{}: id '{}' is there twice", name, number, shortened(printable(id)));
    }
  });
  if (ids.empty()) fail("{}: no line with a class", name);
  if (ids.rbegin()->first + 1 != static_cast<int>(ids.size())) {
    fail("{}: {} classes, but the greatest number is {}: expected 0 and up, each once", name,
         ids.size(), ids.rbegin()->first);
  }
  std::vector<std::string> list;
  for (auto& [index, id] : ids) list.push_back(std::move(id));
  return list;
}

}  // namespace bittern
