#include "host/campaign/campaign.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/zoo.h"
#include "host/campaign/campaign_blocks.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;

/// Of the file's format; files without a version are of the first.
constexpr int kVersion = 1;
constexpr std::size_t kMaxCells = 1000;

/// Which entry of every list a cell takes.
struct Pick {
  std::size_t network = 0;
  std::size_t variant = 0;
  std::size_t method = 0;
  std::vector<std::size_t> limits;
  std::size_t seed = 0;
};

}  // namespace

const std::string& Campaign::as_written(const std::string& key, const std::string& value) const {
  const auto found = written.find(key);
  return found == written.end() ? value : found->second;
}

namespace {

YamlNode load_root(const std::string& path_or_name, const std::vector<std::string>& settings,
                   fs::path& path) {
  path = path_or_name;
  if (!path.has_parent_path() && !path.has_extension()) {
    path = home_folder() / "configs" / "campaigns" / (path_or_name + ".yaml");
    if (!fs::exists(path)) {
      fail_usage("no campaign \"{}\"{} (a path to a .yaml file is taken, too)", path_or_name,
                 suggestion(path_or_name, campaign_names()));
    }
  }
  YamlNode root = YamlNode::load(path);
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos) {
      fail_usage("--set {}: expected KEY=VALUE, such as search.episodes=20", setting);
    }
    const std::string key = setting.substr(0, equals);
    root = root.with(key, setting.substr(equals + 1), "--set " + key);
  }
  return root;
}

/// Weights in codebooks can be stored, and that is all.
void check_codebooks(const YamlMap& map, const Campaign& campaign) {
  for (const ConstraintSettings& constraint : campaign.constraints) {
    if (constraint.resource == "model_size") continue;
    map.at("constraints")
        .fail(
            "a limit on " + constraint.resource +
            " does not go with weights in codebooks (evaluator: weights: kmeans), because no core "
            "computes with them; limit model_size, or take weights: linear");
  }
  if (campaign.search.mode != "w") {
    map.node().fail("search.mode is " + campaign.search.mode +
                    ", but codebooks (evaluator: weights: kmeans) are of weights, and activation "
                    "bits do not change the model size; set mode: w");
  }
}

/// Puts `value` wherever `text` has `place`.
void fill_in(std::string& text, const std::string& place, const std::string& value) {
  for (std::size_t at = text.find(place); at != std::string::npos; at = text.find(place, at)) {
    text.replace(at, place.size(), value);
    at += value.size();
  }
}

Campaign read_cell(const YamlMap& map, const Pick& pick, const CampaignKinds* kinds) {
  const YamlNode& root = map.node();
  Campaign out;
  out.name = file_name_of(map.at("name"));
  out.description = map.text("description", "");
  const YamlNode network = entries_of(map.at("network")).at(pick.network);
  out.network = zoo_reference("networks", network);
  out.written["network"] = network.text();
  out.cost = map.choice("cost", {"rtl", "model", "table"}, out.cost);
  // A table is of whatever hardware it says: the variant may be left out.
  if (map.find("variant") || out.cost != "table") {
    const YamlNode variant = entries_of(map.at("variant")).at(pick.variant);
    out.variant = zoo_reference("variants", variant);
    out.written["variant"] = variant.text();
  }
  const auto table = map.find("table");
  if ((out.cost == "table") != table.has_value()) {
    root.fail("`table: FILE` goes with `cost: table`, and only with it");
  }
  if (table) {
    out.table = existing_file(*table).string();
    out.written["table"] = table->text();
  }
  if (const auto seed = map.find("seed")) {
    out.seed = static_cast<std::uint64_t>(entries_of(*seed).at(pick.seed).integer(0, INT64_MAX));
  }
  out.evaluator = read_evaluator(map, kinds);
  for (const char* key : {"data", "model", "final"}) {
    if (!out.evaluator.uses_images && map.has(key)) {
      map.at(key).fail("not used with an evaluator of kind " + out.evaluator.name +
                       ", which has no images; leave it out");
    }
  }
  if (out.evaluator.uses_images && (kinds != nullptr || map.has("data"))) {
    out.data = read_data(map.at("data"));
    for (const auto& [key, value] : map.at("data").entries()) {
      if (key == "folder") out.written[key] = value.text();
    }
  }
  if (const auto node = map.find("model")) {
    out.model = read_model(*node, kinds != nullptr);
    for (const auto& [key, value] : node->entries()) {
      if (key == "checkpoint") out.written[key] = value.text();
    }
  }
  if (const auto node = map.find("constraints")) {
    out.constraints = read_constraints(*node, pick.limits);
  }
  const auto search = map.find("search");
  out.search = read_search(search ? *search : YamlNode::parse("{}", root.file()),
                           kinds != nullptr ? &kinds->methods : nullptr, pick.method, out.method);
  fill_in(out.search.start, "{method}", out.method.name);
  fill_in(out.search.start, "{seed}", std::to_string(out.seed));
  if (out.constraints.empty() && kinds != nullptr && !out.method.weighs_cost) {
    root.fail("missing key 'constraints': method " + out.method.name +
              " looks for the most accurate policy within a limit, such as {resource: latency, "
              "ratio: 0.5}");
  }
  if (const auto node = map.find("policies")) {
    for (const YamlNode& item : node->items(1, 20)) {
      out.policies.push_back(policy_reference(item).string());
      out.written["policies"] += item.text() + "\n";
    }
  }
  if (const auto node = map.find("final")) out.final = read_final(*node);
  if (out.evaluator.codebooks) check_codebooks(map, out);
  return out;
}

