#pragma once

#include <string>
#include <vector>

#include "host/search/method.h"

namespace bittern {

/// The methods that need no LibTorch. A program adds its own to them (agent/rl/methods.h).
std::vector<MethodKind> host_methods();

/// The entry of that name; nullptr where there is none.
const MethodKind* find_method(const std::vector<MethodKind>& methods, const std::string& name);

/// Their names, in the order of the list.
std::vector<std::string> method_names(const std::vector<MethodKind>& methods);

}  // namespace bittern
