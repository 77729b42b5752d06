#include "host/device/device_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <future>
#include <mutex>
#include <thread>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/file_descriptor.h"

namespace bittern {
namespace {

constexpr int kDeviceFd = 3;
constexpr int kStatusFd = 4;
constexpr std::size_t kMaxLine = 1000;
/// How often the child is looked after where the kernel has no pidfd.
constexpr int kPollMs = 50;

std::pair<FileDescriptor, FileDescriptor> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail("cannot make a pipe: {}", std::strerror(errno));
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

std::string describe(int status) {
  if (WIFEXITED(status)) return fmt::format("exited with status {}", WEXITSTATUS(status));
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    const char* hint = number == SIGKILL ? "; out of memory?" : "";
    return fmt::format("was killed by signal {} ({}{})", number, strsignal(number), hint);
  }
  return fmt::format("ended with wait status 0x{:x}", status);
}

/// Descriptors of a child before they get their places.
struct ChildFds {
  int null;
  int log;
  int socket;
  int status;
};

/// Runs in the child between fork and exec: async-signal-safe calls only, because other threads of
/// the parent may have held any lock.
[[noreturn]] void become_device(const ChildFds& given, pid_t parent, const char* path,
                                char* const* arguments) {
  // First out of the way of the places where they belong.
  const int null = ::fcntl(given.null, F_DUPFD, 10);
  const int log = ::fcntl(given.log, F_DUPFD, 10);
  const int socket = ::fcntl(given.socket, F_DUPFD, 10);
  const int status = ::fcntl(given.status, F_DUPFD, 10);
  ::dup2(null, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::dup2(socket, kDeviceFd);
  ::dup3(status, kStatusFd, O_CLOEXEC);
  // Nothing else of the parent leaks into the device: a descriptor of another device's socket would
  // keep that one from seeing its host's death.
  if (::close_range(kStatusFd + 1, ~0u, 0) != 0) {
    for (int fd = kStatusFd + 1; fd < 4096; ++fd) ::close(fd);
  }
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it died before the line above
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::signal(SIGINT, SIG_DFL);
  ::execv(path, arguments);
  const int error = errno;
  if (::write(kStatusFd, &error, sizeof error) < 0) ::_exit(126);
  ::_exit(127);
}

}  // namespace

/// Starts the process and looks after it in a thread that lives as long as it does. The thread has
/// to be the one that forks: the kernel's parent-death signal comes when the forking thread ends.
class DeviceProcess::Supervisor {
 public:
  Supervisor(const std::filesystem::path& executable, const std::vector<std::string>& arguments)
      : executable_(executable.string()) {
    words_.push_back(executable_);
    words_.insert(words_.end(), {"--fd", std::to_string(kDeviceFd)});
    words_.insert(words_.end(), arguments.begin(), arguments.end());
    std::promise<void> started;
    std::future<void> result = started.get_future();
    thread_ = std::thread([this, &started] { supervise(started); });
    try {
      result.get();
    } catch (...) {
      thread_.join();
      throw;
    }
  }

  ~Supervisor() {
    kill();
    thread_.join();
  }

  Connection take_connection() {
    if (!connection_) fail("the connection of {} was taken before", executable_);
    Connection connection = std::move(*connection_);
    connection_.reset();
    return connection;
  }

  pid_t pid() const { return pid_; }

  std::optional<std::string> ended(std::chrono::milliseconds timeout) const {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, timeout, [this] { return end_.has_value(); });
    return end_;
  }

