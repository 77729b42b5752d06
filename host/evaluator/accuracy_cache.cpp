#include "host/evaluator/accuracy_cache.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <utility>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/file_descriptor.h"
#include "host/base/hash.h"
#include "host/base/json.h"
#include "host/base/json_text.h"

namespace bittern {
namespace {

using nlohmann::json;

/// Holds an exclusive lock on a file, which is created when it is not there.
class FileLock {
 public:
  explicit FileLock(const std::filesystem::path& path)
      : fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
    if (!fd_) fail("{}: cannot open for writing: {}", path.string(), std::strerror(errno));
    int result = 0;
    do {
      result = ::flock(fd_.get(), LOCK_EX);
    } while (result != 0 && errno == EINTR);
    if (result != 0) {
      fail("{}: cannot lock: {}", path.string(), std::strerror(errno));
    }
  }

  /// Cuts the file to `size` bytes.
  void truncate(std::size_t size, const std::filesystem::path& path) const {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) {
      fail("{}: cannot cut off an unfinished line: {}", path.string(), std::strerror(errno));
    }
  }

 private:
  FileDescriptor fd_;
};

bool is_percent(const json& value) {
  return value.is_number() && value.get<double>() >= 0 && value.get<double>() <= 100;
}

/// One line of the file.
struct Line {
  std::string key;
  Accuracy accuracy;
  std::string processor;
};

/// Nothing for a line of an earlier version.
std::optional<Line> parse_line(const std::string& text, const std::string& where) {
  constexpr const char* kMend = "delete the line or the file, which is only a cache";
  json entry;
  try {
    entry = parse_json(text, where);
  } catch (const Error&) {
    // An entry of nothing is refused below.
  }
  const auto has_text = [&entry](const char* key) {
    return entry.contains(key) && entry[key].is_string();
  };
  if (!entry.is_object() || !has_text("key") || !entry.contains("top1") ||
      !is_percent(entry["top1"]) || !entry.contains("loss")) {
    fail("{}: expected {{\"key\": text, \"top1\": 0..100, \"loss\": number, ...}}; {}", where,
         kMend);
  }
  if (!entry.contains("sha256") && !entry.contains("processor")) return std::nullopt;
  json content = entry;
  content.erase("sha256");
  if (!has_text("sha256") || entry["sha256"] != sha256_hex(json_text(content)) ||
      !has_text("processor") || !is_json_number(entry["loss"])) {
    fail("{}: damaged: the line does not fit its digest; {}", where, kMend);
  }
  Line line{entry["key"].get<std::string>(),
            {entry["top1"].get<double>(), number_of_json(entry["loss"])},
            entry["processor"].get<std::string>()};
  if (entry.contains("screened_images")) {
    if (!entry["screened_images"].is_number_unsigned())
      fail("{}: screened_images; {}", where, kMend);
    line.accuracy.screened_images = entry["screened_images"].get<std::int64_t>();
  }
  return line;
}

}  // namespace

AccuracyCache::AccuracyCache(std::filesystem::path path, std::string processor)
    : path_(std::move(path)), processor_(std::move(processor)) {
  if (path_.empty()) return;
  if (path_.has_parent_path()) {
    std::error_code code;
    std::filesystem::create_directories(path_.parent_path(), code);
    if (code) {
      fail("{}: cannot create the folder: {}", path_.parent_path().string(), code.message());
    }
  }
  load();
}

void AccuracyCache::load() {
  const FileLock lock(path_);
  std::string content = read_file(path_);
  const std::size_t end = content.rfind('\n') + 1;  // 0 when there is no whole line
  if (end != content.size()) lock.truncate(end, path_);
  content.resize(end);
  int number = 0;
  for (std::size_t begin = 0; begin < content.size();) {
    const std::size_t stop = content.find('\n', begin);
    const std::string where = fmt::format("{}:{}", path_.string(), ++number);
    if (auto line = parse_line(content.substr(begin, stop - begin), where)) {
      entries_.emplace(std::move(line->key), line->accuracy);
      processors_.insert(std::move(line->processor));
    }
    begin = stop + 1;
  }
}

std::optional<Accuracy> AccuracyCache::find(const std::string& key) const {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return std::nullopt;
  return found->second;
}

void AccuracyCache::insert(const std::string& key, const Accuracy& accuracy, const Policy& policy) {
  if (!entries_.emplace(key, accuracy).second || path_.empty()) return;
  json bits = json::array();
  for (const BitPair& pair : policy) bits.push_back({pair.weight, pair.activation});
  json line{{"key", key},
            {"top1", accuracy.top1},
            {"loss", json_number(accuracy.loss)},
            {"policy", bits},
            {"processor", processor_}};
  if (accuracy.screened_images > 0) line["screened_images"] = accuracy.screened_images;
  line["sha256"] = sha256_hex(json_text(line));
  const FileLock lock(path_);
  append_line(path_, json_text(line));
  processors_.insert(processor_);
}

}  // namespace bittern
