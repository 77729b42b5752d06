#include "agent/nn/processor.h"

#include <ATen/Version.h>
#include <fmt/format.h>

#include <fstream>

#include "agent/torch.h"

namespace bittern {
namespace {

/// What stands behind `key` in a line of `text`, up to the line's end; empty when there is none.
std::string line_behind(const std::string& text, const std::string& key) {
  const std::size_t found = text.find(key);
  if (found == std::string::npos) return "";
  const std::size_t begin = text.find_first_not_of(" \t:", found + key.size());
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find('\n', begin) - begin);
}

std::string model_name() {
  std::ifstream in("/proc/cpuinfo");
  // Other machines than x86 call it otherwise or not at all.
  for (std::string line; std::getline(in, line);) {
    for (const char* key : {"model name", "CPU part", "uarch"}) {
      if (line.rfind(key, 0) == 0) return line_behind(line, key);
    }
  }
  return "unknown processor";
}

}  // namespace

std::string processor_text(bool on_gpu) {
  std::string instructions = line_behind(at::show_config(), "CPU capability usage");
  if (instructions.empty()) instructions = "unknown instruction set";
  return fmt::format("{}, {}{}, LibTorch {}", model_name(), instructions, on_gpu ? ", GPU" : "",
                     TORCH_VERSION);
}

}  // namespace bittern
