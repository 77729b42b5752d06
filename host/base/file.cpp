#include "host/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "host/base/error.h"
#include "host/base/file_descriptor.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;

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
  FileDescriptor fd(
      ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems cannot sync a folder; the rename itself has happened then all the same.
  if (fd.get() >= 0) ::fsync(fd.get());
}

/// Never empty, unlike parent_path().
fs::path folder_of(const fs::path& path) {
  const fs::path parent = path.parent_path();
  return parent.empty() ? "." : parent;
}

/// By the rights that the process really has.
bool may_write(const fs::path& path) {
  return ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
}

/// Where the content of an output goes.
struct Target {
  int descriptor = -1;  ///< of this process; -1: the path below
  fs::path path;        ///< with every link followed
  bool special = false;
  std::optional<mode_t> mode;  ///< of what is there
  uid_t owner = 0;             ///< likewise
  gid_t group = 0;             ///< likewise
};

/// Number of a descriptor of this process that /proc calls `name` in `folder`; -1 when it is none.
int own_descriptor(const fs::path& folder, const std::string& name) {
  const bool digits =
      !name.empty() && name.size() < 8 && name.find_first_not_of("0123456789") == std::string::npos;
  const std::string process = "/proc/" + std::to_string(::getpid());
  const bool ours =
      folder == process + "/fd" ||
      (folder.filename() == "fd" && folder.string().rfind(process + "/task/", 0) == 0);
  return digits && ours ? std::stoi(name) : -1;
}

Target target_of(const fs::path& path) {
  // Links on a file system lead to others at most this often (as in the kernel).
  constexpr int kMostLinks = 40;
  Target target;
  if (path == "-") {
    target.descriptor = STDOUT_FILENO;
    return target;
  }
  if (path.filename().empty()) fail_usage("'{}': names no file", path.string());
  fs::path at = path;
  for (int links = 0;; ++links) {
    if (links > kMostLinks) fail("{}: too many symbolic links", path.string());
    std::error_code code;
    const fs::path folder = fs::weakly_canonical(folder_of(at), code);
    if (code) fail("{}: {}", path.string(), code.message());
    // A link in there does not lead to a path: /dev/stdout may be a pipe, or a file that is being
    // written at some place.
    target.descriptor = own_descriptor(folder, at.filename().string());
    if (target.descriptor >= 0) return target;
    target.path = folder / at.filename();
    if (!fs::is_symlink(fs::symlink_status(target.path, code))) break;
    at = fs::read_symlink(target.path, code);
    if (code) fail("{}: {}", path.string(), code.message());
    if (at.is_relative()) at = folder / at;
  }
  struct stat info {};
  if (::lstat(target.path.c_str(), &info) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) fail("{}: {}", path.string(), std::strerror(errno));
    return target;
  }
  if (S_ISDIR(info.st_mode)) fail_usage("{}: is a folder, expected a file", path.string());
  target.special = !S_ISREG(info.st_mode);
  target.mode = info.st_mode & 07777;
  target.owner = info.st_uid;
  target.group = info.st_gid;
  return target;
}

/// Into what is no regular file. Waits for a reader when it is a pipe.
void write_through(const fs::path& name, const fs::path& path, std::string_view content) {
  FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY));
  if (fd.get() < 0 || !write_all(fd.get(), content) || !fd.close()) {
    fail("{}: cannot write: {}", name.string(), std::strerror(errno));
  }
}

