#include "host/base/json.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

#include "host/base/file.h"
#include "host/base/json_text.h"
#include "host/base/text.h"

namespace bittern {
namespace {

using nlohmann::json;

/// Iterator over text that tells how far the reader has come: nlohmann's parser says where it is
/// only when it fails.
class Watched {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  Watched(const char* at, const char** seen) : at_(at), seen_(seen) {}
  reference operator*() const { return *at_; }
  Watched& operator++() {
    *seen_ = ++at_;
    return *this;
  }
  Watched operator++(int) {
    Watched before = *this;
    ++*this;
    return before;
  }
  bool operator==(const Watched& other) const { return at_ == other.at_; }
  bool operator!=(const Watched& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  const char** seen_;
};

/// What an error says beyond its message.
struct Place {
  std::string_view text;
  const std::string& where;
  const JsonOptions& options;

  /// `position` is the number of bytes up to and with the one that is wrong.
  [[noreturn]] void fail(std::size_t position, const std::string& message) const {
    const std::string_view before = text.substr(0, std::min(position, text.size()));
    const auto line = options.first_line + std::count(before.begin(), before.end(), '\n');
    const std::size_t column = before.size() - (before.rfind('\n') + 1);  // npos + 1 is 0
    throw Error(fmt::format("{}:{}:{}: {}{}{}", where, line, std::max<std::size_t>(column, 1),
                            message, options.mend.empty() ? "" : "; ", options.mend),
                options.status);
  }
};

/// Builds the value from the parser's events, refusing what nlohmann's own builder lets pass.
class Builder : public json::json_sax_t {
 public:
  Builder(json& root, const Place& place, const char* const* seen)
      : root_(root), place_(place), seen_(seen) {}

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t& value) override { return add(std::move(value)); }
  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    const auto [slot, fresh] = open_.back()->emplace(name, nullptr);
    if (!fresh) {
      place_.fail(position(), fmt::format("the key \"{}\" is given twice", shortened(name)));
    }
    slot_ = &*slot;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const json::exception& error) override {
    // Its own words for the place, and a token of any length, are left out.
    std::string what = error.what();
    const std::size_t said = what.find(": ");
    if (said != std::string::npos) what.erase(0, said + 2);
    place_.fail(position, "not valid JSON: " + shortened(what, 160));
  }

 private:
  std::size_t position() const { return static_cast<std::size_t>(*seen_ - place_.text.data()); }

  template <typename Value>
  bool add(Value&& value) {
    put(std::forward<Value>(value));
    return true;
  }
  json* put(json value) {
    if (open_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    json& parent = *open_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    *slot_ = std::move(value);
    return slot_;
  }
  bool open(json value) {
    if (static_cast<int>(open_.size()) >= place_.options.max_depth) {
      place_.fail(position(),
                  fmt::format("JSON nested deeper than {} levels", place_.options.max_depth));
    }
    // The pointer stays good: a container gets no further elements while one of them is open.
    open_.push_back(put(std::move(value)));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  json& root_;
  const Place& place_;
  const char* const* seen_;
  std::vector<json*> open_;
  json* slot_ = nullptr;  ///< value of the key that was read last
};

const char* byte_order_mark(std::string_view text) {
  if (text.substr(0, 3) == "\xef\xbb\xbf") return "UTF-8";
  const std::string_view two = text.substr(0, 2);
  return two == "\xff\xfe" || two == "\xfe\xff" ? "UTF-16" : nullptr;
}

}  // namespace

json parse_json(std::string_view text, const std::string& where, const JsonOptions& options) {
  const Place place{text, where, options};
  if (text.size() > options.max_bytes) {
    place.fail(
        1, fmt::format("{} bytes of JSON, expected at most {}", text.size(), options.max_bytes));
  }
  if (const char* encoding = byte_order_mark(text)) {
    place.fail(1, fmt::format("begins with a byte order mark ({}); save it as UTF-8 without one",
                              encoding));
  }
  // The parser takes a zero byte for the end and would pass over what follows.
  const std::size_t zero = text.find('\0');
  if (zero != std::string_view::npos) place.fail(zero + 1, "not valid JSON: a zero byte");
  json root;
  const char* seen = text.data();
  Builder builder(root, place, &seen);
  json::sax_parse(Watched(text.data(), &seen), Watched(text.data() + text.size(), &seen), &builder);
  return root;
}

json load_json(const std::filesystem::path& path, const JsonOptions& options) {
  std::string text;
  try {
    text = read_file(path, options.max_bytes);
  } catch (const Error& error) {
    throw Error(error.what(), options.status);
  }
  return parse_json(text, path.string(), options);
}

std::string printed_json(const json& value) {
  const std::string text =
      with_json_numbers(value).dump(2, ' ', false, json::error_handler_t::replace);
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const Utf8 c = utf8_at(text, i);
    // The newlines are those between values: within strings they are escaped already.
    if (c.code != '\n' && steers_terminal(c.code)) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c.code));
    } else {
      out.append(text, i, c.bytes);
    }
    i += c.bytes;
  }
  return out;
}

}  // namespace bittern
