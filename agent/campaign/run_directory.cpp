#include "agent/campaign/run_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <sstream>
#include <utility>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/hash.h"
#include "host/base/json.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

json parse_state(const fs::path& path) {
  return load_json(
      path, JsonOptions::own_file("the file is damaged: start over in another directory (--out)"));
}

}  // namespace

std::string first_difference(const json& now, const json& before) {
  if (now == before) return "";
  if (!now.is_object() || !before.is_object()) {
    return fmt::format(": {}, before {}", now.dump(), before.dump());
  }
  for (const auto& [key, value] : now.items()) {
    if (!before.contains(key)) return fmt::format("{}: {}, before absent", key, value.dump());
    const std::string inner = first_difference(value, before.at(key));
    if (!inner.empty()) return key + (inner.front() == ':' ? "" : ".") + inner;
  }
  for (const auto& [key, value] : before.items()) {
    if (!now.contains(key)) return fmt::format("{}: absent, before {}", key, value.dump());
  }
  return "";
}

RunDirectory::RunDirectory(fs::path folder, const std::string& key, bool resume)
    : folder_(std::move(folder)) {
  std::error_code code;
  fs::create_directories(folder_ / "state", code);
  if (code) fail("{}: cannot create the result directory: {}", folder_.string(), code.message());

  lock_ = ::open(state("lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_ < 0) fail("{}: {}", state("lock").string(), std::strerror(errno));
  // The kernel lets go of the lock however the process ends.
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock_);
    fail(
        "{}: another process is running a campaign in this directory; wait for it, or choose "
        "another --out",
        folder_.string());
  }
  try {
    const fs::path settings = state("campaign.json");
    if (!fs::exists(settings)) {
      if (fs::exists(file("result.json"))) {
        fail_usage("{}: holds results that no run can continue; choose another --out",
                   folder_.string());
      }
      write_file(settings, key);
      return;
    }
    if (!resume) {
      fail_usage("{}: holds a campaign already; continue it with --resume, or choose another --out",
                 folder_.string());
    }
    const std::string difference =
        first_difference(parse_json(key, "settings"), parse_state(settings));
    if (!difference.empty()) {
      fail_usage("{}: was started with other settings ({}); put them back, or choose another --out",
                 folder_.string(), difference);
    }
  } catch (...) {
    ::close(lock_);
    throw;
  }
}

RunDirectory::~RunDirectory() { ::close(lock_); }

void RunDirectory::add_episode(const json& line) {
  append_line(file("episodes.jsonl"), line.dump());
}

std::vector<json> RunDirectory::episodes() const {
  std::vector<json> lines;
  if (!fs::exists(file("episodes.jsonl"))) return lines;
  std::istringstream in(read_file(file("episodes.jsonl")));
  for (std::string line; std::getline(in, line);) {
    try {
      lines.push_back(parse_json(line, file("episodes.jsonl").string()));
    } catch (const Error&) {
      // A kill can cut off the last line only; what follows a broken one cannot be trusted either.
      break;
    }
    if (!lines.back().is_object() || !lines.back().contains("episode")) {
      lines.pop_back();
      break;
    }
  }
  return lines;
}

void RunDirectory::keep_episodes_before(int first) {
  if (!fs::exists(file("episodes.jsonl"))) return;
  std::string kept;
  for (const auto& line : episodes()) {
    if (line.at("episode").get<int>() < first) kept += line.dump() + "\n";
  }
  write_file(file("episodes.jsonl"), kept);
}

std::string RunDirectory::finished_name(const Policy& policy) const {
  std::string name = "finished";
  for (const BitPair& bits : policy) name += fmt::format("-{}.{}", bits.weight, bits.activation);
  // Deep networks would make the name longer than a file system takes.
  return name.size() > 200 ? "finished-" + sha256_hex(name) : name;
}

fs::path RunDirectory::finished_weights(const Policy& policy) const {
  return state(finished_name(policy) + ".safetensors");
}

std::optional<PolicyOutcome> RunDirectory::finished(const Policy& policy) const {
  const fs::path path = state(finished_name(policy) + ".json");
  if (!fs::exists(path)) return std::nullopt;
  PolicyOutcome outcome;
  try {
    const json state =
        load_json(path, JsonOptions::own_file("the file is damaged: delete it to compute it anew"));
    outcome.validation_accuracy = state.at("validation").get<double>();
    outcome.test_accuracy = state.at("test").get<double>();
  } catch (const json::exception& error) {
    fail("{}: damaged ({}); delete it to compute it anew", path.string(), error.what());
  }
  return outcome;
}

void RunDirectory::keep_finished(const PolicyOutcome& outcome) {
  write_file(
      state(finished_name(outcome.policy()) + ".json"),
      json{{"validation", outcome.validation_accuracy}, {"test", outcome.test_accuracy.value()}}
          .dump());
}

}  // namespace bittern
