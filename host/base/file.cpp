#include "host/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "host/base/error.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;

/// Owns a POSIX file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  /// Closes and reports whether that worked: delayed write errors come out here.
  bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

bool write_all(int fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

void sync_folder(const fs::path& folder) {
  Descriptor fd(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems cannot sync a folder; the rename itself has happened then all the same.
  if (fd.get() >= 0) ::fsync(fd.get());
}

}  // namespace

std::string read_file(const fs::path& path, std::size_t max_bytes) {
  Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) fail("{}: cannot open for reading: {}", path.string(), std::strerror(errno));
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) fail("{}: {}", path.string(), std::strerror(errno));
  if (S_ISDIR(info.st_mode)) fail("{}: is a folder, expected a file", path.string());
  std::string content;
  if (info.st_size > 0) content.reserve(static_cast<std::size_t>(info.st_size) + 1);
  std::vector<char> buffer(1 << 16);
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("{}: cannot read: {}", path.string(), std::strerror(errno));
    if (got == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(got));
    if (content.size() > max_bytes) {
      fail("{}: larger than {} bytes, which is more than such a file may have", path.string(),
           max_bytes);
    }
  }
}

void write_file(const fs::path& path, std::string_view content) {
  if (path.has_parent_path()) {
    std::error_code code;
    fs::create_directories(path.parent_path(), code);
    if (code) fail("{}: cannot create the folder: {}", path.parent_path().string(), code.message());
  }
  std::string temporary = path.string() + ".tmp.XXXXXX";
  Descriptor fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (fd.get() < 0) fail("{}: cannot create: {}", temporary, std::strerror(errno));
  ::fchmod(fd.get(), 0644);
  if (!write_all(fd.get(), content) || ::fsync(fd.get()) != 0 || !fd.close() ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    fail("{}: cannot write: {} (the former file, if any, is untouched)", path.string(),
         std::strerror(error));
  }
  sync_folder(path.parent_path());
}

void append_line(const fs::path& path, std::string_view line) {
  Descriptor fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
  if (fd.get() < 0) fail("{}: cannot open for appending: {}", path.string(), std::strerror(errno));
  if (!write_all(fd.get(), std::string(line) + "\n") || ::fdatasync(fd.get()) != 0 || !fd.close()) {
    fail("{}: cannot append: {}", path.string(), std::strerror(errno));
  }
}

fs::path executable_folder() {
  std::error_code code;
  const fs::path self = fs::read_symlink("/proc/self/exe", code);
  if (code) fail("/proc/self/exe: {}", code.message());
  return self.parent_path();
}

fs::path home_folder() {
  std::string tried;
  const auto good = [&tried](const fs::path& folder) {
    tried += "\n  " + folder.string();
    return fs::exists(folder / "configs" / "variants");
  };
  if (const char* home = std::getenv("BITTERN_HOME")) {
    if (good(home)) return home;
    fail_usage("BITTERN_HOME={}: no configs/variants in it", home);
  }
  const fs::path start = executable_folder();
  for (fs::path folder = start; folder.has_relative_path(); folder = folder.parent_path()) {
    if (good(folder)) return folder;
    if (good(folder / "share" / "bittern")) return folder / "share" / "bittern";
  }
  // A build folder outside of the source tree.
  if (good(BITTERN_SOURCE_DIR)) return BITTERN_SOURCE_DIR;
  fail("the folder with configs/ was not found; set BITTERN_HOME to it. Tried:{}", tried);
}

}  // namespace bittern
