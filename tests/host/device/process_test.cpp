#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include "host/base/file.h"
#include "host/device/device_process.h"
#include "host/device/start.h"
#include "tests/host/device/fake_variant.h"
#include "tests/host/device/helpers.h"

namespace bittern {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using testing::eventually;
using testing::fake_program;
using testing::fake_variant;
using testing::FakeProgram;
using testing::fakes_folder;
using ::testing::HasSubstr;
using testing::LethalProgram;
using ::testing::Not;
using testing::open_descriptors;
using testing::pid_of;
using testing::process_runs;
using testing::process_state;
using testing::ScopedEnv;

DeviceOptions options() {
  DeviceOptions options;
  options.folder = fakes_folder();
  return options;
}

std::unique_ptr<Device> start() { return start_device(fake_variant(), options()); }

/// DeviceError of a program that ends its device; the process must be gone afterwards.
std::string death_by(LethalProgram program, const DeviceOptions& how = options()) {
  const auto device = start_device(fake_variant(), how);
  const int pid = pid_of(*device);
  device->write_memory(0, fake_program(program));
  std::string message = message_of<DeviceError>([&] { device->run({0, 1, 0, 5}); });
  EXPECT_EQ(process_state(pid), "") << "a zombie or a survivor";
  EXPECT_FALSE(device->usable());
  EXPECT_THAT(message, AllOf(HasSubstr("fake (process " + std::to_string(pid) + ")"),
                             HasSubstr("running a program of 1 instructions at 0x0")));
  return message;
}

TEST(StartDevice, GivesAWorkingDeviceThatEndsWithItsObject) {
  auto device = start();
  const int pid = pid_of(*device);
  device->write_memory(0, fake_program(55, FakeProgram::kDone));
  EXPECT_EQ(device->run({0, 1, 0, 100}).cycles, 55u);
  EXPECT_TRUE(process_runs(pid));
  device.reset();
  EXPECT_EQ(process_state(pid), "");
}

TEST(StartDevice, FindsExecutablesThroughTheEnvironment) {
  const ScopedEnv folder("BITTERN_DEVICES_DIR", fakes_folder().string());
  EXPECT_NO_THROW(start_device(fake_variant())->ping());
}

TEST(StartDevice, SaysWhereItLookedAndHowToBuild) {
  Variant variant = fake_variant();
  variant.name = "absent";
  EXPECT_THAT(message_of<Error>([&] { start_device(variant, options()); }),
              AllOf(HasSubstr((fakes_folder() / "bittern-device-absent").string()),
                    HasSubstr("--target bittern-device-absent"), HasSubstr("BITTERN_DEVICES_DIR")));
}

TEST(StartDevice, ChecksThatTheDeviceIsOfThisVariant) {
  Variant variant = fake_variant();
  variant.rtl["Dm"] = 8;
  EXPECT_THAT(message_of<Error>([&] { start_device(variant, options()); }),
              HasSubstr("rtl.Dm is 2, expected 8"));
}

TEST(StartDevice, ReportsADeviceThatEndsAtOnce) {
  const ScopedEnv env("BITTERN_FAKE_START", "exit");
  EXPECT_THAT(message_of<DeviceError>([] { start(); }),
              AllOf(HasSubstr("while starting"), HasSubstr("exited with status 5"),
                    HasSubstr("| fake device: no licence for the simulator")));
}

TEST(StartDevice, ReportsADeviceThatNeverAnswers) {
  const ScopedEnv env("BITTERN_FAKE_START", "silent");
  DeviceOptions impatient = options();
  impatient.client.answer_timeout = milliseconds(200);
  EXPECT_THAT(message_of<DeviceError>([&] { start_device(fake_variant(), impatient); }),
              AllOf(HasSubstr("no answer for 0.2 s"), HasSubstr("logged nothing")));
}

TEST(StartDevice, ReportsADeviceThatSpeaksSomethingElse) {
  const ScopedEnv env("BITTERN_FAKE_START", "noise");
  EXPECT_THAT(message_of<DeviceError>([] { start(); }), HasSubstr("is there a Bittern device?"));
}

TEST(StartDevice, ReportsAFileThatIsNoProgram) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("bittern_noexec_" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  write_file(folder / "bittern-device-fake", "no program");
  ::chmod((folder / "bittern-device-fake").c_str(), 0755);
  DeviceOptions there;
  there.folder = folder;
  EXPECT_THAT(message_of<Error>([&] { start_device(fake_variant(), there); }),
              AllOf(HasSubstr("cannot start"), HasSubstr("Exec format error")));
  std::filesystem::remove_all(folder);
}

TEST(DeadDevice, ReportsItsExitStatusAndLastLogLines) {
  EXPECT_THAT(death_by(LethalProgram::kExit),
              AllOf(HasSubstr("exited with status 3"), HasSubstr("\n  | fake device: first line"),
                    HasSubstr("\n  | fake device: something is wrong")));
}

TEST(DeadDevice, ReportsTheSignalThatKilledIt) {
  EXPECT_THAT(death_by(LethalProgram::kKilled),
              AllOf(HasSubstr("killed by signal 9"), HasSubstr("out of memory?"),
                    HasSubstr("something is wrong")));
}

TEST(DeadDevice, KeepsTheLastLinesOnly) {
  EXPECT_THAT(death_by(LethalProgram::kTalkative),
              AllOf(HasSubstr("| line 499"), HasSubstr("| line 460"), Not(HasSubstr("| line 459")),
                    Not(HasSubstr("first line"))));
}

TEST(DeadDevice, ADeviceThatHangsInARunIsKilled) {
  DeviceOptions impatient = options();
  impatient.client.run_silence = milliseconds(300);
  EXPECT_THAT(death_by(LethalProgram::kSilent, impatient),
              AllOf(HasSubstr("no answer for 0.3 s"), HasSubstr("it hangs"),
                    HasSubstr("still runs and is now killed"), HasSubstr("something is wrong")));
}

TEST(DeadDevice, IsNoticedBetweenRequests) {
  const auto device = start();
  ::kill(pid_of(*device), SIGTERM);
  EXPECT_THAT(message_of<DeviceError>([&] { device->ping(); }), HasSubstr("killed by signal 15"));
}

TEST(DeviceProcess, LeavesNoDescriptorsAndNoZombies) {
  start();  // whatever the first start opens for good
  const std::size_t before = open_descriptors(::getpid());
  for (int i = 0; i < 5; ++i) {
    start();
    death_by(LethalProgram::kExit);
  }
  EXPECT_EQ(open_descriptors(::getpid()), before);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(DeviceProcess, InheritsNothingButItsSocket) {
  // Also descriptors that were not made close-on-exec, as those of libraries often are.
  const int leaky = ::dup(STDERR_FILENO);
  const auto first = start();
  const auto second = start();
  const auto third = start();
  first->ping();
  third->ping();
  EXPECT_EQ(open_descriptors(pid_of(*first)), open_descriptors(pid_of(*third)));
  const std::string place =
      "/proc/" + std::to_string(pid_of(*third)) + "/fd/" + std::to_string(leaky);
  if (std::filesystem::exists(place)) {
    EXPECT_NE(std::filesystem::read_symlink(place),
              std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(leaky)));
  }
  ::close(leaky);
}

TEST(DeviceProcess, IsOutOfReachOfCtrlC) {
  const auto device = start();
  EXPECT_EQ(::getpgid(pid_of(*device)), pid_of(*device));
  EXPECT_NE(::getpgid(pid_of(*device)), ::getpgid(0));
}

/// A child process whose first line of output was read; killed with the object.
struct Child {
  explicit Child(std::vector<std::string> words) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid = ::fork();
    if (pid == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::execv(arguments[0], arguments.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    char letter = 0;
    while (::read(ends[0], &letter, 1) == 1 && letter != '\n') line += letter;
    ::close(ends[0]);
  }
  ~Child() { kill(); }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void kill() {
    if (pid <= 0) return;
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    pid = -1;
  }

  int pid = -1;
  std::string line;
};

TEST(DeviceProcess, EndsWhenItsHostIsKilled) {
  for (const char* mode : {"idle", "running"}) {
    // A host in a process of its own says which device it has started.
    Child host({(fakes_folder() / "fake_host").string(), fakes_folder().string(), mode});
    ASSERT_FALSE(host.line.empty());
    const int device = std::stoi(host.line);
    std::this_thread::sleep_for(milliseconds(100));
    // The thread of the host that asked for the device has ended by now.
    EXPECT_TRUE(process_runs(device)) << mode;
    host.kill();
    EXPECT_TRUE(eventually([&] { return !process_runs(device); })) << mode;
  }
}

/// Output and exit status of a shell command.
std::pair<std::string, int> shell(const std::string& command) {
  std::FILE* pipe = ::popen((command + " 2>&1").c_str(), "r");
  std::string text;
  char buffer[256];
  while (std::fgets(buffer, sizeof buffer, pipe)) text += buffer;
  const int status = ::pclose(pipe);
  return {text, WIFEXITED(status) ? WEXITSTATUS(status) : -1};
}

TEST(DeviceMain, PrintsItsIdentity) {
  const auto [text, status] =
      shell((fakes_folder() / "bittern-device-fake").string() + " --identity");
  EXPECT_EQ(status, 0);
  EXPECT_THAT(text, AllOf(HasSubstr("variant: fake\n"), HasSubstr("rtl.Dk: 64\n"),
                          HasSubstr("memory.latency_cycles: 16\n")));
}

TEST(DeviceMain, HelpNamesEveryOption) {
  const auto [text, status] = shell((fakes_folder() / "bittern-device-fake").string() + " --help");
  EXPECT_EQ(status, 0);
  for (const char* option : {"usage:", "--fd", "--listen", "--once", "--identity", "--variant",
                             "--log-level", "--idle-timeout"}) {
    EXPECT_THAT(text, HasSubstr(option));
  }
}

TEST(DeviceMain, ExplainsWrongUsage) {
  const std::string device = (fakes_folder() / "bittern-device-fake").string();
  for (const char* arguments : {"", "--fd", "--fd x", "--fd -1", "--fly", "--fd 3 --identity",
                                "--listen", "--listen nonsense"}) {
    const auto [text, status] = shell(device + " " + arguments);
    EXPECT_EQ(status, 2) << arguments;
    EXPECT_THAT(text, HasSubstr("usage:")) << arguments;
  }
  const auto [text, status] = shell(device + " --fd 77");
  EXPECT_EQ(status, 1);
  EXPECT_THAT(text, HasSubstr("descriptor 77 is no socket"));
}

class Listening : public ::testing::TestWithParam<std::string> {};

TEST_P(Listening, ServesClientsOneAfterAnother) {
  Child server({(fakes_folder() / "bittern-device-fake").string(), "--listen", GetParam()});
  const std::string prefix = "listening on ";
  ASSERT_EQ(server.line.substr(0, prefix.size()), prefix);
  const std::string address = server.line.substr(prefix.size());
  const Endpoint endpoint = Endpoint::parse(address);
  for (int i = 0; i < 3; ++i) {
    const auto device = connect_device(endpoint, fake_variant());
    EXPECT_THAT(device->name(), HasSubstr(address));
    device->write_memory(0, fake_program(55, FakeProgram::kDone));
    EXPECT_EQ(device->run({0, 1, 0, 100}).cycles, 55u);
    if (endpoint.kind == Endpoint::Kind::kTcp) {
      EXPECT_THAT(message_of<DeviceRefusal>([&] {
                    device->start_trace({"x", 0, 1});
                  }),
                  HasSubstr("not allowed over TCP"));
    } else {
      device->start_trace({"x", 0, 1});
    }
  }
  // A client that dies in a run, or sends rubbish, does not stop the server.
  {
    const auto device = connect_device(endpoint, fake_variant());
    device->write_memory(0, fake_program(~std::uint64_t{0}, FakeProgram::kSlow));
    EXPECT_THROW(device->run({0, 1, 0, ~std::uint64_t{0}},
                             [](std::uint64_t) { throw std::runtime_error("enough"); }),
                 std::runtime_error);
  }
  {
    Connection rude = Connection::connect(endpoint, milliseconds(5000));
    const std::vector<std::uint8_t> rubbish(100, 'x');
    rude.send(rubbish, {}, milliseconds(5000));
  }
  EXPECT_NO_THROW(connect_device(endpoint, fake_variant())->ping());
  server.kill();
  EXPECT_THAT(message_of<DeviceError>([&] { connect_device(endpoint, fake_variant()); }),
              HasSubstr("is the device running there?"));
}

INSTANTIATE_TEST_SUITE_P(
    Transports, Listening,
    ::testing::Values("tcp:127.0.0.1:0",
                      "unix:" + (std::filesystem::temp_directory_path() /
                                 ("bittern_listening_" + std::to_string(::getpid())))
                                    .string()),
    [](const auto& info) { return info.param.substr(0, info.param.find(':')); });

}  // namespace
}  // namespace bittern