/// A new file beside `path` and its name: as mkstemp makes one, but with the permission bits that
/// new files get.
std::pair<FileDescriptor, std::string> create_beside(const fs::path& path) {
  constexpr int kTries = 100;
  std::random_device random;
  for (int i = 0;; ++i) {
    std::string name = fmt::format("{}.tmp.{:08x}", path.string(), random());
    FileDescriptor fd(::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (fd.get() >= 0) return {std::move(fd), std::move(name)};
    if (errno != EEXIST || i == kTries) {
      fail("{}: cannot create a file beside it: {}", path.string(), std::strerror(errno));
    }
  }
}

void replace_file(const fs::path& name, const Target& target, std::string_view content) {
  std::error_code code;
  const fs::path folder = folder_of(target.path);
  fs::create_directories(folder, code);
  if (code) fail("{}: cannot create the folder: {}", folder.string(), code.message());
  if (target.mode && !may_write(target.path)) {
    fail("{}: cannot write: {}", name.string(), std::strerror(errno));
  }
  auto [fd, temporary] = create_beside(target.path);
  if (target.mode) {
    // Only root can give a file away; for others it belongs to who wrote it last.
    if (::fchown(fd.get(), target.owner, target.group) != 0 && errno == EPERM) errno = 0;
    ::fchmod(fd.get(), *target.mode);
  }
  if (!write_all(fd.get(), content) || ::fsync(fd.get()) != 0 || !fd.close() ||
      ::rename(temporary.c_str(), target.path.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    fail("{}: cannot write: {} (the former file, if any, is untouched)", name.string(),
         std::strerror(error));
  }
  sync_folder(folder);
}

}  // namespace

std::string read_file(const fs::path& path, std::size_t max_bytes) {
  FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) fail("{}: cannot open for reading: {}", path.string(), std::strerror(errno));
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) fail("{}: {}", path.string(), std::strerror(errno));
  if (S_ISDIR(info.st_mode)) fail("{}: is a folder, expected a file", path.string());
  const auto too_large = [&] {
    fail("{}: larger than {} bytes, which is more than such a file may have", path.string(),
         max_bytes);
  };
  if (info.st_size > 0 && static_cast<std::uint64_t>(info.st_size) > max_bytes) too_large();
  std::string content;
  if (info.st_size > 0) content.reserve(static_cast<std::size_t>(info.st_size) + 1);
  std::vector<char> buffer(1 << 16);
  for (;;) {
    const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("{}: cannot read: {}", path.string(), std::strerror(errno));
    if (got == 0) return content;
    content.append(buffer.data(), static_cast<std::size_t>(got));
    if (content.size() > max_bytes) too_large();
  }
}

void write_file(const fs::path& path, std::string_view content) {
  const Target target = target_of(path);
  if (target.descriptor >= 0) {
    // What was printed before comes before.
    if (target.descriptor == STDOUT_FILENO) std::cout.flush();
    if (!write_all(target.descriptor, content)) {
      fail("{}: cannot write: {}", path.string(), std::strerror(errno));
    }
  } else if (target.special) {
    write_through(path, target.path, content);
  } else {
    replace_file(path, target, content);
  }
}

void check_output_file(const fs::path& path) {
  const Target target = target_of(path);
  const auto refuse = [&path](const fs::path& what) {
    fail("{}: cannot write: {}: {}", path.string(), what.string(), std::strerror(errno));
  };
  if (target.descriptor >= 0) {
    if (::fcntl(target.descriptor, F_GETFD) < 0) refuse(path);
    return;
  }
  if (target.mode && !may_write(target.path)) refuse(target.path);
  if (target.special) return;
  // The nearest folder that is there gets the file, or the folders that are missing.
  fs::path folder = folder_of(target.path);
  std::error_code code;
  while (!fs::exists(folder, code) && folder.has_relative_path()) folder = folder_of(folder);
  if (!may_write(folder)) refuse(folder);
  if (!fs::is_directory(folder, code)) {
    errno = ENOTDIR;
    refuse(folder);
  }
}

bool is_stream(const fs::path& path) {
  const Target target = target_of(path);
  return target.descriptor >= 0 || target.special;
}

bool is_standard_output(const fs::path& path) {
  return target_of(path).descriptor == STDOUT_FILENO;
}

void append_line(const fs::path& path, std::string_view line) {
  FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644));
  if (fd.get() < 0) fail("{}: cannot open for appending: {}", path.string(), std::strerror(errno));
  // EINVAL: what is no regular file cannot be synced, and need not be.
  if (!write_all(fd.get(), std::string(line) + "\n") ||
      (::fdatasync(fd.get()) != 0 && errno != EINVAL) || !fd.close()) {
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
