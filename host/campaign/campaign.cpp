#include "host/campaign/campaign.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "host/base/data_sets.h"
#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/yaml.h"
#include "host/base/zoo.h"
#include "host/search/setting.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxImages = 10'000'000;
constexpr const char* kDefaultMethod = "haq";
/// Of the file's format; files without a version are of the first.
constexpr int kVersion = 1;
constexpr std::size_t kMaxCells = 1000;

DataSettings read_data(const YamlNode& node) {
  const YamlMap map(node, {"dataset", "seed", "train_images", "validation_images", "choice_images",
                           "test_images", "folder", "resize"});
  DataSettings out;
  out.dataset = map.choice("dataset", dataset_names());
  const bool drawn = out.dataset == "synthetic";
  out.seed = static_cast<std::uint64_t>(map.integer("seed", 0, INT64_MAX, 1));
  out.train_images = read_int(map, "train_images", drawn ? 1 : 0, kMaxImages, drawn ? 6000 : 0);
  const int validation = data_set(out.dataset).validation_images;
  out.validation_images =
      read_int(map, "validation_images", validation > 0 ? 1 : 0, kMaxImages, validation);
  out.choice_images = read_int(map, "choice_images", 0, kMaxImages, 0);
  if (out.choice_images > 0 && out.choice_images >= out.validation_images) {
    map.at("choice_images")
        .fail(fmt::format("they are some of the {} validation images; the search needs the others",
                          out.validation_images));
  }
  out.test_images = read_int(map, "test_images", drawn ? 1 : 0, kMaxImages, drawn ? 2000 : 0);
  if (data_set(out.dataset).own_test_images && out.test_images != 0) {
    map.at("test_images")
        .fail(out.dataset + " is always tested on all of its test images; leave this out");
  }
  if (const auto folder = map.find("folder")) {
    if (drawn) folder->fail("synthetic images are in no folder; leave it out");
    out.folder = file_of(*folder).string();
    if (!fs::is_directory(out.folder)) folder->fail("there is no folder " + out.folder);
  }
  if (const auto resize = map.find("resize")) {
    if (data_set(out.dataset).layout != "images") {
      resize->fail("the images of " + out.dataset + " have one size; leave it out");
    }
    out.resize = static_cast<int>(resize->integer(1, 65536));
  }
  return out;
}

ModelSettings read_model(const YamlNode& node) {
  const YamlMap map(node, {"checkpoint", "epochs", "learning_rate", "batch"});
  ModelSettings out;
  if (const auto file = map.find("checkpoint")) out.checkpoint = existing_file(*file).string();
  out.epochs = read_int(map, "epochs", 1, 10000, out.epochs);
  out.learning_rate = map.real("learning_rate", 1e-9, 100, out.learning_rate);
  out.batch = read_int(map, "batch", 1, 65536, out.batch);
  return out;
}

/// The kind that a block names, or the default.
std::string evaluator_name(const std::optional<YamlNode>& node) {
  if (node && node->is_mapping()) {
    for (const auto& [key, value] : node->entries()) {
      if (key == "kind") return value.text();
    }
  }
  return ConfiguredEvaluator().name;
}

ConfiguredEvaluator read_evaluator(const YamlMap& campaign, const CampaignKinds* kinds) {
  const std::optional<YamlNode> node = campaign.find("evaluator");
  const std::string name = evaluator_name(node);
  if (kinds == nullptr) {
    ConfiguredEvaluator evaluator;
    evaluator.name = name;
    return evaluator;
  }
  std::vector<std::string> names;
  for (const EvaluatorKind& kind : kinds->evaluators) {
    names.push_back(kind.name);
    if (kind.name != name) continue;
    std::vector<std::string> keys = kind.keys;
    keys.emplace_back("kind");
    return kind.configure(
        YamlMap(node ? *node : YamlNode::parse("{}", campaign.node().file()), keys));
  }
  (node ? *node : campaign.node())
      .fail("evaluator: kind " + name + " is not part of this build" + suggestion(name, names));
}

/// Which entry of every list a cell takes.
struct Pick {
  std::size_t network = 0;
  std::size_t variant = 0;
  std::size_t method = 0;
  std::vector<std::size_t> limits;
  std::size_t seed = 0;
};

/// The entries of a key that may hold a list; a single value is one entry.
std::vector<YamlNode> entries_of(const YamlNode& node) {
  return node.is_sequence() ? node.items(1, 1000) : std::vector<YamlNode>{node};
}

std::vector<int> read_widths(const YamlNode& node) {
  std::vector<int> widths;
  for (const YamlNode& item : entries_of(node)) {
    widths.push_back(static_cast<int>(item.integer(1, 8)));
  }
  return widths;
}

