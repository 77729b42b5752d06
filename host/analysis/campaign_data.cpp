#include "host/analysis/campaign_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "host/base/error.h"
#include "host/base/json.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;

/// Answers to every image are in it, so it may be long.
constexpr std::size_t kLargestResult = std::size_t{256} << 20;

AnalysedCell read_cell(const fs::path& folder, std::vector<std::string>& notes) {
  AnalysedCell cell;
  cell.folder = folder;
  JsonOptions options = JsonOptions::own_file("restore it from a copy, or run the campaign again");
  options.max_bytes = kLargestResult;
  const nlohmann::json json = load_json(folder / "result.json", options);
  try {
    cell.result = campaign_result_from_json(json);
  } catch (const Error& error) {
    fail("{}: {}", (folder / "result.json").string(), error.what());
  }
  EpisodeFollower follower(folder / "episodes.jsonl");
  follower.update();
  cell.lines = follower.lines();
  cell.episodes = follower.episodes();
  if (cell.episodes.empty()) {
    notes.push_back(
        fmt::format("{}: has no episodes.jsonl, so that it has no curves", folder.string()));
  } else if (cell.episodes.size() != static_cast<std::size_t>(cell.result.episodes)) {
    notes.push_back(fmt::format(
        "{}: episodes.jsonl has {} lines, result.json knows {} episodes: one of them is of another "
        "run, continue it with --resume",
        folder.string(), cell.episodes.size(), cell.result.episodes));
  }
  return cell;
}

/// The folders with results at or below one; those without are noted.
std::vector<fs::path> cells_in(const fs::path& folder, std::vector<std::string>& notes) {
  std::error_code code;
  if (!fs::is_directory(folder, code)) {
    fail_usage("{}: is no directory; expected one that bittern run wrote (its --out)",
               folder.string());
  }
  if (fs::exists(folder / "result.json", code)) return {folder};
  std::vector<fs::path> found;
  std::vector<fs::path> unfinished;
  for (const auto& entry : fs::directory_iterator(folder, code)) {
    std::error_code ignored;
    if (!entry.is_directory(ignored)) continue;
    if (fs::exists(entry.path() / "result.json", ignored)) {
      found.push_back(entry.path());
    } else if (fs::exists(entry.path() / "episodes.jsonl", ignored)) {
      unfinished.push_back(entry.path());
    }
  }
  if (code) fail("{}: cannot list it: {}", folder.string(), code.message());
  std::sort(found.begin(), found.end());
  std::sort(unfinished.begin(), unfinished.end());
  for (const fs::path& path : unfinished) {
    notes.push_back(fmt::format("{}: is not finished (no result.json), left out", path.string()));
  }
  if (found.empty()) {
    fail_usage(
        "{}: holds no result.json, neither in itself nor in its folders; expected a directory that "
        "bittern run finished{}",
        folder.string(),
        fs::exists(folder / "episodes.jsonl") || !unfinished.empty()
            ? " (a search is not finished there: bittern run ... --resume, or look at it with "
              "bittern watch)"
            : "");
  }
  return found;
}

void refuse_twins(const std::vector<AnalysedCell>& cells) {
  std::map<std::string, const AnalysedCell*> seen;
  for (const AnalysedCell& cell : cells) {
    const std::string key =
        fmt::format("{}, {}, seed {}", cell.problem(), cell.result.search, cell.result.seed);
    const auto [at, is_new] = seen.emplace(key, &cell);
    if (is_new) continue;
    fail_usage("{} and {}: both are {}; give one of them", at->second->folder.string(),
               cell.folder.string(), key);
  }
}

/// Cells are paired by seed: then all of a network must have begun with the same one.
void refuse_strangers(const std::vector<AnalysedCell>& cells) {
  std::map<std::pair<std::string, std::uint64_t>, const AnalysedCell*> first;
  for (const AnalysedCell& cell : cells) {
    const auto [at, is_new] =
        first.emplace(std::pair(cell.result.network, cell.result.seed), &cell);
    const CampaignResult& a = at->second->result;
    const CampaignResult& b = cell.result;
    if (is_new || (a.dataset == b.dataset && a.validation_images == b.validation_images &&
                   std::abs(a.baseline_validation - b.baseline_validation) < 1e-9)) {
      continue;
    }
    fail(
        "{} and {} cannot be compared: {} of seed {} has {:.4f} % on {} images of {} in full "
        "precision there, {:.4f} % on {} images of {} here; expected the same data, training and "
        "machine. Analyze them one by one",
        at->second->folder.string(), cell.folder.string(), a.network, a.seed, a.baseline_validation,
        a.validation_images, a.dataset, b.baseline_validation, b.validation_images, b.dataset);
  }
}

}  // namespace

