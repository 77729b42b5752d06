// With the real RTL of bismo_tiny, and the `bittern` command where it is built.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "host/cores/cores.h"
#include "host/cost/cost_models.h"
#include "host/device/device_process.h"
#include "host/run/random_jobs.h"
#include "host/run/validate.h"
#include "tests/host/run/fake_bismo.h"

namespace bittern {
namespace {

using ::testing::AllOf;
using testing::FakeBehaviour;
using ::testing::HasSubstr;
using testing::Served;
using testing::tiny_variant;

Network odd() {
  return load_network(std::string(BITTERN_SOURCE_DIR) + "/configs/networks/odd.yaml");
}

/// Backend that hands everything on to a device, but reads one byte wrong: a planted difference
/// behind the real RTL.
class WrongByte : public DeviceBackend {
 public:
  WrongByte(std::unique_ptr<Device> device, std::uint64_t address)
      : device_(std::move(device)), address_(address) {}
  DeviceIdentity identity() const override { return device_->identity(); }
  void read_memory(std::uint64_t address, MutableBytes out) override {
    device_->read_memory(address, out);
    if (address_ >= address && address_ - address < out.size()) out[address_ - address] ^= 0x40;
  }
  void write_memory(std::uint64_t address, Bytes data) override {
    device_->write_memory(address, data);
  }
  std::uint32_t read_register(std::uint32_t offset) override {
    return device_->read_registers({offset}).at(0);
  }
  void write_register(std::uint32_t offset, std::uint32_t value) override {
    device_->write_registers({{offset, value}});
  }
  RunResult run(const RunRequest& request, const KeepGoing&) override {
    return device_->run(request);
  }
  void start_trace(const TraceRequest& request) override { device_->start_trace(request); }
  void stop_trace() override { device_->stop_trace(); }
  void reset() override { device_->reset(); }

 private:
  const std::unique_ptr<Device> device_;
  const std::uint64_t address_;
};

class RealDevice : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("BITTERN_DEVICES_DIR");
    options_.folder = folder ? folder : BITTERN_BINARY_DIR "/bin";
    try {
      find_device_executable("bismo_tiny", options_.folder);
    } catch (const Error& error) {
      GTEST_SKIP() << "needs the simulated device of bismo_tiny: " << error.what();
    }
  }

  MeasurerOptions measurer_options() const {
    MeasurerOptions options;
    options.workers = 2;
    options.store = folder_ / "store.db";
    options.device = options_;
    return options;
  }

  std::vector<LayerJob> jobs(BitPair bits) const {
    const auto core = make_core(tiny_variant());
    std::vector<LayerJob> out;
    for (const Layer& layer : odd().layers) {
      out.push_back(network_job(*core, tiny_variant(), layer, bits));
    }
    return out;
  }

  struct Answer {
    int status;
    std::string out;
  };
  /// Runs `bittern` with its errors in its output.
  Answer bittern(const std::string& arguments) const {
    const std::string command = "BITTERN_DEVICES_DIR=" + options_.folder.string() +
                                " BITTERN_STORE=" + (folder_ / "cli.db").string() +
                                " " BITTERN_BINARY_DIR "/bin/bittern " + arguments +
                                " 2>&1 </dev/null";
    Answer answer{-1, ""};
    FILE* pipe = ::popen(command.c_str(), "r");
    std::array<char, 4096> buffer;
    while (const std::size_t n = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
      answer.out.append(buffer.data(), n);
    }
    const int status = ::pclose(pipe);
    if (WIFEXITED(status)) answer.status = WEXITSTATUS(status);
    return answer;
  }
  static bool command_is_built() {
    return std::filesystem::exists(BITTERN_BINARY_DIR "/bin/bittern");
  }

  const TemporaryFolder folder_;
  DeviceOptions options_;
};

TEST_F(RealDevice, SecondMeasurementCostsNoSimulation) {
  std::vector<Measurement> first;
  {
    Measurer measurer(tiny_variant(), measurer_options());
    first = measurer.measure(jobs({3, 5}));
    EXPECT_EQ(measurer.simulated(), first.size());
  }
  Measurer measurer(tiny_variant(), measurer_options());
  const auto second = measurer.measure(jobs({3, 5}));
  EXPECT_EQ(measurer.simulated(), 0u);
  EXPECT_EQ(measurer.recalled(), first.size());
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(second[i].cycles, first[i].cycles);
    EXPECT_EQ(second[i].events, first[i].events);
  }
}

