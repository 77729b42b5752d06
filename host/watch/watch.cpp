#include "host/watch/watch.h"

#include <charconv>
#include <exception>
#include <optional>

#include "host/base/json_text.h"
#include "host/watch/live_page.h"

namespace bittern {
namespace {

constexpr int kPollMilliseconds = 500;

/// The N of "/run/N" with what follows it; nothing for another path or no such run.
std::optional<std::size_t> run_of(const WatchedRuns& runs, const std::string& path,
                                  const std::string& ending) {
  const std::string begin = "/run/";
  if (path.size() <= begin.size() + ending.size() || path.rfind(begin, 0) != 0 ||
      path.compare(path.size() - ending.size(), ending.size(), ending) != 0) {
    return std::nullopt;
  }
  std::size_t n = 0;
  const char* first = path.data() + begin.size();
  const char* last = path.data() + path.size() - ending.size();
  const auto [at, code] = std::from_chars(first, last, n);
  if (code != std::errc() || at != last || n >= runs.count()) return std::nullopt;
  return n;
}

}  // namespace

WebAnswer watch_answer(const WatchedRuns& runs, const std::string& path) try {
  if (path == "/") return {200, "text/html; charset=utf-8", live_page_html(), false};
  if (path == "/watch.js")
    return {200, "text/javascript; charset=utf-8", live_page_script(), false};
  if (path == "/events") return {200, "text/event-stream", "", true};
  if (path == "/overview") return {200, "text/html; charset=utf-8", runs.overview_html(), false};
  if (path == "/runs.json") return {200, "application/json", json_text(runs.summary()), false};
  if (const auto run = run_of(runs, path, ".json")) {
    return {200, "application/json", json_text(runs.lines(*run)), false};
  }
  if (const auto run = run_of(runs, path, "")) {
    return {200, "text/html; charset=utf-8", runs.charts_html(*run), false};
  }
  // Browsers ask for an icon; that there is none is no error.
  if (path == "/favicon.ico") return {204, "image/x-icon", "", false};
  return {404, "text/plain; charset=utf-8", "there is no such page\n", false};
} catch (const std::exception&) {
  // Nothing of a run's files may end the server.
  return {500, "text/plain; charset=utf-8", "this run's files cannot be shown\n", false};
}

std::string runs_event(const WatchedRuns& runs) {
  // JSON text has no newlines, so that it is one line of the event.
  return "event: runs\ndata: " + json_text(runs.summary()) + "\n\n";
}

void watch_runs(const std::vector<std::filesystem::path>& folders, std::uint16_t port,
                const std::function<void(std::uint16_t)>& started,
                const std::function<bool()>& stop) {
  WatchedRuns runs(folders);
  LocalServer server(port, [&runs](const std::string& path) { return watch_answer(runs, path); });
  started(server.port());
  bool first = true;
  server.run(kPollMilliseconds, [&](std::string& event) {
    if (stop()) return false;
    const bool changed = runs.poll();
    if (changed || first) event = runs_event(runs);
    first = false;
    return true;
  });
}

}  // namespace bittern
