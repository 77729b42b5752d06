#include "host/device/start.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <cctype>
#include <chrono>
#include <map>
#include <optional>

#include "host/base/stop.h"
#include "host/base/text.h"
#include "host/device/device_process.h"
#include "host/protocol/registers.h"

namespace bittern {
namespace {

using std::chrono::milliseconds;

/// A device has this long to end by itself after its connection was closed: it may have a trace to
/// finish.
constexpr milliseconds kGrace{1000};
/// A connection that breaks is mostly a death whose exit status comes a moment later.
constexpr milliseconds kDeathNotice{2000};

/// A client together with the process that it talks to.
class ProcessDevice : public DeviceClient {
 public:
  ProcessDevice(std::unique_ptr<DeviceProcess> process, const std::string& name,
                const ClientOptions& options)
      : DeviceClient(process->take_connection(), name, options,
                     [p = process.get()](bool gone) { return post_mortem(*p, gone); }),
        process_(std::move(process)) {}

  ~ProcessDevice() override {
    const bool healthy = usable();
    close();
    if (healthy) process_->ended(kGrace);
  }

 private:
  static std::string post_mortem(DeviceProcess& process, bool gone) {
    const auto end = process.ended(gone ? kDeathNotice : milliseconds(0));
    std::string text = end ? "the process " + *end : "the process still runs and is now killed";
    if (!end) process.kill();
    const std::vector<std::string> lines = process.log();
    if (lines.empty()) return text + "; it logged nothing";
    text += "; its last log lines:";
    for (const std::string& line : lines) text += "\n  | " + printable(line);
    return text;
  }

  std::unique_ptr<DeviceProcess> process_;
};

/// A client of a device that runs elsewhere.
class RemoteDevice : public DeviceClient {
 public:
  RemoteDevice(const Endpoint& endpoint, const std::string& name, const ClientOptions& options)
      : DeviceClient(Connection::connect(endpoint, options.connect_timeout, options.check), name,
                     options),
        endpoint_(endpoint.text()) {}

  std::string remote() const override { return endpoint_; }

