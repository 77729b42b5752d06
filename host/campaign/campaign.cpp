#include "host/campaign/campaign.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/yaml.h"
#include "host/base/zoo.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxImages = 10'000'000;

int read_int(const YamlMap& map, const char* key, int low, int high, int fallback) {
  return static_cast<int>(map.integer(key, low, high, fallback));
}

std::string existing_file(const YamlNode& node) {
  const fs::path path = file_of(node);
  std::error_code code;
  if (!fs::is_regular_file(path, code)) {
    node.fail(path.string() + (fs::exists(path, code) ? ": not a file" : ": no such file"));
  }
  return path.string();
}

DataSettings read_data(const YamlNode& node) {
  const YamlMap map(node, {"dataset", "seed", "train_images", "validation_images", "test_images"});
  DataSettings out;
  out.dataset = map.choice("dataset", {"synthetic", "mnist", "cifar10"});
  const bool drawn = out.dataset == "synthetic";
  out.seed = static_cast<std::uint64_t>(map.integer("seed", 0, INT64_MAX, 1));
  out.train_images = read_int(map, "train_images", drawn ? 1 : 0, kMaxImages, drawn ? 6000 : 0);
  out.validation_images = read_int(map, "validation_images", 1, kMaxImages, drawn ? 1000 : 5000);
  out.test_images = read_int(map, "test_images", drawn ? 1 : 0, kMaxImages, drawn ? 2000 : 0);
  if (!drawn && out.test_images != 0) {
    map.at("test_images")
        .fail(out.dataset + " is always tested on all of its test images; leave this out");
  }
  return out;
}

ModelSettings read_model(const YamlNode& node) {
  const YamlMap map(node, {"checkpoint", "epochs", "learning_rate", "batch"});
  ModelSettings out;
  if (const auto file = map.find("checkpoint")) out.checkpoint = existing_file(*file);
  out.epochs = read_int(map, "epochs", 1, 10000, out.epochs);
  out.learning_rate = map.real("learning_rate", 1e-9, 100, out.learning_rate);
  out.batch = read_int(map, "batch", 1, 65536, out.batch);
  return out;
}

EvaluatorSettings read_evaluator(const YamlNode& node) {
  const YamlMap map(node, {"weight_range", "activation_range", "per_channel", "calibration_images",
                           "finetune_images", "finetune_rate", "batch"});
  const std::vector<std::string> ranges = {"max", "kl", "mse", "percentile", "haq"};
  EvaluatorSettings out;
  out.weight_range = map.choice("weight_range", ranges, out.weight_range);
  out.activation_range = map.choice("activation_range", ranges, out.activation_range);
  out.per_channel = map.boolean("per_channel", out.per_channel);
  out.calibration_images =
      read_int(map, "calibration_images", 1, kMaxImages, out.calibration_images);
  out.finetune_images = read_int(map, "finetune_images", 0, kMaxImages, out.finetune_images);
  out.finetune_rate = map.real("finetune_rate", 1e-9, 100, out.finetune_rate);
  out.batch = read_int(map, "batch", 1, 65536, out.batch);
  return out;
}

SearchSettings read_search(const YamlNode& node) {
  const YamlMap map(node, {"method", "episodes", "min_bits", "max_bits", "mode", "wall",
                           "must_pay_share", "pin_first_last", "replay", "hidden", "warmup",
                           "actor_rate", "critic_rate", "noise", "noise_decay", "batch"});
  SearchSettings out;
  out.method = map.choice("method", {"haq"}, out.method);
  out.episodes = read_int(map, "episodes", 1, 1'000'000, out.episodes);
  out.min_bits = read_int(map, "min_bits", 2, 8, out.min_bits);
  out.max_bits = read_int(map, "max_bits", 2, 8, out.max_bits);
  if (out.min_bits > out.max_bits) {
    map.node().fail("min_bits (" + std::to_string(out.min_bits) + ") is above max_bits (" +
                    std::to_string(out.max_bits) + ")");
  }
  out.mode = map.choice("mode", {"w+a", "w", "a", "w=a"}, out.mode);
  out.wall = map.choice("wall", {"haq", "must_pay", "best_ratio"}, out.wall);
  out.must_pay_share = map.real("must_pay_share", 0, 1, out.must_pay_share);
  out.pin_first_last = map.boolean("pin_first_last", out.pin_first_last);
  out.replay = map.choice("replay", {"pre", "post"}, out.replay);
  if (const auto hidden = map.find("hidden")) {
    const auto sizes = hidden->integers(1, 4096, 2, 2);
    out.hidden1 = static_cast<int>(sizes[0]);
    out.hidden2 = static_cast<int>(sizes[1]);
  }
  out.warmup = read_int(map, "warmup", 0, 1'000'000, out.warmup);
  out.actor_rate = map.real("actor_rate", 1e-12, 1, out.actor_rate);
  out.critic_rate = map.real("critic_rate", 1e-12, 1, out.critic_rate);
  out.noise = map.real("noise", 0, 10, out.noise);
  out.noise_decay = map.real("noise_decay", 1e-6, 1, out.noise_decay);
  out.batch = read_int(map, "batch", 1, 65536, out.batch);
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

std::vector<ConstraintSettings> read_constraints(const YamlNode& node) {
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
    c.limit = c.is_ratio ? map.real("ratio", 1e-6, 1.0) : map.real(unit, 1e-30, 1e30);
    out.push_back(c);
  }
  return out;
}

}  // namespace

