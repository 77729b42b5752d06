#include <algorithm>
#include <optional>
#include <utility>

#include "host/base/error.h"
#include "host/campaign/campaign_blocks.h"
#include "host/search/setting.h"

namespace bittern {
namespace {

constexpr const char* kDefaultMethod = "haq";
/// A search that is measured in evaluations may ask for known policies so many times as often.
constexpr int kEpisodesPerEvaluation = 10;

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

void read_budget(const YamlMap& map, SearchSettings& out) {
  out.evaluations = read_int(map, "evaluations", 1, 100'000, out.evaluations);
  const int episodes =
      map.has("evaluations") ? kEpisodesPerEvaluation * out.evaluations : out.episodes;
  out.episodes = read_int(map, "episodes", 1, 1'000'000, episodes);
}

void read_start(const YamlMap& map, SearchSettings& out) {
  const auto start = map.find("start");
  if (!start) return;
  out.start = start->text();
  out.start_folder = start->folder();
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
    keys.insert(keys.end(), {"episodes", "evaluations", "start"});
    const YamlMap own(*block, keys);
    read_start(own, search);
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

}  // namespace

/// The names under `method`.
std::vector<YamlNode> method_nodes(const std::optional<YamlNode>& search) {
  if (!search || !search->is_mapping()) return {};
  for (const auto& [key, value] : search->entries()) {
    if (key == "method") return entries_of(value);
  }
  return {};
}

SearchSettings read_search(const YamlNode& node, const std::vector<MethodKind>* methods,
                           std::size_t pick, ConfiguredMethod& method) {
  std::vector<std::string> keys = {
      "method", "episodes", "evaluations",     "min_bits",       "max_bits",       "mode",
      "fixed",  "wall",     "must_pay_share",  "pin_first_last", "accuracy_floor", "bits",
      "tie",    "goal",     "accuracy_weight", "lambda",         "start"};
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
  read_start(map, out);
  method = read_method(map, methods, names.at(pick), names.size() == 1, out);
  return out;
}

}  // namespace bittern
