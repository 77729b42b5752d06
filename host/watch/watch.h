#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "host/watch/local_server.h"
#include "host/watch/watched_runs.h"

namespace bittern {

/// What the server answers: / (the page), /watch.js, /events (server-sent events "runs" with
/// WatchedRuns::summary()), /overview and /run/N (charts as HTML), /runs.json, /run/N.json (the
/// lines of the run); 404 for all else.
WebAnswer watch_answer(const WatchedRuns& runs, const std::string& path);

/// The server-sent event of a summary.
std::string runs_event(const WatchedRuns& runs);

/// Follows the directories and serves them on 127.0.0.1 until `stop` says so. `started` is called
/// with the port once it can be reached. Throws Error as WatchedRuns and LocalServer do.
void watch_runs(const std::vector<std::filesystem::path>& folders, std::uint16_t port,
                const std::function<void(std::uint16_t)>& started,
                const std::function<bool()>& stop);

}  // namespace bittern
