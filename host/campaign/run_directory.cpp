#include "host/campaign/run_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/hash.h"
#include "host/base/json.h"
#include "host/campaign/state_file.h"
#include "host/store/store.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Field beside the settings: by which keys the costs of the run were found.
constexpr const char* kKeys = "measurement_keys";

constexpr const char* kFullPrecision = "finished-full-precision";

fs::path settings_file(const fs::path& folder) { return folder / "state" / "campaign.json"; }

bool has_content(const fs::path& file) {
  std::error_code code;
  return fs::is_regular_file(file, code) && fs::file_size(file, code) > 0;
}

/// Whether a run has got as far as its first episode.
bool holds_run(const fs::path& folder) {
  std::error_code code;
  if (has_content(folder / "result.json") || has_content(folder / "episodes.jsonl") ||
      has_content(folder / "state" / "search.checkpoint")) {
    return true;
  }
  for (const auto& entry : fs::directory_iterator(folder / "state", code)) {
    if (entry.path().filename().string().rfind("finished", 0) == 0) return true;
  }
  return false;
}

/// Whether anything but the marks of a start is in a directory.
bool holds_anything(const fs::path& folder) {
  std::error_code code;
  for (const auto& entry : fs::recursive_directory_iterator(folder, code)) {
    if (has_content(entry.path()) && entry.path() != settings_file(folder)) return true;
    if (!entry.is_regular_file(code) && !entry.is_directory(code)) return true;
  }
  return static_cast<bool>(code);
}

int lines_of(const fs::path& file) {
  if (!fs::exists(file)) return 0;
  const std::string text = read_file(file);
  return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
}

/// Refuses settings that differ from those of the run in the directory, but for a budget on which
/// nothing depends.
void compare_settings(const fs::path& folder, const std::string& key) {
  json now = parse_json(key, "settings");
  json before = read_state(settings_file(folder), "start over in another directory (--out)");
  const int keys = before.value(kKeys, 1);  // version 1 did not say
  before.erase(kKeys);
  if (keys != MeasurementStore::kSchemaVersion && before.value("cost", "rtl") != "table") {
    fail_usage(
        "{}: was started by a Bittern that kept its measurements under other keys (version {}, "
        "this one has {}), so that nothing proves that its costs still hold; go on with that "
        "Bittern, or start over in another directory (--out)",
        folder.string(), keys, MeasurementStore::kSchemaVersion);
  }
  const auto budget = [](const json& settings) {
    const json::json_pointer place("/search/episodes");
    return settings.contains(place) && settings.at(place).is_number_integer()
               ? settings.at(place).get<int>()
               : 0;
  };
  const int wanted = budget(now);
  // Of most methods no episode depends on how many there are (ConfiguredMethod::uses_budget).
  const bool free = !now.contains(json::json_pointer("/search/uses_budget"));
  if (free && wanted > 0 && budget(before) > 0) now["search"]["episodes"] = budget(before);
  const std::string difference = first_difference(now, before);
  if (!difference.empty()) {
    fail_usage(
        "{}: was started with other settings ({}); put them back, or choose another --out{}",
        folder.string(), difference,
        free ? " (of all settings only search.episodes may change: no episode depends on how many "
               "there are)"
             : "");
  }
  const int done = lines_of(folder / "episodes.jsonl");
  if (wanted > 0 && wanted < budget(before) && wanted < done) {
    fail_usage(
        "{}: search.episodes is {}, but {} episodes were run there (of {}): the number may be "
        "raised, or lowered to {}; choose another --out for fewer",
        folder.string(), wanted, done, budget(before), done);
  }
}

/// Throws unless a start with these settings may use the directory.
void check_claim(const fs::path& folder, const std::string& key, bool resume) {
  if (!fs::exists(settings_file(folder))) {
    if (fs::exists(folder / "result.json")) {
      fail_usage("{}: holds results that no run can continue; choose another --out",
                 folder.string());
    }
    return;
  }
  if (!holds_run(folder)) return;
  if (!resume) {
    fail_usage("{}: holds a campaign already; continue it with --resume, or choose another --out",
               folder.string());
  }
  compare_settings(folder, key);
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

void RunDirectory::check(const fs::path& folder, const std::string& key, bool resume) {
  std::error_code code;
  for (fs::path at = fs::absolute(folder / "state").lexically_normal();; at = at.parent_path()) {
    const auto status = fs::status(at, code);
    if (!fs::exists(status) && at.has_relative_path()) continue;
    if (!fs::is_directory(status)) {
      fail("{}: cannot create the result directory: {} is no folder", folder.string(), at.string());
    }
    // Asking for permission is not enough: some file systems refuse even root.
    std::string probe = (at / ".bittern-check-XXXXXX").string();
    if (::mkdtemp(probe.data()) == nullptr) {
      fail("{}: cannot write into {}: {}; choose another --out", folder.string(), at.string(),
           std::strerror(errno));
    }
    ::rmdir(probe.c_str());
    break;
  }
  check_claim(folder, key, resume);
}

std::optional<CampaignResult> RunDirectory::result(const fs::path& folder, const std::string& key) {
  const fs::path file = folder / "result.json";
  if (!fs::exists(file)) return std::nullopt;
  check_claim(folder, key, /*resume=*/true);
  const json content = load_json(file);
  try {
    return campaign_result_from_json(content);
  } catch (const Error& error) {
    fail("{}: {}", file.string(), error.what());
  }
}

RunDirectory::RunDirectory(fs::path folder, const std::string& key, bool resume)
    : folder_(std::move(folder)),
      finished_folder_(folder_ / "state"),
      episodes_(folder_ / "episodes.jsonl") {
  try {
    make_folders();
    lock();
    check_claim(folder_, key, resume);
    json settings = parse_json(key, "settings");
    settings[kKeys] = MeasurementStore::kSchemaVersion;
    write_state(settings_file(folder_), settings);
  } catch (...) {
    remove_what_was_made();
    throw;
  }
}

RunDirectory::~RunDirectory() { remove_what_was_made(); }

void RunDirectory::make_folders() {
  std::error_code code;
  for (fs::path at = fs::absolute(folder_ / "state").lexically_normal();
       !fs::exists(at, code) && at.has_relative_path(); at = at.parent_path()) {
    made_.insert(made_.begin(), at);
  }
  fs::create_directories(folder_ / "state", code);
  if (code) fail("{}: cannot create the result directory: {}", folder_.string(), code.message());
}

void RunDirectory::lock() {
  const fs::path path = state("lock");
  lock_ = FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock_) fail("{}: {}", path.string(), std::strerror(errno));
  // The kernel lets go of the lock however the process ends. A process that ends without results
  // removes the file, so it has to be the one that was locked.
  struct stat locked {};
  struct stat there {};
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0 || ::fstat(lock_.get(), &locked) != 0 ||
      ::stat(path.c_str(), &there) != 0 || locked.st_ino != there.st_ino) {
    lock_.close();
    fail(
        "{}: another process is running a campaign in this directory; wait for it, or choose "
        "another --out",
        folder_.string());
  }
}

