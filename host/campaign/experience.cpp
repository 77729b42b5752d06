#include "host/campaign/experience.h"

#include <set>
#include <string>
#include <utility>

#include "host/base/error.h"
#include "host/base/hash.h"
#include "host/base/json_text.h"
#include "host/campaign/episode_log.h"
#include "host/search/ranking.h"

namespace bittern {

using nlohmann::json;

Experience read_experience(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "state" / "search.checkpoint";
  std::error_code code;
  if (!std::filesystem::is_regular_file(file, code)) {
    fail_usage(
        "search: start: {} holds no search (there is no {}); name the result directory of a run, "
        "or of one cell of it",
        folder.string(), file.string());
  }
  Experience out;
  out.source = folder.string();
  out.checkpoint = read_checkpoint(file);
  const json& state = out.checkpoint.state;
  try {
    out.method = state.at("fingerprint").at("method").get<std::string>();
    const std::vector<json> lines =
        EpisodeLog::read(folder / "episodes.jsonl", state.at("episode").get<int>(),
                         state.value("lines", json(nullptr)));
    std::set<std::string> seen;
    Sha256 digest;
    digest.update_field(state.dump());
    for (const json& line : lines) {
      if (line.contains("screened_images")) continue;
      if (!seen.insert(line.at("policy").dump()).second) continue;
      Accuracy accuracy;
      accuracy.top1 = line.at("accuracy").get<double>();
      accuracy.loss = number_of_json(line.at("loss"));
      out.scores.push_back({policy_from_json(line.at("policy")), accuracy});
    }
    out.digest = digest.hex();
  } catch (const json::exception& error) {
    fail("{}: episodes.jsonl or the checkpoint are not what was expected: {}", folder.string(),
         error.what());
  }
  return out;
}

}  // namespace bittern