std::vector<LayerBits> read_bits(const YamlNode& node) {
  std::vector<LayerBits> out;
  for (const YamlNode& item : node.items(1)) {
    const YamlMap map(item, {"layers", "weights", "activations"});
    LayerBits bits;
    bits.layers = map.text("layers");
    if (const auto weights = map.find("weights")) bits.weight_bits = read_widths(*weights);
    if (const auto activations = map.find("activations")) {
      bits.activation_bits = read_widths(*activations);
    }
    if (bits.weight_bits.empty() && bits.activation_bits.empty()) {
      item.fail("expected `weights` or `activations`: a width, which pins, or a list of them");
    }
    out.push_back(std::move(bits));
  }
  return out;
}

void read_ties(const YamlNode& node, SearchSettings& out) {
  for (const YamlNode& group : node.items(1)) {
    if (group.is_mapping()) {
      const YamlMap map(group, {"inputs_of"});
      out.tied_inputs_of.push_back(map.choice("inputs_of", {"add", "concat"}));
      continue;
    }
    out.ties.emplace_back();
    for (const YamlNode& name : entries_of(group)) out.ties.back().push_back(name.text());
  }
}

/// The names under `method`.
std::vector<YamlNode> method_nodes(const std::optional<YamlNode>& search) {
  if (!search || !search->is_mapping()) return {};
  for (const auto& [key, value] : search->entries()) {
    if (key == "method") return entries_of(value);
  }
  return {};
}

/// A search that is measured in evaluations may ask for known policies so many times as often.
constexpr int kEpisodesPerEvaluation = 10;

