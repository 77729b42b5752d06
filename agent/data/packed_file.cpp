#include "agent/data/packed_file.h"

#include <lzma.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "host/base/error.h"

namespace bittern {

namespace fs = std::filesystem;

class PackedReader::Source {
 public:
  virtual ~Source() = default;
  virtual std::size_t read(std::uint8_t* to, std::size_t size) = 0;
  virtual bool compressed() const = 0;
};

namespace {

constexpr std::size_t kPiece = std::size_t{1} << 16;
/// Of the unpacker; xz -9 needs 65 MiB.
constexpr std::uint64_t kMostMemory = std::uint64_t{256} << 20;

[[noreturn]] void fail_damaged(const fs::path& path, const std::string& why) {
  fail("{}: the compressed stream is damaged ({}); download the file again", path.string(), why);
}

/// The bytes as they lie in the file, with those of the first piece seen beforehand.
class Plain : public PackedReader::Source {
 public:
  explicit Plain(const fs::path& path) : path_(path), file_(std::fopen(path.c_str(), "rb")) {
    if (!file_) fail("{}: cannot open for reading", path.string());
    if (fs::is_directory(path)) fail("{}: is a folder, expected a file", path.string());
    fill();
  }

  std::size_t read(std::uint8_t* to, std::size_t size) override {
    std::size_t total = 0;
    while (total < size) {
      if (at_ == end_ && !fill()) break;
      const std::size_t take = std::min(size - total, end_ - at_);
      std::memcpy(to + total, piece_.data() + at_, take);
      at_ += take;
      total += take;
    }
    return total;
  }
  bool compressed() const override { return false; }

  bool begins_with(std::initializer_list<std::uint8_t> bytes) const {
    return end_ - at_ >= bytes.size() &&
           std::equal(bytes.begin(), bytes.end(),
                      piece_.begin() + static_cast<std::ptrdiff_t>(at_));
  }
  /// What is there of the file without reading on; `fill()` first.
  const std::uint8_t* data() const { return piece_.data() + at_; }
  std::size_t available() const { return end_ - at_; }
  void skip(std::size_t bytes) { at_ += bytes; }
  /// Reads the next piece when this one is used up. False at the end of the file.
  bool fill() {
    if (at_ < end_) return true;
    at_ = 0;
    end_ = std::fread(piece_.data(), 1, piece_.size(), file_.get());
    if (end_ == 0 && std::ferror(file_.get()) != 0) fail("{}: cannot be read", path_.string());
    return end_ > 0;
  }
  const fs::path& path() const { return path_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  fs::path path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::array<std::uint8_t, kPiece> piece_{};
  std::size_t at_ = 0;
  std::size_t end_ = 0;
};

/// What unpacks: `step` takes from the plain bytes and gives unpacked ones until it has ended.
class Unpacking : public PackedReader::Source {
 public:
  explicit Unpacking(std::unique_ptr<Plain> plain) : plain_(std::move(plain)) {}
  std::size_t read(std::uint8_t* to, std::size_t size) override {
    std::size_t total = 0;
    while (total < size && !ended_) total += step(to + total, size - total);
    if (total < size || ended_) check_end();
    return total;
  }
  bool compressed() const override { return true; }

 protected:
  /// Unpacks up to `size` bytes; sets ended_ at the end of the stream.
  virtual std::size_t step(std::uint8_t* to, std::size_t size) = 0;
  Plain& plain() { return *plain_; }
  const fs::path& path() const { return plain_->path(); }
  void end() { ended_ = true; }

 private:
  void check_end() {
    if (plain_->fill()) fail_damaged(path(), "bytes behind its end");
  }
  std::unique_ptr<Plain> plain_;
  bool ended_ = false;
};

class Gzip : public Unpacking {
 public:
  explicit Gzip(std::unique_ptr<Plain> plain) : Unpacking(std::move(plain)) {
    constexpr int kGzip = 15 + 16;  // the largest window, a gzip header
    if (::inflateInit2(&stream_, kGzip) != Z_OK) fail("{}: zlib does not start", path().string());
  }
  ~Gzip() override { ::inflateEnd(&stream_); }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

 private:
  std::size_t step(std::uint8_t* to, std::size_t size) override {
    const bool more = plain().fill();
    stream_.next_in = const_cast<Bytef*>(plain().data());
    stream_.avail_in = static_cast<uInt>(plain().available());
    const auto room = static_cast<uInt>(std::min<std::size_t>(size, 1U << 30));
    stream_.next_out = to;
    stream_.avail_out = room;
    const int status = ::inflate(&stream_, Z_NO_FLUSH);
    plain().skip(plain().available() - stream_.avail_in);
    const std::size_t got = room - stream_.avail_out;
    if (status == Z_STREAM_END) {
      end();
    } else if (status == Z_BUF_ERROR || (status == Z_OK && got == 0 && !more)) {
      fail_damaged(path(), "cut off");
    } else if (status != Z_OK) {
      fail_damaged(path(), stream_.msg != nullptr ? stream_.msg : "no gzip stream");
    }
    return got;
  }
  z_stream stream_{};
};

class Xz : public Unpacking {
 public:
  explicit Xz(std::unique_ptr<Plain> plain) : Unpacking(std::move(plain)) {
    if (::lzma_stream_decoder(&stream_, kMostMemory, 0) != LZMA_OK) {
      fail("{}: liblzma does not start", path().string());
    }
  }
  ~Xz() override { ::lzma_end(&stream_); }
  Xz(const Xz&) = delete;
  Xz& operator=(const Xz&) = delete;

