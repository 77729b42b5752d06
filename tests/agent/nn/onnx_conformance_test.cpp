// ONNX's own models with inputs and expected outputs (Debian: libonnx-testdata): what is read gives
// the expected outputs, everything else is refused by name. onnx_conformance.txt lists what is
// read: one that is on it and is refused, or is read and not on it, is a failure. A name with a
// number behind it is in the data of that Debian only.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "host/base/file.h"
#include "tests/agent/nn/onnx_case.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;

const fs::path kData = "/usr/share/libonnx-testdata/data";

/// Models that have to be read, by the Debian that alone has them; those without one are
/// everywhere.
std::map<std::string, std::set<std::string>> wanted() {
  std::istringstream text(
      read_file(std::filesystem::path(BITTERN_SOURCE_DIR) / "tests/agent/nn/onnx_conformance.txt"));
  std::map<std::string, std::set<std::string>> names;
  for (std::string line; std::getline(text, line);) {
    std::istringstream words(line);
    std::string name;
    std::string debian;
    words >> name >> debian;
    names[debian].insert(name);
  }
  return names;
}

TEST(OnnxConformance, ModelsThatAreReadGiveTheExpectedOutputs) {
  if (!fs::is_directory(kData)) {
    GTEST_SKIP() << kData << " is missing (Debian: libonnx-testdata; scripts/setup.sh --checks)";
  }
  const bool verbose = std::getenv("BITTERN_ONNX_VERBOSE") != nullptr;
  std::vector<fs::path> folders;
  for (const auto& kind : fs::directory_iterator(kData)) {
    for (const auto& folder : fs::directory_iterator(kind.path())) {
      if (fs::exists(folder.path() / "model.onnx")) folders.push_back(folder.path());
    }
  }
  std::sort(folders.begin(), folders.end());
  std::size_t read = 0;
  std::size_t refused = 0;
  const std::map<std::string, std::set<std::string>> listed = wanted();
  std::map<std::string, std::set<std::string>> missing = listed;
  const auto found = [&missing](const std::string& name) {
    std::size_t count = 0;
    for (auto& [debian, names] : missing) count += names.erase(name);
    return count;
  };
  for (const fs::path& folder : folders) {
    const OnnxOutcome outcome = run_onnx_case(folder);
    if (outcome.read) {
      ++read;
      EXPECT_EQ(found(outcome.name), 1U)
          << outcome.name << " is read: add it to tests/agent/nn/onnx_conformance.txt";
      EXPECT_EQ(outcome.mismatch, "") << outcome.name;
      if (verbose) std::cout << "read " << outcome.name << "\n";
    } else {
      ++refused;
      EXPECT_NE(outcome.refusal, "") << outcome.name;
      if (found(outcome.name) > 0) {
        ADD_FAILURE() << outcome.name << " is on the list, but refused: " << outcome.refusal;
      }
      if (verbose) std::cout << "refused " << outcome.name << ": " << outcome.refusal << "\n";
    }
  }
  std::cout << fmt::format("{} models: {} give the expected outputs, {} are refused by name\n",
                           folders.size(), read, refused);
  int releases = 0;
  for (const auto& [debian, names] : missing) {
    const bool other = !debian.empty() && names == listed.at(debian);
    if (other) continue;
    releases += debian.empty() ? 0 : 1;
    EXPECT_TRUE(names.empty()) << "on the list, but not there: "
                               << fmt::format("{}", fmt::join(names, ", "));
  }
  EXPECT_EQ(releases, 1) << "the data is that of one Debian";
}

}  // namespace
}  // namespace bittern
