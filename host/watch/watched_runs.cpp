#include "host/watch/watched_runs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "host/base/error.h"
#include "host/base/text.h"
#include "host/report/campaign_charts.h"
#include "host/report/chart.h"
#include "host/report/episode_charts.h"
#include "host/report/page.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json number(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }

/// Best accuracy within the limits after each episode, the first and every later best only.
Series best_series(const std::string& name, std::size_t color,
                   const std::vector<Episode>& episodes) {
  Series series{name, page::color(color), Mark::kStep, {}, {}, {}, {}};
  double best = -std::numeric_limits<double>::infinity();
  for (const Episode& e : episodes) {
    const bool last = &e == &episodes.back();
    const bool better = e.eligible() && e.accuracy > best;
    if (better) best = e.accuracy;
    if ((!better && !last) || !std::isfinite(best)) continue;
    series.x.push_back(e.number + 1);
    series.y.push_back(best);
  }
  return series;
}

}  // namespace

WatchedRuns::WatchedRuns(std::vector<fs::path> folders) : folders_(std::move(folders)) {
  for (const fs::path& folder : folders_) {
    std::error_code code;
    if (!fs::is_directory(folder, code)) {
      fail_usage("{}: is no directory; expected one that bittern run writes (its --out)",
                 folder.string());
    }
  }
  poll();
}

void WatchedRuns::add(const fs::path& folder) {
  std::error_code code;
  if (known_.count(folder) > 0 || !fs::exists(folder / "episodes.jsonl", code)) return;
  if (runs_.size() == kMostRuns) {
    note_ = fmt::format("more than {} searches: the others are not shown", kMostRuns);
    return;
  }
  // "out/a/" has no last part.
  const fs::path plain = fs::absolute(folder, code).lexically_normal();
  const fs::path last = plain.has_filename() ? plain.filename() : plain.parent_path().filename();
  known_.emplace(folder, runs_.size());
  runs_.push_back(
      {printable(last.string()), folder, EpisodeFollower(folder / "episodes.jsonl"), false, "", 0});
}

void WatchedRuns::discover() {
  for (const fs::path& folder : folders_) {
    add(folder);
    std::error_code code;
    std::vector<fs::path> inner;
    for (fs::directory_iterator at(folder, code), end; !code && at != end; at.increment(code)) {
      std::error_code ignored;
      if (at->is_directory(ignored)) inner.push_back(at->path());
    }
    std::sort(inner.begin(), inner.end());
    for (const fs::path& path : inner) add(path);
  }
}

bool WatchedRuns::poll() {
  const std::size_t before = runs_.size();
  discover();
  bool changed = runs_.size() != before;
  for (Run& run : runs_) {
    std::error_code code;
    const bool finished = fs::exists(run.folder / "result.json", code);
    std::string note;
    bool grew = false;
    try {
      grew = run.follower.update();
    } catch (const Error& error) {
      note = error.what();
    }
    if (!grew && finished == run.finished && note == run.note) continue;
    run.finished = finished;
    run.note = note;
    ++run.version;
    changed = true;
  }
  return changed;
}

json WatchedRuns::summary() const {
  json runs = json::array();
  for (const Run& run : runs_) {
    const std::vector<Episode>& episodes = run.follower.episodes();
    const double nothing = std::numeric_limits<double>::quiet_NaN();
    double accuracy = nothing;
    double reward = nothing;
    for (const Episode& e : episodes) {
      if (!e.eligible()) continue;
      if (!(e.accuracy <= accuracy)) accuracy = e.accuracy;
      if (!(e.reward <= reward)) reward = e.reward;
    }
    runs.push_back({{"name", run.name},
                    {"episodes", episodes.size()},
                    {"accuracy", number(episodes.empty() ? nothing : episodes.back().accuracy)},
                    {"best_accuracy", number(accuracy)},
                    {"best_reward", number(reward)},
                    {"state", run.finished ? "finished" : "no result yet"},
                    {"note", printable(run.note)},
                    {"version", run.version}});
  }
  return {{"runs", runs}, {"note", note_}};
}

std::string WatchedRuns::charts_html(std::size_t run) const {
  const std::vector<json>& lines = runs_.at(run).follower.lines();
  std::vector<page::Figure> figures = {{reward_chart(lines), ""},
                                       {episode_accuracy_chart(lines), ""},
                                       {episode_frontier_chart(lines), ""},
                                       {episode_ratio_chart(lines), ""},
                                       {episode_best_bits_chart(lines), ""}};
  for (page::Figure& figure : method_figures(lines)) figures.push_back(std::move(figure));
  return "<h2>" + escape_html(runs_.at(run).name) + "</h2>" + page::figures(figures);
}

std::string WatchedRuns::overview_html() const {
  // More lines than colours are told apart by nobody.
  constexpr std::size_t kMostLines = 8;
  Chart chart{"Best accuracy so far", "evaluations", "accuracy as the search sees it (%)", {}, {}};
  for (std::size_t i = 0; i < runs_.size() && chart.series.size() < kMostLines; ++i) {
    // Those that go on first; the finished ones only where there is room.
    if (runs_[i].finished) continue;
    chart.series.push_back(best_series(runs_[i].name, i, runs_[i].follower.episodes()));
  }
  for (std::size_t i = 0; i < runs_.size() && chart.series.size() < kMostLines; ++i) {
    if (!runs_[i].finished) continue;
    chart.series.push_back(best_series(runs_[i].name, i, runs_[i].follower.episodes()));
  }
  return page::figures({{chart.svg(), runs_.size() > kMostLines
                                          ? fmt::format("{} of {} runs, those without a result "
                                                        "first.",
                                                        kMostLines, runs_.size())
                                          : ""}});
}

const std::vector<json>& WatchedRuns::lines(std::size_t run) const {
  return runs_.at(run).follower.lines();
}

}  // namespace bittern