std::string AnalysedCell::limits() const {
  std::string text;
  for (const ConstraintOutcome& c : result.constraints) {
    text += text.empty() ? "" : ", ";
    text += c.reference > 0 ? fmt::format("{} {:.9g} of {}", c.resource, c.limit / c.reference,
                                          result.reference.bits)
                            : fmt::format("{} {:.9g} {}", c.resource, c.limit, c.unit);
  }
  return text.empty() ? "no limit" : text;
}

std::string AnalysedCell::problem() const {
  return fmt::format("{} on {}, {}", result.network, result.variant, limits());
}

std::vector<double> AnalysedCell::best_so_far() const {
  std::vector<double> out;
  double best = std::numeric_limits<double>::quiet_NaN();
  for (const Episode& episode : episodes) {
    // Policies that were known cost nothing; what gradients cost leaves a gap.
    out.resize(std::max(out.size(), static_cast<std::size_t>(std::ceil(episode.evaluations))),
               best);
    if (episode.eligible() && !(episode.accuracy <= best)) best = episode.accuracy;
    out.back() = best;
  }
  return out;
}

std::vector<std::string> AnalysedCampaigns::problems() const {
  std::vector<std::string> out;
  for (const AnalysedCell& cell : cells) {
    const std::string name = cell.problem();
    if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  }
  return out;
}

std::vector<std::string> AnalysedCampaigns::methods() const {
  std::vector<std::string> out;
  for (const AnalysedCell& cell : cells) {
    if (std::find(out.begin(), out.end(), cell.result.search) == out.end()) {
      out.push_back(cell.result.search);
    }
  }
  return out;
}

const AnalysedCell* AnalysedCampaigns::find(const std::string& problem, const std::string& method,
                                            std::uint64_t seed) const {
  for (const AnalysedCell& cell : cells) {
    if (cell.result.seed == seed && cell.result.search == method && cell.problem() == problem) {
      return &cell;
    }
  }
  return nullptr;
}

std::vector<std::uint64_t> AnalysedCampaigns::seeds(const std::string& problem,
                                                    const std::string& method) const {
  std::vector<std::uint64_t> out;
  for (const AnalysedCell& cell : cells) {
    if (cell.result.search == method && cell.problem() == problem) {
      out.push_back(cell.result.seed);
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

AnalysedCampaigns read_campaigns(const std::vector<fs::path>& folders) {
  AnalysedCampaigns out;
  for (const fs::path& folder : folders) {
    for (const fs::path& path : cells_in(folder, out.notes)) {
      AnalysedCell cell = read_cell(path, out.notes);
      if (cell.result.stopped) {
        out.notes.push_back(fmt::format(
            "{}: was stopped before its end, left out; bittern run ... --resume finishes it",
            path.string()));
        continue;
      }
      out.cells.push_back(std::move(cell));
    }
  }
  if (out.cells.empty()) {
    fail_usage(
        "every search there was stopped before its end; finish one with bittern run ... "
        "--resume");
  }
  refuse_twins(out.cells);
  refuse_strangers(out.cells);
  return out;
}

const char* judge_name(Judge judge) {
  switch (judge) {
    case Judge::kChoice:
      return "choice images, final networks";
    case Judge::kValidation:
      return "validation images, final networks";
    case Judge::kSearch:
      return "as the search saw it";
  }
  return "unknown";
}

Judge judge_of(const std::vector<AnalysedCell>& cells) {
  const auto all = [&cells](auto has) { return std::all_of(cells.begin(), cells.end(), has); };
  if (all([](const AnalysedCell& c) { return c.result.best.choice_accuracy.has_value(); })) {
    return Judge::kChoice;
  }
  if (all([](const AnalysedCell& c) { return c.result.finalists > 0; })) {
    return Judge::kValidation;
  }
  return Judge::kSearch;
}

double score(const AnalysedCell& cell, Judge judge) {
  const CampaignResult& result = cell.result;
  switch (judge) {
    case Judge::kChoice:
      return result.best.choice_accuracy.value_or(std::numeric_limits<double>::quiet_NaN());
    case Judge::kValidation:
      return result.best.validation_accuracy;
    case Judge::kSearch:
      break;
  }
  return result.search_accuracy.value_or(result.best.validation_accuracy);
}

}  // namespace bittern