void read_budget(const YamlMap& map, SearchSettings& out) {
  out.evaluations = read_int(map, "evaluations", 1, 100'000, out.evaluations);
  const int episodes =
      map.has("evaluations") ? kEpisodesPerEvaluation * out.evaluations : out.episodes;
  out.episodes = read_int(map, "episodes", 1, 1'000'000, episodes);
}

/// The method that a cell uses, from its block (`haq: {warmup: 5}`) or, where the campaign has but
/// one method, from the keys beside those that all methods share.
ConfiguredMethod read_method(const YamlMap& map, const std::vector<MethodKind>* methods,
                             const std::string& name, bool only_one, SearchSettings& search) {
  if (methods == nullptr) {
    ConfiguredMethod method;
    method.name = name;
    return method;
  }
  const auto kind = std::find_if(methods->begin(), methods->end(),
                                 [&name](const MethodKind& k) { return k.name == name; });
  if (const auto block = map.find(name)) {
    std::vector<std::string> keys = kind->keys;
    keys.insert(keys.end(), {"episodes", "evaluations"});
    const YamlMap own(*block, keys);
    for (const std::string& key : only_one ? kind->keys : std::vector<std::string>()) {
      if (map.has(key)) {
        map.at(key).fail("the settings of " + name + " are in its block `" + name +
                         "`: give each of them once, there");
      }
    }
    read_budget(own, search);
    return kind->configure(own);
  }
  return kind->configure(only_one ? map
                                  : YamlMap(YamlNode::parse("{}", map.node().file()), kind->keys));
}

SearchSettings read_search(const YamlNode& node, const std::vector<MethodKind>* methods,
                           std::size_t pick, ConfiguredMethod& method) {
  std::vector<std::string> keys = {
      "method", "episodes", "evaluations",     "min_bits",       "max_bits",       "mode",
      "fixed",  "wall",     "must_pay_share",  "pin_first_last", "accuracy_floor", "bits",
      "tie",    "goal",     "accuracy_weight", "lambda"};
  std::vector<std::string> names;
  std::vector<std::string> known;
  for (const MethodKind& kind : methods != nullptr ? *methods : std::vector<MethodKind>()) {
    known.push_back(kind.name);
    // A block of a method that is not named waits for a --set search.method.
    keys.push_back(kind.name);
  }
  for (const YamlNode& item : method_nodes(node)) {
    names.push_back(methods != nullptr ? item.choice(known) : item.text());
    if (std::count(names.begin(), names.end(), names.back()) > 1) {
      item.fail("method " + names.back() + " is listed twice");
    }
  }
  if (names.empty()) names = {kDefaultMethod};
  if (methods == nullptr) {
    // A method's own keys are another program's to judge.
    for (const auto& [key, value] : node.entries()) keys.push_back(key);
  }
  for (const std::string& name : names) {
    keys.push_back(name);
    if (methods == nullptr) continue;
    const auto kind = std::find_if(methods->begin(), methods->end(),
                                   [&name](const MethodKind& k) { return k.name == name; });
    if (kind == methods->end()) {
      node.fail("no method " + name + " in this build; name one under `method`" +
                suggestion(name, known));
    }
    if (names.size() == 1) keys.insert(keys.end(), kind->keys.begin(), kind->keys.end());
  }
  const YamlMap map(node, keys);
  SearchSettings out;
  read_budget(map, out);
  out.min_bits = read_int(map, "min_bits", 1, 8, out.min_bits);
  out.max_bits = read_int(map, "max_bits", 1, 8, out.max_bits);
  if (out.min_bits > out.max_bits) {
    map.node().fail("min_bits (" + std::to_string(out.min_bits) + ") is above max_bits (" +
                    std::to_string(out.max_bits) + ")");
  }
  out.mode = map.choice("mode", {"w+a", "w", "a", "w=a"}, out.mode);
  if (const auto fixed = map.find("fixed")) {
    if (out.mode != "w" && out.mode != "a") {
      fixed->fail("mode " + out.mode + " searches both operands and leaves none alone");
    }
    out.fixed = fixed->text() == "float" ? std::nullopt
                                         : std::optional(static_cast<int>(fixed->integer(1, 8)));
  }
  out.wall = map.choice("wall", {"haq", "must_pay", "best_ratio"}, out.wall);
  out.must_pay_share = map.real("must_pay_share", 0, 1, out.must_pay_share);
  out.pin_first_last = map.boolean("pin_first_last", out.pin_first_last);
  if (map.has("accuracy_floor")) out.accuracy_floor = map.real("accuracy_floor", 0, 100);
  out.goal = map.choice("goal", {"accuracy", "cost"}, out.goal);
  if (out.goal == "cost" && !out.accuracy_floor) {
    map.at("goal").fail(
        "goal: cost saves as much as an accuracy allows; say which under accuracy_floor (percent)");
  }
  if (map.has("accuracy_weight") && out.goal != "cost") {
    map.at("accuracy_weight").fail("used with goal: cost only; leave it out");
  }
  if (map.has("lambda") && out.goal == "cost") {
    map.at("lambda").fail("not used with goal: cost; give accuracy_weight");
  }
  out.accuracy_weight = map.real("accuracy_weight", 1e-6, 1e6, out.accuracy_weight);
  out.lambda = map.real("lambda", 1e-9, 1e9, out.lambda);
  if (const auto bits = map.find("bits")) out.bits = read_bits(*bits);
  if (const auto ties = map.find("tie")) read_ties(*ties, out);
  method = read_method(map, methods, names.at(pick), names.size() == 1, out);
  return out;
}

FinalSettings read_final(const YamlNode& node) {
  const YamlMap map(node, {"candidates", "epochs", "learning_rate", "batch"});
  FinalSettings out;
  out.candidates = read_int(map, "candidates", 1, 20, out.candidates);
  out.epochs = read_int(map, "epochs", 0, 10000, out.epochs);
  out.learning_rate = map.real("learning_rate", 1e-9, 100, out.learning_rate);
  out.batch = read_int(map, "batch", 1, 65536, out.batch);
  return out;
}

/// The numbers that a constraint lists under its limit.
std::vector<YamlNode> limits_of(const YamlNode& constraint) {
  for (const auto& [key, value] : constraint.entries()) {
    if (key != "resource") return entries_of(value);
  }
  return {constraint};
}

std::vector<ConstraintSettings> read_constraints(const YamlNode& node,
                                                 const std::vector<std::size_t>& picks) {
  std::vector<ConstraintSettings> out;
  std::set<std::string> seen;
  for (const YamlNode& item : node.items(1, 3)) {
    const YamlMap map(item, {"resource", "ratio", "seconds", "joules", "bytes"});
    ConstraintSettings c;
    c.resource = map.choice("resource", {"latency", "energy", "model_size"});
    if (!seen.insert(c.resource).second) item.fail("a second constraint on " + c.resource);
    const std::string unit = c.resource == "latency"  ? "seconds"
                             : c.resource == "energy" ? "joules"
                                                      : "bytes";
    c.is_ratio = map.has("ratio");
    int limits = 0;
    for (const char* key : {"ratio", "seconds", "joules", "bytes"}) {
      if (!map.has(key)) continue;
      ++limits;
      if (std::string(key) != "ratio" && key != unit) {
        item.fail("a limit on " + c.resource + " is given as `ratio` (of the 8/8 policy) or in `" +
                  unit + "`, not in `" + key + "`");
      }
    }
    if (limits != 1) {
      item.fail("a constraint needs one limit: `ratio` (of the 8/8 policy) or `" + unit + "`");
    }
    const YamlNode limit = limits_of(item).at(picks.at(out.size()));
    c.limit = c.is_ratio ? limit.real(1e-6, 1.0) : limit.real(1e-30, 1e30);
    out.push_back(c);
  }
  return out;
}

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
    out.model = read_model(*node);
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
             "data", "model", "evaluator", "constraints", "search", "policies", "final"});
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
  return cells;
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