 private:
  std::size_t step(std::uint8_t* to, std::size_t size) override {
    const bool more = plain().fill();
    stream_.next_in = plain().data();
    stream_.avail_in = plain().available();
    stream_.next_out = to;
    stream_.avail_out = size;
    const lzma_ret status = ::lzma_code(&stream_, more ? LZMA_RUN : LZMA_FINISH);
    plain().skip(plain().available() - stream_.avail_in);
    if (status == LZMA_STREAM_END) {
      end();
    } else if (status == LZMA_BUF_ERROR) {
      fail_damaged(path(), "cut off");
    } else if (status != LZMA_OK) {
      fail_damaged(path(), fmt::format("liblzma's error {}", int{status}));
    }
    return size - stream_.avail_out;
  }
  lzma_stream stream_ = LZMA_STREAM_INIT;
};

std::unique_ptr<PackedReader::Source> opened(const fs::path& path) {
  auto plain = std::make_unique<Plain>(path);
  if (plain->begins_with({0x1f, 0x8b})) return std::make_unique<Gzip>(std::move(plain));
  if (plain->begins_with({0xfd, '7', 'z', 'X', 'Z', 0})) {
    return std::make_unique<Xz>(std::move(plain));
  }
  return plain;
}

}  // namespace

PackedReader::PackedReader(const fs::path& path) : path_(path), source_(opened(path)) {}
PackedReader::~PackedReader() = default;
PackedReader::PackedReader(PackedReader&&) noexcept = default;
PackedReader& PackedReader::operator=(PackedReader&&) noexcept = default;

std::size_t PackedReader::read(std::uint8_t* to, std::size_t size) {
  return source_->read(to, size);
}

void PackedReader::read_exactly(std::uint8_t* to, std::size_t size, const std::string& what) {
  const std::size_t got = read(to, size);
  if (got == size) return;
  fail("{}: truncated: {} of {} bytes of {}; download the file again", path_.string(), got, size,
       what);
}

bool PackedReader::compressed() const { return source_->compressed(); }

fs::path plain_or_packed(const fs::path& folder, const std::string& file, const std::string& what) {
  for (const char* packed : {"", ".gz", ".xz"}) {
    fs::path path = folder / (file + packed);
    if (fs::exists(path)) return path;
  }
  fail("{}: neither {} nor {}.gz nor {}.xz is there; {}", folder.string(), file, file, file, what);
}

namespace {

/// Up to `most` bytes at the end of a file.
std::vector<std::uint8_t> last_bytes(const fs::path& path, std::uint64_t size, std::uint64_t most) {
  std::ifstream file(path, std::ios::binary);
  const std::uint64_t count = std::min(size, most);
  std::vector<std::uint8_t> bytes(count);
  file.seekg(static_cast<std::streamoff>(size - count));
  file.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(count));
  if (!file) fail("{}: cannot be read", path.string());
  return bytes;
}

std::uint64_t unpacked_size_of_xz(const fs::path& path, std::uint64_t size) {
  constexpr std::uint64_t kMostIndex = std::uint64_t{1} << 24;
  constexpr std::uint64_t kFooter = LZMA_STREAM_HEADER_SIZE;
  const std::vector<std::uint8_t> footer = last_bytes(path, size, kFooter);
  lzma_stream_flags flags{};
  if (footer.size() != kFooter || ::lzma_stream_footer_decode(&flags, footer.data()) != LZMA_OK ||
      flags.backward_size > kMostIndex || flags.backward_size + kFooter > size) {
    fail_damaged(path, "its end is missing");
  }
  const std::vector<std::uint8_t> index = last_bytes(path, size, flags.backward_size + kFooter);
  lzma_index* decoded = nullptr;
  std::uint64_t memory = kMostMemory;
  std::size_t at = 0;
  if (::lzma_index_buffer_decode(&decoded, &memory, nullptr, index.data(), &at,
                                 flags.backward_size) != LZMA_OK) {
    fail_damaged(path, "its index");
  }
  const std::uint64_t bytes = ::lzma_index_uncompressed_size(decoded);
  ::lzma_index_end(decoded, nullptr);
  return bytes;
}

}  // namespace

std::uint64_t unpacked_size(const fs::path& path) {
  const Plain plain(path);
  const std::uint64_t size = fs::file_size(path);
  if (plain.begins_with({0xfd, '7', 'z', 'X', 'Z', 0})) return unpacked_size_of_xz(path, size);
  if (!plain.begins_with({0x1f, 0x8b})) return size;
  const std::vector<std::uint8_t> end = last_bytes(path, size, 4);
  if (end.size() != 4) fail_damaged(path, "cut off");
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < 4; ++i) bytes |= std::uint64_t{end[i]} << (8 * i);
  return bytes;
}

std::vector<std::uint8_t> read_packed(const fs::path& path, std::size_t most) {
  PackedReader reader(path);
  constexpr std::size_t kStep = std::size_t{1} << 20;
  std::vector<std::uint8_t> data;
  for (;;) {
    const std::size_t before = data.size();
    data.resize(before + kStep);
    const std::size_t got = reader.read(data.data() + before, kStep);
    data.resize(before + got);
    if (data.size() > most) {
      fail("{}: holds more than the {} bytes that are expected", path.string(), most);
    }
    if (got < kStep) return data;
  }
}

}  // namespace bittern