 private:
  const std::string endpoint_;
};

/// "LhsDepth" -> "lhs_depth": name of an RTL parameter in the register map.
std::string register_name(const std::string& parameter) {
  std::string name;
  for (const char c : parameter) {
    if (std::isupper(static_cast<unsigned char>(c)) && !name.empty()) name += '_';
    name += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return name;
}

/// Core id of a core's name, if the register map has one.
std::optional<registers::CoreId> core_id(const std::string& core) {
  const registers::CoreMap* map = registers::core_map(core);
  return map == nullptr ? std::nullopt : std::optional(map->id);
}

/// Register index of a parameter of the core, if the core publishes it.
std::optional<std::size_t> parameter_index(const std::string& core, const std::string& parameter) {
  const registers::CoreMap* map = registers::core_map(core);
  if (map == nullptr) return std::nullopt;
  const std::string name = register_name(parameter);
  for (std::size_t i = 0; i < map->num_parameters; ++i) {
    if (map->parameters[i] == name) return i;
  }
  return std::nullopt;
}

/// Compares what a device is with what it should be.
class Check {
 public:
  Check(Device& device, const Variant& variant)
      : device_(device), variant_(variant), identity_(device.identity()) {}

  void all() {
    same("variant", variant_.name, identity_.variant);
    same("core", variant_.core, identity_.core);
    parameters();
    memory();
    hardware();
  }

 private:
  template <typename T, typename U>
  void same(const std::string& what, const T& expected, const U& got) const {
    if (expected != got) differs(what, fmt::format("{}", expected), fmt::format("{}", got));
  }

  [[noreturn]] void differs(const std::string& what, const std::string& expected,
                            const std::string& got) const {
    fail("device {} is not what {} describes: {} is {}, expected {}; {}", device_.name(),
         variant_.file.empty() ? "variant '" + variant_.name + "'" : variant_.file.string(), what,
         printable(got), expected,
         identity_.kind == DeviceKind::kBoard
             ? "load the bitstream that was made from this file"
             : fmt::format("rebuild it (target bittern-device-{})", variant_.name));
  }

  void parameters() const {
    for (const auto& [name, value] : variant_.rtl) {
      const auto found = identity_.parameters.find(name);
      if (found == identity_.parameters.end()) {
        differs("rtl." + name, std::to_string(value), "missing");
      }
      same("rtl." + name, value, found->second);
    }
  }

  void memory() const {
    same("memory size in bytes", variant_.memory.size_bytes, identity_.memory_bytes);
    if (identity_.kind == DeviceKind::kBoard) {
      same("number of settings of a memory model (a board has none)", 0u, identity_.memory.size());
      return;
    }
    const std::map<std::string, std::int64_t> expected = {
        {"latency_cycles", variant_.memory.latency_cycles},
        {"bytes_per_cycle", variant_.memory.bytes_per_cycle},
        {"outstanding", variant_.memory.outstanding}};
    for (const auto& [name, value] : expected) {
      const auto found = identity_.memory.find(name);
      if (found == identity_.memory.end()) {
        differs("memory." + name, std::to_string(value), "missing");
      }
      same("memory." + name, value, found->second);
    }
  }

  /// The registers, which the hardware itself answers.
  void hardware() {
    const std::vector<std::uint32_t> head =
        device_.read_registers({registers::kMagic, registers::kMapVersion, registers::kCoreId,
                                registers::kRtlHashLo, registers::kRtlHashHi});
    same("register magic", fmt::format("0x{:08x}", registers::kMagicValue),
         fmt::format("0x{:08x}", head[0]));
    same("version of the register map", registers::kMapVersionValue, head[1]);
    if (const auto id = core_id(variant_.core)) {
      same("register core_id", static_cast<std::uint32_t>(*id), head[2]);
    }
    const std::string& hash = identity_.rtl_hash;
    if (hash.size() < 16 || hash.size() > 64 ||
        hash.find_first_not_of("0123456789abcdef") != std::string::npos) {
      differs("RTL hash", "16 to 64 lower-case hexadecimal digits",
              fmt::format("'{}'", hash.substr(0, 80)));
    }
    same("registers rtl_hash (against its hello)", identity_.rtl_hash.substr(0, 16),
         fmt::format("{:08x}{:08x}", head[4], head[3]));

    std::vector<std::uint32_t> offsets;
    std::vector<std::pair<std::string, std::int64_t>> expected;
    for (const auto& [name, value] : variant_.rtl) {
      if (const auto index = parameter_index(variant_.core, name)) {
        offsets.push_back(registers::kParameterBase + 4 * static_cast<std::uint32_t>(*index));
        expected.emplace_back(name, value);
      }
    }
    const std::vector<std::uint32_t> values = device_.read_registers(offsets);
    for (std::size_t i = 0; i < values.size(); ++i) {
      same("parameter register " + register_name(expected[i].first), expected[i].second,
           std::int64_t{values[i]});
    }
  }

  Device& device_;
  const Variant& variant_;
  const DeviceIdentity& identity_;
};

}  // namespace

void check_device(Device& device, const Variant& variant) { Check(device, variant).all(); }

std::unique_ptr<Device> start_device(const Variant& variant, const DeviceOptions& options) {
  // The device takes its memory model from the very file that the host has read.
  std::vector<std::string> arguments;
  if (!variant.file.empty()) {
    arguments = {"--variant", std::filesystem::absolute(variant.file).string()};
  }
  // It logs as much as we do, and what it logs comes to our log (DeviceProcess).
  const auto level = spdlog::default_logger_raw()->level();
  if (level <= spdlog::level::debug) {
    const auto name = spdlog::level::to_string_view(level);
    arguments.insert(arguments.end(), {"--log-level", std::string(name.data(), name.size())});
  }
  auto process = std::make_unique<DeviceProcess>(
      find_device_executable(variant.name, options.folder), arguments);
  const std::string name = fmt::format("{} (process {})", variant.name, process->pid());
  auto device = std::make_unique<ProcessDevice>(std::move(process), name, options.client);
  check_device(*device, variant);
  spdlog::debug("device {} started, RTL {}", name, device->identity().rtl_hash);
  return device;
}

DeviceIdentity executable_identity(const std::filesystem::path& executable) {
  auto process = std::make_unique<DeviceProcess>(executable, std::vector<std::string>{});
  return ProcessDevice(std::move(process), executable.filename().string(), {}).identity();
}

std::unique_ptr<Device> connect_device(const Endpoint& endpoint, const Variant& variant,
                                       const DeviceOptions& options) {
  const std::string name = fmt::format("{} ({})", variant.name, endpoint.text());
  try {
    ClientOptions client = options.client;
    if (!client.check) client.check = throw_if_stopped;
    auto device = std::make_unique<RemoteDevice>(endpoint, name, client);
    check_device(*device, variant);
    // Most of what it said cannot be read in registers: a line that garbles answers must not give
    // its measurements another name.
    device->confirm_identity();
    return device;
  } catch (const ConnectionError& error) {
    throw DeviceError(fmt::format("device {}: {}", name, error.what()));
  }
}

}  // namespace bittern