TEST_F(RealDevice, ClosedFormHasAllEventsOfTheRtl) {
  Measurer measurer(tiny_variant(), measurer_options());
  const auto measured = measurer.measure(jobs({2, 6}));
  for (std::size_t i = 0; i < measured.size(); ++i) {
    const Measurement model =
        model_measurement(known_plan(plan_layer(measurer.core(), jobs({2, 6})[i])), tiny_variant());
    EXPECT_EQ(model.events, measured[i].events) << odd().layers[i].name;
    EXPECT_EQ(model.cycles, measured[i].cycles);
    EXPECT_EQ(model.bytes_read, measured[i].bytes_read);
    EXPECT_EQ(model.bytes_written, measured[i].bytes_written);
  }
}

TEST_F(RealDevice, ValidationFindsNothing) {
  Measurer measurer(tiny_variant(), measurer_options());
  std::vector<LayerJob> all = network_jobs(measurer.core(), tiny_variant(), odd());
  for (LayerJob& job : random_jobs(measurer.core(), tiny_variant(), 8, 3)) all.push_back(job);
  const Validation v = validate(measurer.core(), measurer.pool(), all, folder_.path(), {});
  EXPECT_EQ(v.failed, 0u);
  EXPECT_LE(v.max_cycle_error_percent, 0.5);
  EXPECT_TRUE(v.trace.path.empty());
}

TEST_F(RealDevice, BitFusionWorksForAsManyCyclesAsThePublishedModelSays) {
  const Variant variant =
      load_variant(std::string(BITTERN_SOURCE_DIR) + "/configs/variants/bitfusion_tiny.yaml");
  try {
    find_device_executable(variant.name, options_.folder);
  } catch (const Error& error) {
    GTEST_SKIP() << "needs the simulated device of bitfusion_tiny: " << error.what();
  }
  Measurer measurer(variant, measurer_options());
  const std::vector<LayerJob> all = network_jobs(measurer.core(), variant, odd());
  const Validation v = validate(measurer.core(), measurer.pool(), all, folder_.path(), {});
  EXPECT_EQ(v.failed, 0u);
  EXPECT_EQ(v.exact, all.size());
  EXPECT_EQ(v.published.layers, all.size());
  EXPECT_EQ(v.published.equal_work, all.size());
  EXPECT_FALSE(v.published.first_unequal);
  std::uint64_t sum = 0;
  for (const auto& [heading, cycles] : v.published.split) sum += cycles;
  EXPECT_EQ(sum, v.published.cycles);
  EXPECT_EQ(v.published.split.front().second, v.published.compute);
}

/// First result byte of the first job of `bittern validate --network odd`.
std::uint64_t planted_address(const Core& core, PreparedLayer& layer) {
  const auto jobs = network_jobs(core, tiny_variant(), odd());
  layer = prepare_layer(core, plan_layer(core, jobs[0]));
  return layer.program.result_address + 4;
}

TEST_F(RealDevice, CommandValidateFindsAPlantedDifferenceAndTracesIt) {
  if (!command_is_built()) GTEST_SKIP() << "needs the command bittern";
  const auto core = make_core(tiny_variant());
  PreparedLayer layer;
  const std::uint64_t address = planted_address(*core, layer);
  WrongByte backend(start_device(tiny_variant(), options_), address);
  Served served(backend, folder_ / "wrong");
  const Answer answer =
      bittern("validate --variant bismo_tiny --network odd --format json --device " +
              served.endpoint().text() + " --trace-folder " + folder_.path().string());
  EXPECT_EQ(answer.status, 1) << answer.out;
  const auto json = nlohmann::json::parse(answer.out);
  EXPECT_FALSE(json.at("passed").get<bool>());
  const auto& first = json.at("first_difference");
  EXPECT_EQ(first.at("layer"), "stem");
  const std::size_t index = first.at("index");
  EXPECT_EQ(first.at("expected"), layer.expected.at(index));
  EXPECT_EQ(first.at("got"), layer.expected.at(index) ^ 0x40);
  const std::string trace = json.at("trace").at("path");
  ASSERT_TRUE(std::filesystem::exists(trace)) << answer.out;
  EXPECT_GT(std::filesystem::file_size(trace), 1000u);
}