void RunDirectory::remove_what_was_made() {
  std::error_code code;
  // Without the lock the files in there are another process's.
  if (lock_ && !made_.empty() && !holds_anything(folder_)) {
    for (const auto& entry : fs::directory_iterator(folder_ / "state", code)) {
      if (entry.is_regular_file(code)) fs::remove(entry.path(), code);
    }
  }
  lock_.close();
  // A folder that has something in it stays.
  for (auto folder = made_.rbegin(); folder != made_.rend(); ++folder) fs::remove(*folder, code);
  made_.clear();
}

void RunDirectory::share_finished(const fs::path& folder) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) fail("{}: cannot create the folder: {}", folder.string(), code.message());
  finished_folder_ = folder;
}

std::string RunDirectory::finished_name(const Policy& policy) const {
  std::string name = "finished";
  for (const BitPair& bits : policy) name += fmt::format("-{}.{}", bits.weight, bits.activation);
  // Deep networks would make the name longer than a file system takes.
  return name.size() > 200 ? "finished-" + sha256_hex(name) : name;
}

fs::path RunDirectory::finished_weights(const Policy& policy) const {
  return finished_folder_ / (finished_name(policy) + ".safetensors");
}

std::optional<PolicyOutcome> RunDirectory::finished(const Policy& policy) const {
  std::optional<PolicyOutcome> outcome;
  read_finished(finished_name(policy), [&outcome](const json& kept) {
    outcome.emplace();
    outcome->validation_accuracy = kept.at("validation").get<double>();
    outcome->test_accuracy = kept.at("test").get<double>();
    if (kept.contains("choice")) outcome->choice_accuracy = kept.at("choice").get<double>();
    if (kept.contains("quantised")) {
      outcome->quantised_test_accuracy = kept.at("quantised").get<double>();
    }
    outcome->validation_answers = Answers::parse(kept.at("validation_answers").get<std::string>());
    outcome->test_answers = Answers::parse(kept.at("test_answers").get<std::string>());
  });
  return outcome;
}

std::optional<Accuracy> RunDirectory::full_precision() const {
  std::optional<Accuracy> test;
  read_finished(kFullPrecision, [&test](const json& kept) {
    test.emplace();
    test->top1 = kept.at("test").get<double>();
    test->answers = Answers::parse(kept.at("test_answers").get<std::string>());
  });
  return test;
}

void RunDirectory::keep_full_precision(const Accuracy& test) {
  write_state(finished_folder_ / (std::string(kFullPrecision) + ".json"),
              {{"test", test.top1}, {"test_answers", test.answers.text()}});
}

void RunDirectory::read_finished(const std::string& name,
                                 const std::function<void(const json&)>& take) const {
  const fs::path path = finished_folder_ / (name + ".json");
  if (!fs::exists(path)) return;
  const char* const mend = "delete it to compute it anew";
  const json kept = read_state(path, mend);
  try {
    // Written by a version that did not keep them: computed anew, with the same result.
    if (kept.contains("test_answers")) take(kept);
  } catch (const json::exception& error) {
    fail("{}: damaged ({}); {}", path.string(), error.what(), mend);
  }
}

void RunDirectory::keep_finished(const PolicyOutcome& outcome) {
  json kept = {{"validation", outcome.validation_accuracy},
               {"test", outcome.test_accuracy.value()},
               {"validation_answers", outcome.validation_answers.text()},
               {"test_answers", outcome.test_answers.text()}};
  if (outcome.choice_accuracy) kept["choice"] = *outcome.choice_accuracy;
  if (outcome.quantised_test_accuracy) kept["quantised"] = *outcome.quantised_test_accuracy;
  write_state(finished_folder_ / (finished_name(outcome.policy()) + ".json"), kept);
}

}  // namespace bittern
