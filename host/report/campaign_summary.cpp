#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "host/report/campaign_report.h"
#include "host/report/campaign_verdict.h"
#include "host/result/notes.h"

namespace bittern {
namespace {

/// Width of a first column: what its longest name needs, at least that of `least` characters.
std::size_t width_of(const std::vector<std::string>& names, std::size_t least) {
  for (const std::string& name : names) least = std::max(least, name.size());
  return least;
}

std::string bits_text(int asked, int ran) {
  return asked == ran ? fmt::format("{}", asked) : fmt::format("{}>{}", asked, ran);
}

std::string layers_text(const CampaignResult& result) {
  const PolicyOutcome& best = result.best;
  std::vector<std::string> names;
  bool rounded = false;
  for (const auto& layer : best.layers) {
    names.push_back(layer.name);
    rounded = rounded || layer.ran;
  }
  const std::size_t width = width_of(names, 20);
  std::string out = fmt::format("{:<{}} {:>6} {:>6} {:>12} {:>12} {:>12}  {}\n", "layer", width,
                                "w bits", "a bits", "cycles", "latency ms", "energy mJ", "origin");
  for (const auto& layer : best.layers) {
    out += fmt::format("{:<{}} {:>6} {:>6} {:>12} {:>12.4f} {:>12.5f}  {}\n", layer.name, width,
                       weight_text(layer, result), activation_text(layer, result), layer.cycles,
                       layer.latency_s * 1e3, layer.energy_j * 1e3, layer.origin);
  }
  if (rounded) out += "3>4: 3 bits were asked for, the hardware runs 4\n";
  return out;
}

std::string policies_text(const CampaignResult& result) {
  std::vector<std::string> labels;
  for (const auto& outcome : result.uniform) labels.push_back(outcome.label);
  for (const auto& outcome : result.given) labels.push_back(outcome.label);
  const std::size_t width = width_of(labels, 20);
  const std::string format = "{:<{}} {:>10} {:>10} {:>12} {:>17} {:>14} {:>14}\n";
  std::string out = fmt::format(fmt::runtime(format), "policy", width, "latency ms",
                                "of " + result.reference.bits, "energy mJ", "(other DRAM) mJ",
                                "validation %", "test %");
  const auto test_text = [&result](const std::optional<double>& accuracy) {
    return accuracy ? accuracy_text(*accuracy, result.test_images) : "-";
  };
  const auto row = [&](const PolicyOutcome& o) {
    out += fmt::format(
        fmt::runtime(format), o.label, width, fmt::format("{:.4f}", o.latency_s * 1e3),
        result.reference.latency_s > 0
            ? fmt::format("{:.3f}", o.latency_s / result.reference.latency_s)
            : "-",
        fmt::format("{:.4f}", o.energy_j * 1e3), fmt::format("{:.4f}", o.energy_high_j * 1e3),
        accuracy_text(o.validation_accuracy, result.validation_images), test_text(o.test_accuracy));
  };
  row(result.best);
  for (const auto& outcome : result.uniform) row(outcome);
  for (const auto& outcome : result.given) row(outcome);
  out += fmt::format(fmt::runtime(format), "full precision", width, "-", "-", "-", "-",
                     accuracy_text(result.baseline_validation, result.validation_images),
                     test_text(result.baseline_test));
  if (result.validation_images > 0) {
    out +=
        "+- is the standard error over the images, in points; a difference between two rows is "
        "known better, see below\n";
  }
  if (!result.uniform_note.empty()) out += result.uniform_note + "\n";
  return out;
}

}  // namespace

std::string weight_text(const LayerOutcome& layer, const CampaignResult& result) {
  if (result.float_operand == "weights") return "float";
  return bits_text(layer.bits.weight, layer.ran.value_or(layer.bits).weight);
}

std::string activation_text(const LayerOutcome& layer, const CampaignResult& result) {
  if (result.float_operand == "activations") return "float";
  return bits_text(layer.bits.activation, layer.ran.value_or(layer.bits).activation);
}

std::string campaign_summary_text(const CampaignResult& result) {
  std::string out = fmt::format("{}: {} on {}, {}, {} episodes, seed {}{}\n\n", result.campaign,
                                result.network, result.variant, result.search, result.episodes,
                                result.seed, result.stopped ? " (stopped early: best so far)" : "");
  out += layers_text(result) + "\n" + policies_text(result) + "\n";
  for (const auto& c : result.constraints) {
    out += fmt::format("constraint {}: {:.6g} {} of at most {:.6g} {}", c.resource, c.achieved,
                       c.unit, c.limit, c.unit);
    if (c.reference > 0) {
      out += fmt::format(" ({:.4f} of {}, limit {:.4f})", c.achieved / c.reference,
                         result.reference.bits, c.limit / c.reference);
    }
    out += c.met() ? ": met\n" : ": NOT MET\n";
  }
  for (const std::string& line : campaign_verdict(result)) out += line + "\n";
  out += fmt::format("origin of latencies: {}\n", campaign_origins(result));
  out += notes_text(result);
  for (const std::string& warning : result.warnings) out += "warning: " + warning + "\n";
  return out;
}

}  // namespace bittern
