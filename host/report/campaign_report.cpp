#include "host/report/campaign_report.h"

#include <fmt/format.h>

#include <optional>

#include "host/report/campaign_charts.h"
#include "host/report/campaign_verdict.h"
#include "host/report/episode_charts.h"
#include "host/report/page.h"

namespace bittern {
namespace {

using nlohmann::json;
using page::Cell;

/// As in the summary, with the sign that text for terminals does without.
std::string percent_text(double accuracy, std::size_t images) {
  std::string text = accuracy_text(accuracy, images);
  if (const std::size_t at = text.find("+-"); at != std::string::npos) text.replace(at, 2, "± ");
  return text + " %";
}

std::string test_text(const CampaignResult& result, const std::optional<double>& accuracy) {
  return accuracy ? percent_text(*accuracy, result.test_images) : "-";
}

std::string validation_text(const CampaignResult& result, double accuracy) {
  return percent_text(accuracy, result.validation_images);
}

std::string tiles_html(const CampaignResult& result) {
  std::vector<std::string> tiles;
  for (const auto& c : result.constraints) {
    const char* css = c.met() ? "ok" : "bad";
    const char* met = c.met() ? "met" : "not met";
    tiles.push_back(
        c.reference > 0
            ? page::tile(fmt::format("{:.3f}", c.achieved / c.reference),
                         fmt::format("{} / {} bits, limit {:.3f}: {}", c.resource,
                                     result.reference.bits, c.limit / c.reference, met),
                         css)
            : page::tile(fmt::format("{:.4g} {}", c.achieved, c.unit),
                         fmt::format("{}, limit {:.4g} {}: {}", c.resource, c.limit, c.unit, met),
                         css));
  }
  tiles.push_back(
      page::tile(fmt::format("{:.4f} ms", result.best.latency_s * 1e3), "latency of a batch"));
  const bool test = result.best.test_accuracy.has_value();
  tiles.push_back(page::tile(test ? test_text(result, result.best.test_accuracy)
                                  : validation_text(result, result.best.validation_accuracy),
                             test ? "test accuracy" : "validation accuracy"));
  tiles.push_back(page::tile(test ? test_text(result, result.baseline_test)
                                  : validation_text(result, result.baseline_validation),
                             "full precision"));
  tiles.push_back(page::tile(fmt::format("{:.2f} / {:.2f}", result.best.mean_weight_bits(),
                                         result.best.mean_activation_bits()),
                             "mean weight / activation bits"));
  return page::tiles(tiles);
}

std::string curves_html(const CampaignResult& result, const std::vector<json>& episodes) {
  const int warmup = warmup_episodes(episodes);
  std::vector<page::Figure> figures;
  figures.push_back(
      {reward_chart(episodes),
       fmt::format(
           "The reward of an episode is 0.1 times (validation accuracy of its policy - that "
           "of full precision), in points; 0 is as good as full precision. The line is the "
           "best reward up to each episode. {}",
           warmup > 0 ? fmt::format("Rings are the warm-up: the first {} episodes, whose "
                                    "bits are random and teach the agent nothing yet.",
                                    warmup)
                      : "There was no warm-up.")});
  figures.push_back({episode_accuracy_chart(episodes),
                     "Validation images, after the short fine-tune of the search where there is "
                     "one."});
  for (const auto& constraint : result.constraints) {
    figures.push_back({cost_chart(result, constraint, episodes),
                       "The constraint wall takes bits from what the agent asked for until every "
                       "limit holds; drawn is the policy behind it, the one that was scored. The "
                       "dashed line is the limit."});
  }
  for (const auto& constraint : result.constraints) {
    figures.push_back(
        {accuracy_chart(result, constraint.resource, episodes),
         fmt::format(
             "{}{} Labels are the bits of weights and activations.",
             result.best.test_accuracy
                 ? "Test set, every policy after the same final fine-tune."
                 : "Validation set, after the short fine-tune of the search: the run was "
                   "stopped.",
             (result.best.test_accuracy ? result.test_images : result.validation_images) == 0 ? ""
             : result.best.test_accuracy
                 ? " Bars are one standard error of each accuracy; differences between "
                   "policies are paired over the images and known better, see the table."
                 : " Bars are one standard error of each accuracy.")});
  }
  for (page::Figure& figure : method_figures(episodes)) figures.push_back(std::move(figure));
  return page::figures(figures);
}

std::string layers_html(const CampaignResult& result) {
  const std::string& reference = result.reference.bits;
  return page::figures(
      {{bits_and_intensity_chart(result.best, "Bits of the found policy"),
        "Below: operations (two per multiply-accumulate) per byte that the layer moves between "
        "device memory and chip at these bits. Few of them: memory holds the layer back."},
       {roofline_before_after(result),
        fmt::format("Every layer at {} bits (rings) and at the found ones (dots), as far as each "
                    "comes with its measured latency. The slope is what all data ports bring, the "
                    "level what the array computes at most.",
                    reference)},
       {layer_cost_chart(result, "latency"), ""},
       {layer_cost_chart(result, "energy"),
        "Energy with the first DRAM anchor; see where the numbers come from."}});
}

/// "+0.50 (-0.21 .. +1.21)"; "-" where it is not known.
std::string found_minus(const Answers& found, const Answers& other) {
  if (found.empty() || other.empty()) return "-";
  const PairedDifference d = paired_difference(found, other);
  return fmt::format("{:+.2f} ({:+.2f} .. {:+.2f})", d.points, d.low, d.high);
}

std::string policies_table(const CampaignResult& result) {
  std::vector<std::vector<Cell>> rows;
  const auto row = [&](const PolicyOutcome& o, const char* style) {
    std::vector<Cell> cells;
    for (const std::string& text :
         {o.label, fmt::format("{:.2f} / {:.2f}", o.mean_weight_bits(), o.mean_activation_bits()),
          fmt::format("{:.4f}", o.latency_s * 1e3),
          fmt::format("{:.4f} – {:.4f}", o.energy_j * 1e3, o.energy_high_j * 1e3),
          fmt::format("{:.1f}", o.size_bytes / 1024),
          validation_text(result, o.validation_accuracy), test_text(result, o.test_accuracy),
          &o == &result.best ? "" : found_minus(result.best.test_answers, o.test_answers)}) {
      cells.emplace_back(text, style);
    }
    rows.push_back(std::move(cells));
  };
  row(result.best, "font-weight:600");
  for (const auto& outcome : result.uniform) row(outcome, "");
  for (const auto& outcome : result.given) row(outcome, "");
  rows.push_back({"full precision", "32 / 32", "-", "-", "-",
                  validation_text(result, result.baseline_validation),
                  test_text(result, result.baseline_test),
                  found_minus(result.best.test_answers, result.baseline_test_answers)});
  return page::table({"policy", "mean w / a bits", "latency (ms)", "energy (mJ)", "model (KiB)",
                      "validation", "test", "found minus this (test)"},
                     rows);
}

std::string layers_table(const CampaignResult& result) {
  std::vector<std::vector<Cell>> rows;
  for (const auto& layer : result.best.layers) {
    rows.push_back({layer.name, weight_text(layer, result), activation_text(layer, result),
                    fmt::format("{}", layer.cycles), fmt::format("{:.4f}", layer.latency_s * 1e3),
                    fmt::format("{:.5f}", layer.energy_j * 1e3), layer.origin});
  }
  return page::table({"layer", "weight bits", "activation bits", "cycles", "latency (ms)",
                      "energy (mJ)", "origin"},
                     rows);
}

std::string source_html(const CampaignSource& source) {
  if (source.file_text.empty() && source.command_line.empty()) return "";
  std::string out = "<h2>What was run</h2>";
  if (!source.command_line.empty()) out += page::verbatim(source.command_line);
  if (!source.file_text.empty()) out += page::verbatim(source.file_text);
  return out;
}

}  // namespace

std::string campaign_report_html(const CampaignResult& result, const std::vector<json>& episodes,
                                 const CampaignSource& source) {
  const std::string subtitle = fmt::format(
      "{} on {}, {} data, search {}, seed {}, {} of {} episodes{}. Origin of latencies: {}.",
      result.network, result.variant, result.dataset, result.search, result.seed, result.episodes,
      result.budget, result.stopped ? " (stopped early)" : "", campaign_origins(result));
  std::string body = page::warnings(result.warnings) + tiles_html(result) +
                     "<h2>What it shows</h2>" + page::list(campaign_verdict(result)) +
                     "<h2>Curves</h2>" + curves_html(result, episodes) +
                     "<h2>Policies side by side</h2>" + policies_table(result);
  body += page::note(
      "± is the standard error of an accuracy over its images. The last column is paired: both "
      "policies answered the same images, and only those on which they disagree count; an interval "
      "that holds 0 shows no difference. The second energy is that with the other DRAM anchor.");
  if (!result.uniform_note.empty()) body += page::note(result.uniform_note);
  body += "<h2>The found policy, layer by layer</h2>" + layers_html(result) + layers_table(result) +
          source_html(source) + "<h2>Where the numbers come from</h2>" +
          page::facts(result.provenance);
  return page::document(result.campaign, subtitle, body);
}

}  // namespace bittern
