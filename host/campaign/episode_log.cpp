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

std::vector<std::string> lines_of(const fs::path& path) {
  return fs::exists(path) ? whole_lines(read_file(path)) : std::vector<std::string>();
}

/// The lines that a checkpoint knows.
struct Checked {
  std::string text;
  std::string digest;
};

/// Throws Error saying what is wrong with them.
Checked checked_lines(const std::vector<std::string>& all, int episodes, const json& state) {
  const auto known = static_cast<std::size_t>(episodes);
  Checked checked;
  for (std::size_t i = 0; i < known; ++i) {
    if (i == all.size()) fail("{} of {} lines are missing", known - i, known);
    const int episode = episode_of(all[i]);
    if (episode < 0) fail("line {} is damaged", i + 1);
    if (episode != static_cast<int>(i)) {
      fail("line {} is of episode {}, expected {}: lines were lost or moved", i + 1, episode, i);
    }
    checked.digest = next_digest(checked.digest, all[i]);
    checked.text += all[i] + "\n";
  }
  if (state.is_null()) return checked;
  const bool good = state.is_object() && state.value("lines", -1) == episodes &&
                    state.contains("digest") && state.at("digest").is_string();
  if (!good) fail("the checkpoint says something else about it");
  if (state.at("digest") != checked.digest) {
    fail("its first {} lines were changed (they do not fit their digest)", known);
  }
  return checked;
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
  const std::vector<std::string> all = lines_of(path_);
  Checked checked;
  try {
    checked = checked_lines(all, episodes, state);
  } catch (const Error& error) {
    fail(
        "{}: {}. The checkpoint of the search knows these lines, so the run cannot go on: restore "
        "the file from a copy, or delete {} to search again from the first episode (accuracies "
        "that "
        "were computed are kept)",
        path_.string(), error.what(),
        (path_.parent_path() / "state" / "search.checkpoint").string());
  }
  const auto known = static_cast<std::size_t>(episodes);
  if (all.size() != known || checked.text.size() != fs::file_size(path_)) {
    write_file(path_, checked.text);
  }
  lines_ = episodes;
  digest_ = checked.digest;
  positioned_ = true;
}

std::vector<json> EpisodeLog::read(const fs::path& path, int episodes, const json& state) {
  std::vector<std::string> all = lines_of(path);
  try {
    checked_lines(all, episodes, state);
  } catch (const Error& error) {
    fail("{}: {}", path.string(), error.what());
  }
  all.resize(static_cast<std::size_t>(episodes));
  std::vector<json> out;
  for (const std::string& line : all) out.push_back(parse_json(line, path.string()));
  return out;
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