/// What tells a cell from the others: those of its settings of which the file lists several.
std::string cell_name(const Campaign& cell, const Pick& most) {
  std::vector<std::string> parts;
  if (most.network > 1) parts.push_back(fs::path(cell.network).stem().string());
  if (most.variant > 1) parts.push_back(fs::path(cell.variant).stem().string());
  if (most.method > 1) parts.push_back(cell.method.name);
  for (std::size_t i = 0; i < most.limits.size(); ++i) {
    if (most.limits[i] < 2) continue;
    parts.push_back(
        fmt::format("{}-{:g}", cell.constraints[i].resource, cell.constraints[i].limit));
  }
  if (most.seed > 1) parts.push_back(fmt::format("seed-{}", cell.seed));
  return fmt::format("{}", fmt::join(parts, "_"));
}

}  // namespace

std::vector<Campaign> load_cells(const std::string& path_or_name,
                                 const std::vector<std::string>& settings,
                                 const CampaignKinds* kinds) {
  fs::path path;
  const YamlNode root = load_root(path_or_name, settings, path);
  const YamlMap map(
      root, {"version", "name", "description", "network", "variant", "cost", "table", "seed",
             "data", "model", "evaluator", "constraints", "search", "policies", "final", "only"});
  if (map.integer("version", 1, INT32_MAX, kVersion) != kVersion) {
    map.at("version").fail(fmt::format("this program reads campaigns of version {}", kVersion));
  }
  Pick most;
  const auto count = [&map](const char* key) {
    const auto node = map.find(key);
    return node ? entries_of(*node).size() : std::size_t{1};
  };
  most.network = count("network");
  most.variant = count("variant");
  most.seed = count("seed");
  most.method = std::max<std::size_t>(1, method_nodes(map.find("search")).size());
  std::size_t all = most.network * most.variant * most.seed * most.method;
  const auto constraints = map.find("constraints");
  for (const YamlNode& item : constraints ? constraints->items(1, 3) : std::vector<YamlNode>()) {
    most.limits.push_back(item.is_mapping() ? limits_of(item).size() : 1);
    all *= most.limits.back();
  }
  if (all > kMaxCells) {
    root.fail(fmt::format("{} cells; at most {} are worked through", all, kMaxCells));
  }
  const std::string text = read_file(path);
  std::vector<Campaign> cells;
  for (std::size_t index = 0; index < all; ++index) {
    std::size_t rest = index;
    const auto take = [&rest](std::size_t size) {
      const std::size_t digit = rest % size;
      rest /= size;
      return digit;
    };
    Pick pick;
    pick.seed = take(most.seed);
    pick.limits.resize(most.limits.size());
    for (std::size_t i = most.limits.size(); i-- > 0;) pick.limits[i] = take(most.limits[i]);
    pick.method = take(most.method);
    pick.variant = take(most.variant);
    pick.network = take(most.network);
    Campaign cell = read_cell(map, pick, kinds);
    cell.file = path;
    cell.text = text;
    cell.cell = cell_name(cell, most);
    for (const Campaign& other : cells) {
      if (other.cell == cell.cell) {
        root.fail(
            fmt::format("two cells are the same ({}): a list names something twice", cell.cell));
      }
    }
    cells.push_back(std::move(cell));
  }
  const auto only = map.find("only");
  if (!only) return cells;
  if (cells.size() == 1) only->fail("the campaign has but one cell; leave this out");
  std::vector<std::string> patterns;
  for (const YamlNode& item : entries_of(*only)) patterns.push_back(item.text());
  return picked_cells(cells, patterns, only->where() + ": only");
}

std::vector<Campaign> picked_cells(const std::vector<Campaign>& cells,
                                   const std::vector<std::string>& only,
                                   const std::string& origin) {
  std::vector<bool> picked(cells.size(), only.empty());
  for (const std::string& pattern : only) {
    bool any = false;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (!matches_name(pattern, cells[i].cell)) continue;
      picked[i] = any = true;
    }
    if (any) continue;
    std::string names;
    for (const Campaign& cell : cells) names += "\n  " + cell.cell;
    fail_usage("{}: {}: no cell is called so (* stands for any text); there are:{}", origin,
               pattern, names);
  }
  std::vector<Campaign> out;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (picked[i]) out.push_back(cells[i]);
  }
  return out;
}

Campaign load_campaign(const std::string& path_or_name, const std::vector<std::string>& settings,
                       const CampaignKinds* kinds) {
  std::vector<Campaign> cells = load_cells(path_or_name, settings, kinds);
  if (cells.size() > 1) {
    fail_usage("{}: {} cells where one campaign is expected", path_or_name, cells.size());
  }
  return std::move(cells.front());
}

std::vector<std::string> campaign_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(home_folder() / "configs" / "campaigns")) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace bittern
