#include "agent/data/tar.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "host/base/error.h"
#include "host/base/text.h"

namespace bittern {
namespace {

constexpr std::uint64_t kBlock = 512;
constexpr std::uint64_t kMostText = std::uint64_t{1} << 20;  ///< of a long name or pax header
constexpr std::uint64_t kMostMember = std::uint64_t{1} << 40;
using Block = std::array<std::uint8_t, kBlock>;

/// Fields of a header: offset and length.
struct Field {
  std::size_t offset;
  std::size_t length;
};
constexpr Field kName{0, 100};
constexpr Field kSize{124, 12};
constexpr Field kChecksum{148, 8};
constexpr std::size_t kType = 156;
constexpr Field kMagic{257, 5};
constexpr Field kPrefix{345, 155};

std::string text_of(const Block& block, Field field) {
  const auto begin = block.begin() + static_cast<std::ptrdiff_t>(field.offset);
  const auto end = begin + static_cast<std::ptrdiff_t>(field.length);
  return {begin, std::find(begin, end, 0)};
}

/// Octal digits, or GNU tar's binary numbers; nothing where it is neither.
std::optional<std::uint64_t> number_of(const Block& block, Field field) {
  std::uint64_t value = 0;
  if ((block[field.offset] & 0x80) != 0) {
    for (std::size_t i = 0; i < field.length; ++i) {
      const std::uint8_t byte = i == 0 ? block[field.offset] & 0x7f : block[field.offset + i];
      if (value >> 56 != 0) return std::nullopt;
      value = value << 8 | byte;
    }
    return value;
  }
  bool digits = false;
  for (const char c : text_of(block, field)) {
    if (c == ' ') {
      if (digits) break;
      continue;
    }
    if (c < '0' || c > '7') return std::nullopt;
    digits = true;
    value = value * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return digits ? std::optional(value) : std::nullopt;
}

std::uint64_t checksum_of(const Block& block) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const bool own = i >= kChecksum.offset && i < kChecksum.offset + kChecksum.length;
    sum += own ? std::uint64_t{' '} : block[i];
  }
  return sum;
}

/// What a pax header says of the member behind it.
struct PaxFields {
  std::optional<std::string> path;
  std::optional<std::uint64_t> size;
};

std::uint64_t decimal(const std::string& text, const std::string& where) {
  if (text.empty() || text.size() > 15 ||
      text.find_first_not_of("0123456789") != std::string::npos) {
    fail("{}: '{}' in an extended header, expected a number", where, shortened(printable(text)));
  }
  return std::stoull(text);
}

/// Records "length key=value\n".
PaxFields parse_pax(const std::string& text, const std::string& where) {
  PaxFields fields;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t blank = text.find(' ', at);
    if (blank == std::string::npos) fail("{}: an extended header without a length", where);
    const std::uint64_t length = decimal(text.substr(at, blank - at), where);
    if (length <= blank - at + 1 || length > text.size() - at) {
      fail("{}: an extended header of {} bytes does not fit", where, length);
    }
    const std::string record = text.substr(blank + 1, at + length - blank - 2);
    const std::size_t equals = record.find('=');
    if (equals == std::string::npos) fail("{}: an extended header without '='", where);
    const std::string key = record.substr(0, equals);
    if (key == "path") fields.path = record.substr(equals + 1);
    if (key == "size") fields.size = decimal(record.substr(equals + 1), where);
    at += length;
  }
  return fields;
}

bool begins_with(const Block& block, std::initializer_list<std::uint8_t> bytes) {
  return std::equal(bytes.begin(), bytes.end(), block.begin());
}

}  // namespace

TarFile::TarFile(const std::filesystem::path& path)
    : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  struct stat status {};
  if (!file_ || ::fstat(file_.get(), &status) != 0) {
    fail("{}: cannot open for reading: {}", path.string(), std::strerror(errno));
  }
  if (!S_ISREG(status.st_mode)) fail("{}: no regular file", path.string());
  size_ = static_cast<std::uint64_t>(status.st_size);
  index();
}

void TarFile::read_at(std::uint64_t offset, MutableBytes to) const {
  std::size_t done = 0;
  while (done < to.size()) {
    const ssize_t got =
        ::pread(file_.get(), to.data() + done, to.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) fail("{}: cannot be read at byte {}", path_.string(), offset + done);
    done += static_cast<std::size_t>(got);
  }
}

void TarFile::index() {
  std::optional<std::string> long_name;
  PaxFields pax;
  std::uint64_t at = 0;
  for (; at + kBlock <= size_;) {
    Block block{};
    read_at(at, block);
    const std::string where = fmt::format("{}: header at byte {}", path_.string(), at);
    if (at == 0 &&
        (begins_with(block, {0x1f, 0x8b}) || begins_with(block, {0xfd, '7', 'z', 'X', 'Z', 0}))) {
      fail("{}: is compressed; members of a tar file are read in place: unpack it", path_.string());
    }
    if (std::all_of(block.begin(), block.end(), [](std::uint8_t byte) { return byte == 0; })) {
      return;
    }
    const auto checksum = number_of(block, kChecksum);
    if (!checksum || *checksum != checksum_of(block)) {
      fail("{}: its checksum is wrong: no tar file, or damaged", where);
    }
    const auto stated = number_of(block, kSize);
    if (!stated) fail("{}: its size is no number", where);
    const auto type = static_cast<char>(block[kType]);
    const bool plain = type == '0' || type == 0 || type == '7';
    const std::uint64_t size = plain ? pax.size.value_or(*stated) : *stated;
    const std::uint64_t begin = at + kBlock;
    if (size > kMostMember || size > size_ - begin) {
      fail("{}: its {} bytes end behind the file's {}: the file is cut off", where, size, size_);
    }
    if (type == 'L' || type == 'x') {
      if (size > kMostText) fail("{}: {} bytes of an extended header", where, size);
      std::string text(size, '\0');
      read_at(begin, MutableBytes(reinterpret_cast<std::uint8_t*>(text.data()), text.size()));
      if (type == 'L') {
        long_name = text.substr(0, text.find('\0'));
      } else {
        pax = parse_pax(text, where);
      }
    } else {
      if (plain) {
        std::string name = text_of(block, kName);
        const std::string prefix = text_of(block, kMagic) == "ustar" ? text_of(block, kPrefix) : "";
        if (!prefix.empty()) name = prefix + "/" + name;
        members_.push_back({pax.path.value_or(long_name.value_or(name)), begin, size});
      }
      // A global header ('g') says nothing of one member.
      if (type != 'g') {
        long_name.reset();
        pax = {};
      }
    }
    at = begin + (size + kBlock - 1) / kBlock * kBlock;
  }
  // Without the two empty blocks that end an archive.
  fail("{}: ends at byte {} without the end of an archive: the file is cut off", path_.string(),
       size_);
}

std::vector<std::uint8_t> TarFile::read(const TarMember& member) const {
  std::vector<std::uint8_t> content(member.size);
  read_at(member.offset, content);
  return content;
}

}  // namespace bittern