TEST_F(RealDevice, CommandValidateSaysThatAllIsWell) {
  if (!command_is_built()) GTEST_SKIP() << "needs the command bittern";
  const Answer answer = bittern("validate --variant bismo_tiny --random 4 --seed 2");
  EXPECT_EQ(answer.status, 0) << answer.out;
  EXPECT_THAT(answer.out,
              AllOf(HasSubstr("4 layers, 0 with outputs that differ"), HasSubstr("maximum error")));
}

TEST_F(RealDevice, CommandMeasureAnswersTheSecondTimeFromTheStore) {
  if (!command_is_built()) GTEST_SKIP() << "needs the command bittern";
  const std::string command =
      "measure --network odd --variant bismo_tiny --wbits 2 --abits 3 --format json";
  const Answer first = bittern(command);
  ASSERT_EQ(first.status, 0) << first.out;
  const Answer second = bittern(command);
  auto a = nlohmann::json::parse(first.out);
  auto b = nlohmann::json::parse(second.out);
  EXPECT_EQ(a.at("simulated"), 5);
  EXPECT_EQ(b.at("simulated"), 0);
  EXPECT_EQ(b.at("from_store"), 5);
  EXPECT_EQ(a.at("layers"), b.at("layers"));
  EXPECT_EQ(a.at("origin"), "rtl");

  const Answer one = bittern(command + " --layers head,1");
  EXPECT_EQ(nlohmann::json::parse(one.out).at("layers").at("rows").size(), 2u);
  const Answer model = bittern(command + " --model");
  EXPECT_EQ(nlohmann::json::parse(model.out).at("origin"), "model");

  EXPECT_THAT(bittern("store ls").out, HasSubstr("5 measurements"));
  const auto rows = nlohmann::json::parse(bittern("store export --format json").out);
  ASSERT_EQ(rows.size(), 5u);
  const std::string key = rows[0].at("key");
  EXPECT_EQ(nlohmann::json::parse(bittern("store show " + key.substr(0, 16)).out), rows[0]);
  EXPECT_THAT(bittern("store gc").out, HasSubstr("removed 0 of 5"));
  EXPECT_THAT(bittern("store gc --all --dry-run").out, HasSubstr("would remove 5 of 5"));
  EXPECT_THAT(bittern("store gc --all").out, HasSubstr("removed 5 of 5"));
  EXPECT_THAT(bittern("store ls").out, HasSubstr("0 measurements"));
}

TEST_F(RealDevice, CommandsSayWhatIsWrongWithTheirArguments) {
  if (!command_is_built()) GTEST_SKIP() << "needs the command bittern";
  const auto expect = [this](const std::string& arguments, int status, const std::string& text) {
    const Answer answer = bittern(arguments);
    EXPECT_EQ(answer.status, status) << arguments;
    EXPECT_THAT(answer.out, HasSubstr(text)) << arguments;
  };
  expect("store show 12", 1, "no measurement store");
  const std::string measure = "measure --network odd --variant bismo_tiny ";
  expect(measure, 2, "--wbits");
  expect(measure + "--wbits 4", 2, "--abits");
  expect(measure + "--wbits 17 --abits 4", 2, "--wbits");
  expect(measure + "--wbits 9 --abits 4", 2, "9 bits, expected 1 to 8");
  expect(measure + "--wbits 4 --abits 4 --model published", 2, "no published model of core bismo");
  expect(measure + "--wbits 4 --abits 4 --model clsed", 2, "did you mean 'closed'");
  expect(measure + "--wbits 4 --abits 4 --layers hed", 2, "did you mean 'head'");
  expect(measure + "--wbits 4 --abits 4 --layers 6", 2, "0 to 4");
  expect(measure + "--wbits 4 --abits 4 --format xml", 2, "xml");
  expect(measure + "--wbits 4 --abits 4 --device unix:/nowhere/x", 1, "/nowhere/x");
  expect(measure + "--wbits 4 --abits 4 --policy p.json", 2, "either");
  expect("validate --variant bismo_tny", 2, "did you mean 'bismo_tiny'");
  expect("validate --variant bismo_tiny --random 0", 2, "nothing to validate");
  expect("validate --variant bismo_tiny --trace-folder /nowhere", 2, "/nowhere");
  expect("store", 2, "subcommand");
}

}  // namespace
}  // namespace bittern
