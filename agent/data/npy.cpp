#include "agent/data/npy.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

#include "host/base/error.h"
#include "host/base/text.h"

namespace bittern {
namespace {

constexpr std::int64_t kMostBytes = std::int64_t{1} << 62;
constexpr std::size_t kMostExtents = 32;

/// Reads the dictionary of a header, {'descr': '<u1', 'fortran_order': False, 'shape': (3, 4), }:
/// these three keys, each once, in any order.
class Dictionary {
 public:
  Dictionary(std::string_view text, const std::string& name) : rest_(text), name_(name) {}

  NpyHeader read() {
    NpyHeader header;
    bool type = false;
    bool order = false;
    bool shape = false;
    expect('{');
    while (!take('}')) {
      const std::string key = text();
      expect(':');
      if (key == "descr" && !type) {
        read_type(header);
        type = true;
      } else if (key == "fortran_order" && !order) {
        header.fortran_order = truth();
        order = true;
      } else if (key == "shape" && !shape) {
        read_shape(header);
        shape = true;
      } else {
        fail_here("the key '" + shortened(printable(key)) + "'");
      }
      if (!take(',') && !next_is('}')) fail_here("no comma");
    }
    skip_blanks();
    if (!rest_.empty()) fail_here("text behind its end");
    if (!type || !order || !shape) fail_here("a missing key");
    return header;
  }

 private:
  [[noreturn]] void fail_here(const std::string& what) const {
    fail("{}: its header has {}, expected {{'descr': ..., 'fortran_order': ..., 'shape': ...}}",
         name_, what);
  }
  void skip_blanks() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n')) rest_.remove_prefix(1);
  }
  bool next_is(char c) {
    skip_blanks();
    return !rest_.empty() && rest_[0] == c;
  }
  bool take(char c) {
    if (!next_is(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail_here(std::string("no '") + c + "' where one belongs");
  }
  std::string text() {
    const char quote = next_is('"') ? '"' : '\'';
    expect(quote);
    const std::size_t end = rest_.find(quote);
    if (end == std::string_view::npos) fail_here("text without an end");
    std::string value(rest_.substr(0, end));
    rest_.remove_prefix(end + 1);
    return value;
  }
  bool truth() {
    skip_blanks();
    for (const bool value : {false, true}) {
      const std::string_view word = value ? "True" : "False";
      if (rest_.substr(0, word.size()) != word) continue;
      rest_.remove_prefix(word.size());
      return value;
    }
    fail_here("neither True nor False");
  }
  std::int64_t number() {
    skip_blanks();
    std::int64_t value = -1;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc() || value < 0) fail_here("no number where one belongs");
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }
  void read_type(NpyHeader& header) {
    if (next_is('[')) fail("{}: is an array of records, expected one of numbers", name_);
    const std::string type = text();
    const std::string order = type.empty() ? "" : type.substr(0, 1);
    if (type.size() < 3 || std::string("<>|=").find(order) == std::string::npos) {
      fail("{}: values of type '{}' are not read", name_, shortened(printable(type)));
    }
    header.big_endian = order == ">";
    header.kind = type[1];
    int bytes = 0;
    const auto [end, error] = std::from_chars(type.data() + 2, type.data() + type.size(), bytes);
    const bool known = std::string("uifb").find(header.kind) != std::string::npos;
    if (!known || error != std::errc() || end != type.data() + type.size() || bytes < 1 ||
        bytes > 16) {
      fail("{}: values of type '{}' are not read", name_, shortened(printable(type)));
    }
    header.bytes = bytes;
  }
  void read_shape(NpyHeader& header) {
    expect('(');
    std::int64_t bytes = header.bytes;
    while (!take(')')) {
      header.shape.push_back(number());
      const std::int64_t extent = header.shape.back();
      if (extent != 0 && bytes > kMostBytes / 16 / extent) fail_here("too large a shape");
      bytes *= extent;
      if (header.shape.size() > kMostExtents) fail_here("too many extents");
      if (!take(',') && !next_is(')')) fail_here("no comma");
    }
  }

  std::string_view rest_;
  const std::string& name_;
};

}  // namespace

std::int64_t NpyHeader::elements() const {
  std::int64_t count = 1;
  for (const std::int64_t extent : shape) count *= extent;
  return count;
}

NpyHeader parse_npy_header(Bytes begin, std::uint64_t file_bytes, const std::string& name) {
  constexpr std::size_t kPrefix = 8;
  const std::string_view text(reinterpret_cast<const char*>(begin.data()), begin.size());
  if (text.size() < kPrefix || text.substr(0, 6) != std::string_view("\x93NUMPY", 6)) {
    fail("{}: no .npy file", name);
  }
  const int version = begin[6];
  if (version < 1 || version > 3) fail("{}: version {} of .npy, expected 1 to 3", name, version);
  const std::size_t width = version == 1 ? 2 : 4;
  if (text.size() < kPrefix + width) fail("{}: its header is cut off", name);
  std::size_t length = 0;
  for (std::size_t i = 0; i < width; ++i) length |= std::size_t{begin[kPrefix + i]} << (8 * i);
  if (length > text.size() - kPrefix - width) {
    fail("{}: a header of {} bytes; the file is cut off, or it is too long", name, length);
  }
  NpyHeader header = Dictionary(text.substr(kPrefix + width, length), name).read();
  header.data_offset = kPrefix + width + length;
  const auto expected =
      static_cast<std::uint64_t>(header.elements()) * static_cast<std::uint64_t>(header.bytes);
  if (file_bytes < header.data_offset || file_bytes - header.data_offset != expected) {
    fail("{}: {} bytes of values, but its shape asks for {}; cut off, or damaged", name,
         file_bytes - std::min<std::uint64_t>(file_bytes, header.data_offset), expected);
  }
  return header;
}

std::int64_t npy_integer(const NpyHeader& header, Bytes data, std::size_t i) {
  const auto size = static_cast<std::size_t>(header.bytes);
  std::uint64_t value = 0;
  for (std::size_t k = 0; k < size; ++k) {
    const std::size_t place = header.big_endian ? k : size - 1 - k;
    value = value << 8 | data[i * size + place];
  }
  const bool negative = header.kind == 'i' && size < 8 && (value >> (8 * size - 1) & 1) != 0;
  if (negative) value |= ~std::uint64_t{0} << (8 * size);
  return static_cast<std::int64_t>(value);
}

}  // namespace bittern
