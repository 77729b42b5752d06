#include "host/campaign/episode_log.h"

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/hash.h"
#include "host/base/json.h"
#include "host/base/json_text.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::string next_digest(const std::string& before, const std::string& line) {
  return sha256_hex(before + "\n" + line);
}

/// Whole lines of a text; one that a kill cut off is left out.
std::vector<std::string> whole_lines(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0;;) {
    const std::size_t end = text.find('\n', begin);
    if (end == std::string::npos) return lines;
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
}

/// Number of the episode of a line; -1 when it is none.
int episode_of(const std::string& line) {
  json value;
  try {
    value = parse_json(line, "");
  } catch (const Error&) {
    return -1;
  }
  const bool good =
      value.is_object() && value.contains("episode") && value.at("episode").is_number_integer();
  return good ? value.at("episode").get<int>() : -1;
}

}  // namespace

void EpisodeLog::append(const json& line) {
  if (!positioned_) write_file(path_, "");
  positioned_ = true;
  const std::string text = json_text(line);
  append_line(path_, text);
  digest_ = next_digest(digest_, text);
  ++lines_;
}

json EpisodeLog::state() const { return {{"lines", lines_}, {"digest", digest_}}; }

void EpisodeLog::restore(int episodes, const json& state) {
  const auto refuse = [this](const std::string& what) {
    fail(
        "{}: {}. The checkpoint of the search knows these lines, so the run cannot go on: restore "
        "the file from a copy, or delete {} to search again from the first episode (accuracies "
        "that "
        "were computed are kept)",
        path_.string(), what, (path_.parent_path() / "state" / "search.checkpoint").string());
  };
  const std::vector<std::string> all =
      fs::exists(path_) ? whole_lines(read_file(path_)) : std::vector<std::string>();
  const auto known = static_cast<std::size_t>(episodes);
  std::string digest;
  std::string kept;
  for (std::size_t i = 0; i < known; ++i) {
    if (i == all.size()) {
      refuse(fmt::format("{} of {} lines are missing", known - i, known));
    }
    const int episode = episode_of(all[i]);
    if (episode < 0) refuse(fmt::format("line {} is damaged", i + 1));
    if (episode != static_cast<int>(i)) {
      refuse(fmt::format("line {} is of episode {}, expected {}: lines were lost or moved", i + 1,
                         episode, i));
    }
    digest = next_digest(digest, all[i]);
    kept += all[i] + "\n";
  }
  if (!state.is_null()) {
    const bool good = state.is_object() && state.value("lines", -1) == episodes &&
                      state.contains("digest") && state.at("digest").is_string();
    if (!good) refuse("the checkpoint says something else about it");
    if (state.at("digest") != digest) {
      refuse(fmt::format("its first {} lines were changed (they do not fit their digest)", known));
    }
  }
  if (all.size() != known || kept.size() != fs::file_size(path_)) write_file(path_, kept);
  lines_ = episodes;
  digest_ = digest;
  positioned_ = true;
}

std::vector<json> EpisodeLog::lines() const {
  std::vector<json> out;
  if (lines_ == 0) return out;
  std::string digest;
  for (const std::string& line : whole_lines(read_file(path_))) {
    digest = next_digest(digest, line);
    out.push_back(parse_json(line, path_.string()));
  }
  if (digest != digest_) {
    fail("{}: was changed by another program while this one ran; delete {} and run again",
         path_.string(), (path_.parent_path() / "state" / "search.checkpoint").string());
  }
  return out;
}

}  // namespace bittern
