#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "host/device/device.h"
#include "host/device/device_client.h"
#include "host/variant/variant.h"

namespace bittern {

/// Which device runs a variant, and how it is talked to.
struct DeviceOptions {
  ClientOptions client;
  /// Folder of the executables; empty: $BITTERN_DEVICES_DIR, or beside the running executable.
  std::filesystem::path folder;
  /// How long a pool waits for a device that serves somebody else, when it has no other.
  std::chrono::milliseconds busy_patience{60000};
  /// After which time a pool tries a device again that could not be reached.
  std::chrono::milliseconds unreachable_rest{60000};
};

/// Starts a simulated device of the variant as a child process and checks who it is
/// (check_device). It is given the variant's file (--variant) and ends with the returned object.
/// Throws Error when there is no such executable or it is another variant than its file says,
/// DeviceError when it dies on the way.
std::unique_ptr<Device> start_device(const Variant& variant, const DeviceOptions& options = {});

/// Who an executable says it is, whatever that is: it is started for this question and ended.
/// Throws Error and DeviceError as start_device() does.
DeviceIdentity executable_identity(const std::filesystem::path& executable);

/// Connects to a device that runs elsewhere (a board, a simulation on another machine) and checks
/// it likewise. Throws DeviceError when nobody answers, DeviceBusy when it serves somebody else.
std::unique_ptr<Device> connect_device(const Endpoint& endpoint, const Variant& variant,
                                       const DeviceOptions& options = {});

/// Throws Error when the device is not what the variant's file describes: magic number, version of
/// the register map, core, every parameter under `rtl:` (in its hello and in its registers), memory
/// model (a board has none), memory size, RTL hash. The message names the first difference, both
/// values, and the mending (rebuild). Two round trips.
void check_device(Device& device, const Variant& variant);

}  // namespace bittern
