#include "host/base/processors.h"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <thread>
#include <vector>

#include "host/base/error.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;

/// Of the processor set; 0 when the kernel does not say.
int set_size() {
  // Machines with more processors than cpu_set_t holds need a larger set.
  for (std::size_t most = CPU_SETSIZE; most <= (std::size_t{1} << 20); most *= 2) {
    std::vector<cpu_set_t> set(most / CPU_SETSIZE);
    const std::size_t bytes = set.size() * sizeof(cpu_set_t);
    if (::sched_getaffinity(0, bytes, set.data()) == 0) return CPU_COUNT_S(bytes, set.data());
  }
  return 0;
}

void lower(std::optional<int>& least, double quota, double period) {
  if (!(quota > 0) || !(period > 0)) return;
  const int processors = std::max(1, static_cast<int>(std::ceil(std::min(quota / period, 1e6))));
  least = least ? std::min(*least, processors) : processors;
}

/// "max 100000" or "150000 100000": microseconds of time in each period.
void lower_by_version_2(std::optional<int>& least, const fs::path& folder) {
  std::ifstream in(folder / "cpu.max");
  double quota = 0;
  double period = 0;
  if (in >> quota >> period) lower(least, quota, period);
}

void lower_by_version_1(std::optional<int>& least, const fs::path& folder) {
  std::ifstream quota_in(folder / "cpu.cfs_quota_us");
  std::ifstream period_in(folder / "cpu.cfs_period_us");
  double quota = 0;
  double period = 0;
  if (quota_in >> quota && period_in >> period) lower(least, quota, period);
}

}  // namespace

std::optional<int> cgroup_processors(const fs::path& groups, const fs::path& mount) {
  std::optional<int> least;
  std::ifstream in(groups);
  // Lines "number:controllers:/path"; in version 2 there are no controllers.
  for (std::string line; std::getline(in, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool version_2 = controllers == ",,";
    if (!version_2 && controllers.find(",cpu,") == std::string::npos) continue;
    const fs::path root = version_2 ? mount : mount / "cpu";
    // The group itself and every one around it. Inside of a container the path may be one that is
    // not there; the root is the container's own group then.
    fs::path group = fs::path(line.substr(second + 1)).relative_path();
    for (;; group = group.parent_path()) {
      version_2 ? lower_by_version_2(least, root / group) : lower_by_version_1(least, root / group);
      if (group.empty()) break;
    }
  }
  return least;
}

int processors() {
  int count = set_size();
  if (count == 0) count = static_cast<int>(std::thread::hardware_concurrency());
  if (const auto limit = cgroup_processors("/proc/self/cgroup", "/sys/fs/cgroup")) {
    count = std::min(count, *limit);
  }
  return std::max(1, count);
}

int worker_count(int asked, const std::string& what) {
  if (asked < 0 || asked > kMostWorkers) {
    fail_usage("{}: {}, expected 1 to {}, or 0 for one for each processor ({})", what, asked,
               kMostWorkers, processors());
  }
  return asked == 0 ? processors() : asked;
}

}  // namespace bittern