  std::vector<std::string> log() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> lines(lines_.begin(), lines_.end());
    if (!partial_.empty()) lines.push_back(partial_);
    return lines;
  }

  void kill() {
    std::unique_lock lock(mutex_);
    // Until it is reaped its number cannot belong to another process.
    if (!reaped_) ::kill(pid_, SIGKILL);
    changed_.wait(lock, [this] { return end_.has_value(); });
  }

 private:
  void supervise(std::promise<void>& started) {
    try {
      start();
    } catch (...) {
      started.set_exception(std::current_exception());
      return;
    }
    started.set_value();
    watch();
  }

  void start() {
    auto [log_read, log_write] = make_pipe();
    auto [status_read, status_write] = make_pipe();
    FileDescriptor null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
      fail("cannot make a socket pair: {}", std::strerror(errno));
    }
    FileDescriptor theirs(ends[1]);
    connection_ = Connection::from_fd(ends[0]);

    std::vector<char*> arguments;
    for (std::string& word : words_) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const ChildFds fds{null.get(), log_write.get(), theirs.get(), status_write.get()};
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ < 0) fail("cannot start {}: fork: {}", executable_, std::strerror(errno));
    if (pid_ == 0) become_device(fds, parent, executable_.c_str(), arguments.data());

    status_write.close();
    int error = 0;
    ssize_t got = 0;
    do {
      got = ::read(status_read.get(), &error, sizeof error);
    } while (got < 0 && errno == EINTR);
    if (got != 0) {
      ::waitpid(pid_, nullptr, 0);
      fail("cannot start {}: {}", executable_, got > 0 ? std::strerror(error) : "no exec");
    }
    log_ = std::move(log_read);
    ::fcntl(log_.get(), F_SETFL, O_NONBLOCK);
    pidfd_ = FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  }

  void watch() {
    while (true) {
      pollfd entries[2] = {{log_.get(), POLLIN, 0}, {pidfd_.get(), POLLIN, 0}};
      ::poll(entries, 2, pidfd_.get() >= 0 ? -1 : kPollMs);
      read_log();
      if (pidfd_.get() >= 0 && entries[1].revents == 0) continue;
      const std::lock_guard lock(mutex_);
      int status = 0;
      const pid_t got = ::waitpid(pid_, &status, WNOHANG);
      if (got == 0 || (got < 0 && errno == EINTR)) continue;
      reaped_ = true;
      // ECHILD: somebody made the kernel throw exit statuses away.
      status_ = got == pid_ ? describe(status) : "ended with unknown status";
      break;
    }
    read_log();
    const std::lock_guard lock(mutex_);
    end_ = status_;
    changed_.notify_all();
  }

  void read_log() {
    char buffer[4096];
    while (log_.get() >= 0) {
      const ssize_t got = ::read(log_.get(), buffer, sizeof buffer);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return;  // nothing more for now
      if (got == 0) {
        log_.close();
        return;
      }
      const std::lock_guard lock(mutex_);
      for (ssize_t i = 0; i < got; ++i) {
        if (buffer[i] == '\n') {
          spdlog::debug("device process {}: {}", pid_, partial_);
          lines_.push_back(std::exchange(partial_, {}));
          if (lines_.size() > kLogLines) lines_.pop_front();
        } else if (partial_.size() < kMaxLine) {
          partial_ += buffer[i];
        }
      }
    }
  }

  std::string executable_;
  std::vector<std::string> words_;
  std::optional<Connection> connection_;
  pid_t pid_ = -1;
  FileDescriptor log_;
  FileDescriptor pidfd_;
  std::string status_;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool reaped_ = false;
  std::optional<std::string> end_;
  std::deque<std::string> lines_;
  std::string partial_;
  std::thread thread_;
};

DeviceProcess::DeviceProcess(const std::filesystem::path& executable,
                             const std::vector<std::string>& arguments)
    : supervisor_(std::make_unique<Supervisor>(executable, arguments)) {}

DeviceProcess::~DeviceProcess() = default;

Connection DeviceProcess::take_connection() { return supervisor_->take_connection(); }
pid_t DeviceProcess::pid() const { return supervisor_->pid(); }
std::optional<std::string> DeviceProcess::ended(std::chrono::milliseconds timeout) const {
  return supervisor_->ended(timeout);
}
std::vector<std::string> DeviceProcess::log() const { return supervisor_->log(); }
void DeviceProcess::kill() { supervisor_->kill(); }

namespace {

constexpr const char* kExecutablePrefix = "bittern-device-";

/// Folder in which device executables are looked for.
std::filesystem::path devices_folder(const std::filesystem::path& folder) {
  if (!folder.empty()) return folder;
  const char* given = std::getenv("BITTERN_DEVICES_DIR");
  return given && *given ? std::filesystem::path(given) : executable_folder();
}

bool is_executable(const std::filesystem::path& path) {
  return ::access(path.c_str(), X_OK) == 0 && !std::filesystem::is_directory(path);
}

}  // namespace

std::map<std::string, std::filesystem::path> device_executables(
    const std::filesystem::path& folder) {
  std::map<std::string, std::filesystem::path> found;
  const std::string prefix = kExecutablePrefix;
  std::error_code code;
  for (const auto& entry : std::filesystem::directory_iterator(devices_folder(folder), code)) {
    const std::string name = entry.path().filename().string();
    if (name.size() > prefix.size() && name.compare(0, prefix.size(), prefix) == 0 &&
        is_executable(entry.path())) {
      found[name.substr(prefix.size())] = entry.path();
    }
  }
  return found;
}

std::filesystem::path find_device_executable(const std::string& variant,
                                             const std::filesystem::path& folder) {
  const std::string file = kExecutablePrefix + variant;
  std::filesystem::path path = devices_folder(folder) / file;
  if (!is_executable(path)) {
    fail(
        "no device for variant '{}': {} is not there or not executable; build it (cmake --build "
        "<build folder> --target {}) or say in $BITTERN_DEVICES_DIR in which folder it is",
        variant, path.string(), file);
  }
  return path;
}

}  // namespace bittern
