// Models that the scripts onnx_models.py, onnx_exports.py and onnx_networks.py beside this file
// write, with what NumPy and PyTorch compute of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "host/base/file.h"
#include "host/base/temporary_folder.h"
#include "tests/agent/nn/onnx_case.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// An interpreter that has `module`; empty where there is none. PATH may lead to one of the user's
/// own that does not see Debian's packages.
std::string python_with(const std::string& module) {
  for (const char* python : {"python3", "/usr/bin/python3"}) {
    const std::string command =
        python + std::string(" -c 'import ") + module + "' > /dev/null 2>&1";
    if (std::system(command.c_str()) == 0) return python;
  }
  return "";
}

/// Runs a script, and compares every model that it writes. `arguments` stand behind the folder.
void expect_all(const std::string& python, const std::string& script, const std::string& arguments,
                std::size_t least) {
  const TemporaryFolder folder;
  const fs::path path = fs::path(BITTERN_SOURCE_DIR) / "tests/agent/nn" / script;
  const std::string command = python + " -B -W ignore " + path.string() + " " +
                              folder.path().string() + " " + arguments + " > /dev/null 2>&1";
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
  std::vector<fs::path> cases;
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    if (fs::exists(entry.path() / "model.onnx")) cases.push_back(entry.path());
  }
  std::sort(cases.begin(), cases.end());
  for (const fs::path& path : cases) {
    const OnnxOutcome outcome = run_onnx_case(path);
    // What cannot be computed says why.
    const bool refused = fs::exists(path / "refusal.txt");
    if (refused) {
      EXPECT_THAT(outcome.refusal, HasSubstr(read_file(path / "refusal.txt"))) << outcome.name;
      continue;
    }
    EXPECT_EQ(outcome.refusal, "") << outcome.name;
    EXPECT_EQ(outcome.mismatch, "") << outcome.name;
  }
  EXPECT_GE(cases.size(), least);
}

TEST(OnnxModels, OfPythonOnnxGiveWhatTheirDefinitionsSay) {
  const std::string python = python_with("onnx, numpy");
  if (python.empty()) GTEST_SKIP() << "Python's onnx is missing (Debian: python3-onnx)";
  expect_all(python, "onnx_models.py", "plain", 14);
}

TEST(OnnxModels, OfOtherExportersGiveWhatNumPyComputes) {
  const std::string python = python_with("onnx, numpy");
  if (python.empty()) GTEST_SKIP() << "Python's onnx is missing (Debian: python3-onnx)";
  expect_all(python, "onnx_exports.py", "", 9);
}

TEST(OnnxModels, OfPyTorchsExporterGiveWhatPyTorchComputes) {
  const std::string python = python_with("onnx, numpy, torch");
  if (python.empty()) GTEST_SKIP() << "Python's torch is missing (Debian: python3-torch)";
  expect_all(python, "onnx_models.py", "torch", 30);
}

TEST(OnnxModels, NetworksAsPeopleExportThemGiveWhatPyTorchComputes) {
  const std::string python = python_with("onnx, numpy, torch");
  if (python.empty()) GTEST_SKIP() << "Python's torch is missing (Debian: python3-torch)";
  expect_all(python, "onnx_networks.py", "", 45);
}

}  // namespace
}  // namespace bittern
