#include "agent/data/zip.h"

#include <zlib.h>

#include <algorithm>

#include "host/base/error.h"
#include "host/base/text.h"

namespace bittern {
namespace {

constexpr std::size_t kEnd = 22;      ///< bytes of the record at the end, without its comment
constexpr std::size_t kCentral = 46;  ///< of a member's entry, without its texts
constexpr std::size_t kLocal = 30;    ///< of the header before its content, likewise
constexpr std::uint64_t kMostMembers = 10000;

std::uint64_t number(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    value |= std::uint64_t{static_cast<std::uint8_t>(bytes[at + i])} << (8 * i);
  }
  return value;
}

bool has(std::string_view content, std::uint64_t at, std::uint64_t bytes) {
  return at <= content.size() && bytes <= content.size() - at;
}

/// Where the record at the end begins.
std::size_t find_end(std::string_view content, const std::string& name) {
  constexpr std::size_t kMostComment = 65535;
  if (content.size() >= kEnd) {
    const std::size_t last = content.size() - kEnd;
    for (std::size_t back = 0; back <= std::min(last, kMostComment); ++back) {
      if (content.substr(last - back, 4) == "PK\x05\x06") return last - back;
    }
  }
  fail("{}: no zip archive, or cut off", name);
}

}  // namespace

std::vector<ZipMember> parse_zip(std::string_view content, const std::string& name) {
  const std::size_t end = find_end(content, name);
  const std::uint64_t count = number(content, end + 10, 2);
  std::uint64_t at = number(content, end + 16, 4);
  if (count > kMostMembers) fail("{}: {} members, expected at most {}", name, count, kMostMembers);
  std::vector<ZipMember> members;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!has(content, at, kCentral) || content.substr(at, 4) != "PK\x01\x02") {
      fail("{}: the entry of member {} is damaged", name, i);
    }
    const std::string_view entry = content.substr(at);
    const std::uint64_t name_bytes = number(entry, 28, 2);
    const std::uint64_t texts = name_bytes + number(entry, 30, 2) + number(entry, 32, 2);
    if (!has(entry, kCentral, texts)) fail("{}: the entry of member {} is cut off", name, i);
    ZipMember member;
    member.name = std::string(entry.substr(kCentral, name_bytes));
    const std::string where = name + ": " + shortened(printable(member.name));
    const std::uint64_t method = number(entry, 10, 2);
    if ((number(entry, 8, 2) & 1) != 0) fail("{}: is encrypted", where);
    if (method != 0 && method != 8) fail("{}: packed by method {}, expected 0 or 8", where, method);
    member.deflated = method == 8;
    member.checksum = static_cast<std::uint32_t>(number(entry, 16, 4));
    const std::uint64_t packed = number(entry, 20, 4);
    member.size = number(entry, 24, 4);
    const std::uint64_t local = number(entry, 42, 4);
    if (!has(content, local, kLocal) || content.substr(local, 4) != "PK\x03\x04") {
      fail("{}: its header is damaged, or it is larger than 4 GiB", where);
    }
    const std::uint64_t begin =
        local + kLocal + number(content, local + 26, 2) + number(content, local + 28, 2);
    if (!has(content, begin, packed)) fail("{}: is cut off", where);
    member.packed = content.substr(begin, packed);
    members.push_back(std::move(member));
    at += kCentral + texts;
  }
  return members;
}

std::vector<std::uint8_t> unzip(const ZipMember& member, std::uint64_t most,
                                const std::string& name) {
  const std::string where = name + ": " + shortened(printable(member.name));
  if (member.size > most) fail("{}: {} bytes, expected at most {}", where, member.size, most);
  std::vector<std::uint8_t> content;
  if (!member.deflated) {
    content.assign(member.packed.begin(), member.packed.end());
  } else {
    z_stream stream{};
    if (::inflateInit2(&stream, -15) != Z_OK) fail("{}: zlib does not start", where);
    struct End {
      z_stream* stream;
      ~End() { ::inflateEnd(stream); }
    } const end{&stream};
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(member.packed.data()));
    stream.avail_in = static_cast<uInt>(member.packed.size());
    // Grown as data really arrives, so that a lying size costs nothing.
    constexpr std::size_t kPiece = std::size_t{1} << 20;
    int status = Z_OK;
    while (status == Z_OK && content.size() <= member.size) {
      const std::size_t before = content.size();
      content.resize(before + kPiece);
      stream.next_out = content.data() + before;
      stream.avail_out = kPiece;
      status = ::inflate(&stream, Z_NO_FLUSH);
      content.resize(before + kPiece - stream.avail_out);
    }
    if (status != Z_STREAM_END) fail("{}: damaged or cut off", where);
  }
  const bool whole = content.size() == member.size &&
                     ::crc32_z(0, content.data(), content.size()) == member.checksum;
  if (!whole) fail("{}: damaged: its content does not fit its checksum", where);
  return content;
}

}  // namespace bittern
