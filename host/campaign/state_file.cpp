#include "host/campaign/state_file.h"

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/hash.h"
#include "host/base/json.h"
#include "host/base/json_text.h"

namespace bittern {

using nlohmann::json;

namespace {
constexpr int kVersion = 1;  ///< of the form of these files
}  // namespace

void write_state(const std::filesystem::path& path, const json& value) {
  const std::string digest = sha256_hex(json_text(value));
  write_file(path, json_text({{"version", kVersion}, {"sha256", digest}, {"state", value}}) + "\n");
}

json read_state(const std::filesystem::path& path, const std::string& mend) {
  json whole = load_json(path, JsonOptions::own_file("the file is damaged: " + mend));
  const bool has_digest = whole.is_object() && whole.contains("sha256");
  const bool has_state = whole.is_object() && whole.contains("state");
  if (!has_digest && !has_state) return whole;
  // Files of the first version do not say so.
  const bool has_version = whole.contains("version");
  if (has_version && whole.at("version") != kVersion) {
    fail("{}: version {}, this program reads {}: {}", path.string(), whole.at("version").dump(),
         kVersion, mend);
  }
  if (has_digest && has_state && whole.size() == (has_version ? 3 : 2) &&
      whole.at("sha256") == sha256_hex(json_text(whole.at("state")))) {
    return whole.at("state");
  }
  fail("{}: the file is damaged (its content does not fit its digest): {}", path.string(), mend);
}

}  // namespace bittern
