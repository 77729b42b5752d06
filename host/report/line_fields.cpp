#include "host/report/line_fields.h"

#include <limits>

namespace bittern {

using nlohmann::json;

double line_number(const json& line, const std::string& key) {
  const auto it = line.find(key);
  return it != line.end() && it->is_number() ? it->get<double>()
                                             : std::numeric_limits<double>::quiet_NaN();
}

double line_number(const json& line, const std::string& part, const std::string& key) {
  const auto it = line.find(part);
  return it != line.end() && it->is_object() ? line_number(*it, key)
                                             : std::numeric_limits<double>::quiet_NaN();
}

bool line_is_warmup(const json& line) {
  const auto it = line.find("warmup");
  return it != line.end() && it->is_boolean() && it->get<bool>();
}

std::vector<const json*> lines_to_draw(const std::vector<json>& lines, std::size_t most) {
  const std::size_t every = most == 0 ? 1 : (lines.size() + most - 1) / most;
  std::vector<const json*> out;
  double best = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const double reward = line_number(lines[i], "reward");
    if (i % every == 0 || i + 1 == lines.size() || reward > best) out.push_back(&lines[i]);
    if (reward > best) best = reward;
  }
  return out;
}

}  // namespace bittern
