#include "host/result/episodes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <utility>

#include "host/base/error.h"
#include "host/base/file_descriptor.h"
#include "host/base/json.h"

namespace bittern {
namespace {

using nlohmann::json;

/// What shows that a file is still the same one: its first bytes.
constexpr std::size_t kHead = 256;

double number_at(const json& in, const char* key, const std::string& where) {
  const auto at = in.find(key);
  if (at == in.end() || !at->is_number() || !std::isfinite(at->get<double>())) {
    fail("{}: '{}' is missing or no number; the file was damaged or is none of a search", where,
         key);
  }
  return at->get<double>();
}

BitPair read_bits(const json& in, const std::string& where) {
  const bool good =
      in.is_array() && in.size() == 2 && in[0].is_number_integer() && in[1].is_number_integer();
  const auto fits = [](const json& bits) {
    return bits.get<std::int64_t>() >= 0 && bits.get<std::int64_t>() <= 64;
  };
  if (!good || !fits(in[0]) || !fits(in[1])) {
    fail("{}: 'policy' is no list of pairs [weight bits, activation bits]; the file was damaged",
         where);
  }
  return {in[0].get<int>(), in[1].get<int>()};
}

/// Bytes [offset, size) of an open file.
std::string read_from(int fd, std::uintmax_t offset, std::uintmax_t size, const std::string& name) {
  std::string text(static_cast<std::size_t>(size - offset), '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t got =
        ::pread(fd, text.data() + done, text.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("{}: cannot read: {}", name, std::strerror(errno));
    if (got == 0) break;  // became shorter meanwhile
    done += static_cast<std::size_t>(got);
  }
  text.resize(done);
  return text;
}

}  // namespace

double Episode::value_of(const std::string& resource) const {
  return resource == "latency" ? latency_s : resource == "energy" ? energy_j : weight_bytes;
}

Episode read_episode(const json& line, const std::string& where) {
  if (!line.is_object()) fail("{}: is no episode of a search (no JSON object)", where);
  Episode out;
  const double number = number_at(line, "episode", where);
  if (number < 0 || number > 1e9 || number != std::floor(number)) {
    fail("{}: 'episode' is {}, expected a whole number from 0", where, number);
  }
  out.number = static_cast<int>(number);
  out.evaluations =
      line.contains("evaluations") ? number_at(line, "evaluations", where) : number + 1.0;
  if (!(out.evaluations >= 1.0) || out.evaluations > 1e9) {
    fail("{}: 'evaluations' is {}, expected a number from 1", where, out.evaluations);
  }
  const auto policy = line.find("policy");
  if (policy == line.end() || !policy->is_array()) fail("{}: 'policy' is missing", where);
  for (const json& bits : *policy) out.policy.push_back(read_bits(bits, where));
  out.accuracy = number_at(line, "accuracy", where);
  out.reward = number_at(line, "reward", where);
  const auto cost = line.find("cost");
  if (cost == line.end() || !cost->is_object()) fail("{}: 'cost' is missing", where);
  out.latency_s = number_at(*cost, "latency_s", where);
  out.energy_j = number_at(*cost, "energy_j", where);
  out.weight_bytes = number_at(*cost, "weight_bytes", where);
  const auto meets = line.find("meets_limits");
  const auto screened = line.find("screened_images");
  if (screened != line.end() && screened->is_number_unsigned()) {
    out.screened_images = screened->get<std::int64_t>();
  }
  out.meets_limits = meets == line.end() || !meets->is_boolean() || meets->get<bool>();
  return out;
}

void EpisodeFollower::restart() {
  if (offset_ != 0) ++generation_;
  offset_ = 0;
  head_.clear();
  lines_.clear();
  episodes_.clear();
}

bool EpisodeFollower::update() {
  const bool had = !lines_.empty();
  const std::string name = path_.string();
  const FileDescriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) {
    if (errno != ENOENT && errno != ENOTDIR) fail("{}: {}", name, std::strerror(errno));
    restart();
    return had;
  }
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) fail("{}: {}", name, std::strerror(errno));
  if (!S_ISREG(info.st_mode)) fail("{}: is no regular file", name);
  const auto size = static_cast<std::uintmax_t>(info.st_size);
  if (size > kLargestFile) fail("{}: has {} bytes, at most {} are read", name, size, kLargestFile);
  const std::string head = read_from(file.get(), 0, std::min<std::uintmax_t>(size, kHead), name);
  const auto inode = static_cast<std::uint64_t>(info.st_ino);
  bool changed = false;
  if (inode != inode_ || size < offset_ || head.compare(0, head_.size(), head_) != 0) {
    changed = had;
    restart();
  }
  inode_ = inode;

  const std::string text = read_from(file.get(), offset_, size, name);
  std::vector<json> lines;
  std::vector<Episode> episodes;
  std::size_t begin = 0;
  for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    const std::string where = fmt::format("{}:{}", name, lines_.size() + lines.size() + 1);
    if (end - begin > kLongestLine) fail("{}: is longer than {} bytes", where, kLongestLine);
    JsonOptions options =
        JsonOptions::own_file("restore it from a copy, or run the campaign again");
    options.first_line = static_cast<int>(lines_.size() + lines.size() + 1);
    lines.push_back(parse_json(std::string_view(text).substr(begin, end - begin), name, options));
    episodes.push_back(read_episode(lines.back(), where));
  }
  if (text.size() - begin > kLongestLine) {
    fail("{}: its last line is longer than {} bytes", name, kLongestLine);
  }
  offset_ += begin;
  head_ = head.substr(0, static_cast<std::size_t>(std::min<std::uintmax_t>(offset_, kHead)));
  changed = changed || !lines.empty();
  std::move(lines.begin(), lines.end(), std::back_inserter(lines_));
  episodes_.insert(episodes_.end(), episodes.begin(), episodes.end());
  return changed;
}

}  // namespace bittern
