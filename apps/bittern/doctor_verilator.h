#pragma once

#include <string>
#include <vector>

namespace bittern {

/// Verilator's answer to one construct that some version of it gets wrong.
struct PatternResult {
  std::string name;
  int wrong = 0;    ///< samples with a wrong value
  int samples = 0;  ///< samples taken
};

/// Flags with which the devices are Verilated.
std::vector<std::string> device_verilator_flags();

/// Verilates the test patterns with `flags`, compiles and runs them with random stimuli, and
/// compares every sample with a C++ model of the same logic. Takes about ten seconds. Throws Error
/// with the tool's last lines when a step fails.
std::vector<PatternResult> check_verilator(const std::vector<std::string>& flags);

}  // namespace bittern
