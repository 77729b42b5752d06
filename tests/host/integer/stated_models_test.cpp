// Quantised models that tests/host/integer/stated_models.py writes, in integers: what NumPy
// computes of them.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "host/base/file.h"
#include "host/base/temporary_folder.h"
#include "host/integer/integer_executor.h"
#include "host/integer/stated_network.h"
#include "host/network/io/network_weights.h"
#include "host/network/network.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;

/// An interpreter that has ONNX; empty where there is none.
std::string python_with_onnx() {
  for (const char* python : {"python3", "/usr/bin/python3"}) {
    const std::string command = python + std::string(" -c 'import onnx, numpy' > /dev/null 2>&1");
    if (std::system(command.c_str()) == 0) return python;
  }
  return "";
}

TEST(StatedModels, OfPythonOnnxGiveInIntegersWhatTheirDefinitionsSay) {
  const std::string python = python_with_onnx();
  if (python.empty()) GTEST_SKIP() << "Python's onnx is missing (Debian: python3-onnx)";
  const TemporaryFolder folder;
  const std::string script =
      std::string(BITTERN_SOURCE_DIR) + "/tests/host/integer/stated_models.py";
  const std::string command = python + " -B -W ignore " + script + " " + folder.path().string();
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
  int models = 0;
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    SCOPED_TRACE(entry.path().filename().string());
    ++models;
    const Network network = load_network((entry.path() / "model.onnx").string());
    NamedTensors tensors;
    for (const auto& [name, tensor] : network_weights(network).tensors) {
      tensors[name] = {tensor.shape, tensor.to_floats()};
    }
    const QuantisedNetwork integers = stated_network(network.name, network.graph, tensors);
    const std::string image = read_file(entry.path() / "image.bin");
    const std::vector<std::uint8_t> bytes(image.begin(), image.end());
    const std::vector<float> found = IntegerExecutor(integers).logits(bytes);
    std::istringstream lines(read_file(entry.path() / "answer.txt"));
    std::vector<double> expected;
    for (double value = 0; lines >> value;) expected.push_back(value);
    ASSERT_EQ(found.size(), expected.size());
    bool all_zero = true;
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i], expected[i], 1e-5 * (1.0 + std::abs(expected[i]))) << i;
      all_zero = all_zero && expected[i] == 0.0;
    }
    EXPECT_FALSE(all_zero);
  }
  EXPECT_EQ(models, 7);
}

}  // namespace
}  // namespace bittern