const std::string& Campaign::as_written(const std::string& key, const std::string& value) const {
  const auto found = written.find(key);
  return found == written.end() ? value : found->second;
}

Campaign load_campaign(const std::string& path_or_name, const std::vector<std::string>& settings) {
  fs::path path = path_or_name;
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
  const YamlMap map(root, {"name", "description", "network", "variant", "cost", "table", "seed",
                           "data", "model", "evaluator", "constraints", "search", "final"});
  Campaign out;
  out.file = path;
  out.text = read_file(path);
  out.name = file_name_of(map.at("name"));
  out.description = map.text("description", "");
  out.network = zoo_reference(map.at("network"));
  out.cost = map.choice("cost", {"rtl", "model", "table"}, out.cost);
  // A table is of whatever hardware it says: the variant may be left out.
  const auto variant = map.find("variant");
  if (variant || out.cost != "table") out.variant = zoo_reference(map.at("variant"));
  const auto table = map.find("table");
  if ((out.cost == "table") != table.has_value()) {
    root.fail("`table: FILE` goes with `cost: table`, and only with it");
  }
  if (table) out.table = existing_file(*table);
  out.seed = static_cast<std::uint64_t>(
      map.integer("seed", 0, INT64_MAX, static_cast<std::int64_t>(out.seed)));
  out.data = read_data(map.at("data"));
  if (const auto node = map.find("model")) {
    out.model = read_model(*node);
    for (const auto& [key, value] : node->entries()) {
      if (key == "checkpoint") out.written[key] = value.text();
    }
  }
  if (const auto node = map.find("evaluator")) out.evaluator = read_evaluator(*node);
  out.constraints = read_constraints(map.at("constraints"));
  if (const auto node = map.find("search")) out.search = read_search(*node);
  if (const auto node = map.find("final")) out.final = read_final(*node);
  for (const char* key : {"network", "variant", "table"}) {
    if (const auto node = map.find(key)) out.written[key] = node->text();
  }
  return out;
}

std::vector<std::string> campaign_names() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(home_folder() / "configs" / "campaigns")) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string campaign_key(const Campaign& c) {
  nlohmann::ordered_json constraints = nlohmann::ordered_json::array();
  for (const auto& k : c.constraints) {
    constraints.push_back({{"resource", k.resource}, {"ratio", k.is_ratio}, {"limit", k.limit}});
  }
  const nlohmann::ordered_json key = {
      {"name", c.name},
      {"network", c.as_written("network", c.network)},
      {"variant", c.as_written("variant", c.variant)},
      {"cost", c.cost},
      {"table", c.as_written("table", c.table)},
      {"seed", c.seed},
      {"data",
       {{"dataset", c.data.dataset},
        {"seed", c.data.seed},
        {"train_images", c.data.train_images},
        {"validation_images", c.data.validation_images},
        {"test_images", c.data.test_images}}},
      {"model",
       {{"checkpoint", c.as_written("checkpoint", c.model.checkpoint)},
        {"epochs", c.model.epochs},
        {"learning_rate", c.model.learning_rate},
        {"batch", c.model.batch}}},
      {"evaluator",
       {{"weight_range", c.evaluator.weight_range},
        {"activation_range", c.evaluator.activation_range},
        {"per_channel", c.evaluator.per_channel},
        {"calibration_images", c.evaluator.calibration_images},
        {"finetune_images", c.evaluator.finetune_images},
        {"finetune_rate", c.evaluator.finetune_rate},
        {"batch", c.evaluator.batch}}},
      {"constraints", constraints},
      {"search",
       {{"method", c.search.method},
        {"episodes", c.search.episodes},
        {"min_bits", c.search.min_bits},
        {"max_bits", c.search.max_bits},
        {"mode", c.search.mode},
        {"wall", c.search.wall},
        {"must_pay_share", c.search.must_pay_share},
        {"pin_first_last", c.search.pin_first_last},
        {"replay", c.search.replay},
        {"hidden", {c.search.hidden1, c.search.hidden2}},
        {"warmup", c.search.warmup},
        {"actor_rate", c.search.actor_rate},
        {"critic_rate", c.search.critic_rate},
        {"noise", c.search.noise},
        {"noise_decay", c.search.noise_decay},
        {"batch", c.search.batch}}},
      {"final",
       {{"candidates", c.final.candidates},
        {"epochs", c.final.epochs},
        {"learning_rate", c.final.learning_rate},
        {"batch", c.final.batch}}}};
  return key.dump();
}

}  // namespace bittern
