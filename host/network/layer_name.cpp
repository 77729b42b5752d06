#include "host/network/layer_name.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/base/text.h"

namespace bittern {

std::string layer_name_fault(const std::string& name) {
  if (name.empty()) return "a name cannot be empty";
  if (name.size() > kMostNameBytes) {
    return fmt::format("a name of {} bytes, expected at most {}", name.size(), kMostNameBytes);
  }
  if (printable(name) != name) return "a name cannot have control characters";
  if (name.front() == ' ' || name.back() == ' ') {
    return "a name cannot begin or end with a space";
  }
  if (name.find(',') != std::string::npos) {
    return "a name cannot have a comma: --layers has one between names";
  }
  if (name == "input") return "'input' is the input of the network (from: input)";
  if (name.size() > 1 && name[0] == '@' &&
      name.find_first_not_of("0123456789", 1) == std::string::npos) {
    return "'@' and a number is how --layers names a layer by its place";
  }
  return "";
}

std::string sum_row_name(const std::vector<std::string>& names) {
  std::string name = "total";
  while (std::find(names.begin(), names.end(), name) != names.end()) name.insert(0, "sum: ");
  return name;
}

}  // namespace bittern
