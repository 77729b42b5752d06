#include "host/campaign/campaign_blocks.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "host/base/data_sets.h"
#include "host/base/error.h"
#include "host/base/zoo.h"
#include "host/search/setting.h"

namespace bittern {

namespace fs = std::filesystem;

namespace {

constexpr int kMaxImages = 10'000'000;
constexpr int kMostCrop = 64;

/// The kind that a block names, or the default.
std::string evaluator_name(const std::optional<YamlNode>& node) {
  if (node && node->is_mapping()) {
    for (const auto& [key, value] : node->entries()) {
      if (key == "kind") return value.text();
    }
  }
  return ConfiguredEvaluator().name;
}

}  // namespace

/// The entries of a key that may hold a list; a single value is one entry.
std::vector<YamlNode> entries_of(const YamlNode& node) {
  return node.is_sequence() ? node.items(1, 1000) : std::vector<YamlNode>{node};
}

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

/// To describe a campaign its checkpoint need not be there; to run it, it must.
ModelSettings read_model(const YamlNode& node, bool to_run) {
  const YamlMap map(node, {"checkpoint", "epochs", "learning_rate", "batch"});
  ModelSettings out;
  if (const auto file = map.find("checkpoint")) {
    out.checkpoint = to_run ? checkpoint_file(*file).string() : file->text();
  }
  out.epochs = read_int(map, "epochs", 1, 10000, out.epochs);
  out.learning_rate = map.real("learning_rate", 1e-9, 100, out.learning_rate);
  out.batch = read_int(map, "batch", 1, 65536, out.batch);
  return out;
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

FinalSettings read_final(const YamlNode& node) {
  const YamlMap map(node, {"candidates", "epochs", "learning_rate", "batch", "flip", "crop"});
  FinalSettings out;
  out.candidates = read_int(map, "candidates", 1, 20, out.candidates);
  out.epochs = read_int(map, "epochs", 0, 10000, out.epochs);
  out.learning_rate = map.real("learning_rate", 1e-9, 100, out.learning_rate);
  out.batch = read_int(map, "batch", 1, 65536, out.batch);
  out.flip = map.boolean("flip", out.flip);
  out.crop = read_int(map, "crop", 0, kMostCrop, out.crop);
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

}  // namespace bittern
