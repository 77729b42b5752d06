#pragma once

#include <string>
#include <vector>

namespace bittern {

/// Words as one line for a shell; quoted where that is needed.
std::string shell_text(const std::vector<std::string>& words);

/// The command line of this process, with the name of the program instead of its path. Empty where
/// the system does not tell.
std::string own_command_line();

}  // namespace bittern
