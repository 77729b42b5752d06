#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace bittern {

/// Most threads or simulations at once that may be asked for.
constexpr int kMostWorkers = 1024;

/// Processors that this process may use, at least 1: those of its processor set (taskset, a job of
/// a cluster), and no more than its control group has time for.
int processors();

/// How many threads or simulations a user wants: `asked`, or processors() when it is 0. Throws
/// Error (exit status 2) that names `what` for a negative number or one above kMostWorkers.
int worker_count(int asked, const std::string& what);

/// Processors' worth of time that a control group and those around it leave to a process, rounded
/// up; nothing when there is no limit. `groups` is /proc/self/cgroup, `mount` the folder of the
/// hierarchy, /sys/fs/cgroup.
std::optional<int> cgroup_processors(const std::filesystem::path& groups,
                                     const std::filesystem::path& mount);

}  // namespace bittern
