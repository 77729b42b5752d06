#include "agent/nn/input_scaling.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <regex>

#include "host/base/error.h"
#include "host/base/text.h"

namespace bittern {
namespace {

constexpr double kLevels = 255.0;
/// What older checkpoints of Bittern state, whatever their network does: the graph's input.
constexpr const char* kGraphInput = "pixel / 255";
/// A regular expression over a longer text would take the stack.
constexpr std::size_t kMostText = 400;

std::string number() { return R"((\d+(?:\.\d+)?))"; }

std::string numbers() { return R"((\d+(?:\.\d+)?(?:,\d+(?:\.\d+)?)*))"; }

std::vector<double> list_of(const std::string& text) {
  std::vector<double> values;
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = text.find(',', at);
    if (end == std::string::npos) end = text.size();
    values.push_back(std::stod(text.substr(at, end - at)));
    at = end + 1;
  }
  return values;
}

double of_channel(const std::vector<double>& list, std::size_t channel, double fallback) {
  return list.empty() ? fallback : list.at(std::min(channel, list.size() - 1));
}

bool same(const InputScaling& a, const InputScaling& b, std::size_t channels) {
  constexpr double kSlack = 1e-4;
  for (std::size_t c = 0; c < channels; ++c) {
    for (const double pixel : {0.0, kLevels}) {
      const double x = a.value(pixel, c);
      if (std::abs(x - b.value(pixel, c)) > kSlack * std::max(1.0, std::abs(x))) return false;
    }
  }
  return true;
}

/// The entry of a network file that does what a checkpoint states.
std::string entry_for(const InputScaling& scaling, std::size_t channels) {
  std::vector<std::string> mean;
  std::vector<std::string> deviation;
  for (std::size_t c = 0; c < channels; ++c) {
    const double range = scaling.value(kLevels, c) - scaling.value(0.0, c);
    deviation.push_back(fmt::format("{:.6g}", 1.0 / range));
    mean.push_back(fmt::format("{:.6g}", -scaling.value(0.0, c) / range));
  }
  return fmt::format("normalise: {{mean: [{}], deviation: [{}]}}", fmt::join(mean, ", "),
                     fmt::join(deviation, ", "));
}

}  // namespace

double InputScaling::value(double pixel, std::size_t channel) const {
  return (pixel / divisor - shift - of_channel(mean, channel, 0.0)) /
         of_channel(deviation, channel, 1.0);
}

std::string InputScaling::text() const {
  std::string out = fmt::format("x/{:g}", divisor);
  if (shift != 0.0) out += fmt::format("-{:g}", shift);
  if (mean.empty()) return out;
  return out + fmt::format(" then mean {} std {}", fmt::join(mean, ","), fmt::join(deviation, ","));
}

std::optional<InputScaling> scaling_of(const Graph& graph) {
  std::optional<InputScaling> found;
  for (const Node& node : graph.nodes) {
    if (std::count(node.inputs.begin(), node.inputs.end(), kImage) == 0) continue;
    InputScaling scaling;
    if (node.op == Op::kNormalise) {
      scaling.mean = node.attributes.mean;
      scaling.deviation = node.attributes.deviation;
    }
    if (found && !same(*found, scaling, static_cast<std::size_t>(graph.input.channels))) {
      return std::nullopt;
    }
    found = scaling;
  }
  return found;
}

std::string input_text(const Graph& graph) {
  const std::optional<InputScaling> scaling = scaling_of(graph);
  return scaling && !scaling->mean.empty() ? scaling->text() : kGraphInput;
}

std::optional<InputScaling> parse_scaling(const std::string& text) {
  if (text.size() > kMostText) return std::nullopt;
  std::string packed;
  for (const char c : text) {
    if (c != ' ') packed += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  const std::string pixel = "(?:x|pixel|pixels|rgb|image)/" + number();
  std::smatch match;
  InputScaling scaling;
  static const std::regex kOneMean(R"(\()" + pixel + "-" + number() + R"(\)/)" + number() +
                                   "(?:,.*)?");
  if (std::regex_match(packed, match, kOneMean)) {
    scaling.divisor = std::stod(match[1]);
    scaling.mean = {std::stod(match[2])};
    scaling.deviation = {std::stod(match[3])};
    return scaling;
  }
  static const std::regex kMeans(pixel + "(?:then|,)?mean" + numbers() + ",?std" + numbers() +
                                 "(?:,.*)?");
  if (std::regex_match(packed, match, kMeans)) {
    scaling.divisor = std::stod(match[1]);
    scaling.mean = list_of(match[2]);
    scaling.deviation = list_of(match[3]);
    if (scaling.mean.size() != scaling.deviation.size()) return std::nullopt;
    return scaling;
  }
  static const std::regex kShift(pixel + "(?:-" + number() + ")?(?:,.*)?");
  if (!std::regex_match(packed, match, kShift)) return std::nullopt;
  scaling.divisor = std::stod(match[1]);
  if (match[2].matched) scaling.shift = std::stod(match[2]);
  return scaling;
}

void check_scaling(const Network& network, const TensorFile& checkpoint, const std::string& where) {
  const auto stated = checkpoint.metadata.find("input");
  if (stated == checkpoint.metadata.end()) return;
  const auto format = checkpoint.metadata.find("format");
  const bool ours =
      format != checkpoint.metadata.end() && format->second.compare(0, 8, "bittern-") == 0;
  if (ours && stated->second == kGraphInput) return;
  const std::optional<InputScaling> scaling = parse_scaling(stated->second);
  const std::optional<InputScaling> own = scaling_of(network.graph);
  const auto channels = static_cast<std::size_t>(network.graph.input.channels);
  if (!scaling || !own) return;
  for (const std::vector<double>* list : {&scaling->mean, &scaling->deviation}) {
    if (list->size() > 1 && list->size() != channels) return;
    if (std::count(list->begin(), list->end(), 0.0) > 0 && list == &scaling->deviation) return;
  }
  if (scaling->divisor == 0.0 || same(*own, *scaling, channels)) return;
  fail_usage(
      "{}: says that images enter as \"{}\", but network {} takes {}: the scaling is part of the "
      "network; its file needs, as the first entry, {}",
      where, shortened(stated->second, 200), network.name, own->text(),
      entry_for(*scaling, channels));
}

}  // namespace bittern
