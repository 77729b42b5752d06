#include "agent/data/packed_file.h"

#include <lzma.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/span.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = std::size_t{1} << 20;
/// Of the unpacker; xz -9 needs 65 MiB.
constexpr std::uint64_t kMostMemory = std::uint64_t{256} << 20;

[[noreturn]] void fail_damaged(const fs::path& path, const std::string& why) {
  fail("{}: the compressed stream is damaged ({}); download the file again", path.string(), why);
}

[[noreturn]] void fail_large(const fs::path& path, std::size_t most) {
  fail("{}: holds more than the {} bytes that are expected", path.string(), most);
}

bool begins_with(const std::string& content, std::initializer_list<int> bytes) {
  return content.size() >= bytes.size() &&
         std::equal(bytes.begin(), bytes.end(), content.begin(),
                    [](int byte, char c) { return byte == static_cast<unsigned char>(c); });
}

/// Calls `step`, which writes up to kPiece bytes and says how many there are and whether that was
/// all, until it has ended or there is too much.
template <typename Step>
std::vector<std::uint8_t> collect(const fs::path& path, std::size_t most, Step step) {
  std::vector<std::uint8_t> data;
  for (bool ended = false; !ended;) {
    const std::size_t before = data.size();
    data.resize(before + kPiece);
    std::size_t got = 0;
    ended = step(data.data() + before, got);
    data.resize(before + got);
    if (data.size() > most) fail_large(path, most);
  }
  return data;
}

std::vector<std::uint8_t> unpack_gz(const fs::path& path, const std::string& content,
                                    std::size_t most) {
  z_stream stream{};
  constexpr int kGzip = 15 + 16;  // the largest window, a gzip header
  if (::inflateInit2(&stream, kGzip) != Z_OK) fail("{}: zlib does not start", path.string());
  struct End {
    z_stream* stream;
    ~End() { ::inflateEnd(stream); }
  } const end{&stream};
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  return collect(path, most, [&](std::uint8_t* to, std::size_t& got) {
    stream.next_out = to;
    stream.avail_out = kPiece;
    const int status = ::inflate(&stream, Z_NO_FLUSH);
    got = kPiece - stream.avail_out;
    if (status == Z_STREAM_END) {
      if (stream.avail_in != 0) fail_damaged(path, "bytes behind its end");
      return true;
    }
    if (status != Z_OK) fail_damaged(path, stream.msg != nullptr ? stream.msg : "cut off");
    if (got == 0 && stream.avail_in == 0) fail_damaged(path, "cut off");
    return false;
  });
}

std::vector<std::uint8_t> unpack_xz(const fs::path& path, const std::string& content,
                                    std::size_t most) {
  lzma_stream stream = LZMA_STREAM_INIT;
  if (::lzma_stream_decoder(&stream, kMostMemory, 0) != LZMA_OK) {
    fail("{}: liblzma does not start", path.string());
  }
  struct End {
    lzma_stream* stream;
    ~End() { ::lzma_end(stream); }
  } const end{&stream};
  stream.next_in = reinterpret_cast<const std::uint8_t*>(content.data());
  stream.avail_in = content.size();
  return collect(path, most, [&](std::uint8_t* to, std::size_t& got) {
    stream.next_out = to;
    stream.avail_out = kPiece;
    const lzma_ret status = ::lzma_code(&stream, LZMA_FINISH);
    got = kPiece - stream.avail_out;
    if (status == LZMA_STREAM_END) {
      if (stream.avail_in != 0) fail_damaged(path, "bytes behind its end");
      return true;
    }
    if (status == LZMA_BUF_ERROR) fail_damaged(path, "cut off");
    if (status != LZMA_OK) fail_damaged(path, fmt::format("liblzma's error {}", int{status}));
    return false;
  });
}

}  // namespace

fs::path plain_or_packed(const fs::path& folder, const std::string& file, const std::string& what) {
  for (const char* packed : {"", ".gz", ".xz"}) {
    fs::path path = folder / (file + packed);
    if (fs::exists(path)) return path;
  }
  fail("{}: neither {} nor {}.gz nor {}.xz is there; {}", folder.string(), file, file, file, what);
}

std::vector<std::uint8_t> read_packed(const fs::path& path, std::size_t most) {
  const std::string content = read_file(path);
  if (begins_with(content, {0x1f, 0x8b})) return unpack_gz(path, content, most);
  if (begins_with(content, {0xfd, '7', 'z', 'X', 'Z', 0})) return unpack_xz(path, content, most);
  if (content.size() > most) fail_large(path, most);
  return {content.begin(), content.end()};
}

}  // namespace bittern
