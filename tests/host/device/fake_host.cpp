// A host that starts a fake device and waits to be killed:  fake_host FOLDER idle|running
// Prints the number of the device's process.
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string>
#include <thread>

#include "host/device/start.h"
#include "tests/host/device/fake_variant.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  bittern::DeviceOptions options;
  options.folder = argv[1];
  std::unique_ptr<bittern::Device> device;
  // The thread that starts a device may end long before the device does.
  std::thread([&] {
    device = bittern::start_device(bittern::testing::fake_variant(), options);
  }).join();
  const std::string name = device->name();
  std::printf("%s\n", name.substr(name.rfind(' ') + 1).c_str());
  std::fflush(stdout);
  if (std::string(argv[2]) == "running") {
    device->write_memory(
        0, bittern::testing::fake_program(~std::uint64_t{0}, bittern::testing::FakeProgram::kSlow));
    device->run({0, 1, 0, ~std::uint64_t{0}});
  }
  while (true) ::pause();
}
