#include <nlohmann/json.hpp>
#include <string>

#include "host/campaign/campaign.h"

namespace bittern {

std::string campaign_key(const Campaign& c) {
  nlohmann::ordered_json constraints = nlohmann::ordered_json::array();
  for (const auto& k : c.constraints) {
    constraints.push_back({{"resource", k.resource}, {"ratio", k.is_ratio}, {"limit", k.limit}});
  }
  nlohmann::ordered_json key = {{"name", c.name},
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
                                {"evaluator", c.evaluator.key},
                                {"constraints", constraints},
                                {"search",
                                 {{"method", c.method.name},
                                  {"episodes", c.search.episodes},
                                  {"min_bits", c.search.min_bits},
                                  {"max_bits", c.search.max_bits},
                                  {"mode", c.search.mode},
                                  {"wall", c.search.wall},
                                  {"must_pay_share", c.search.must_pay_share},
                                  {"pin_first_last", c.search.pin_first_last}}},
                                {"final",
                                 {{"candidates", c.final.candidates},
                                  {"epochs", c.final.epochs},
                                  {"learning_rate", c.final.learning_rate},
                                  {"batch", c.final.batch}}}};
  nlohmann::ordered_json& search = key["search"];
  for (const auto& [name, value] : c.method.key.items()) search[name] = value;
  if (c.method.uses_budget) search["uses_budget"] = true;
  // Keys that came later are there only where they say something: what was begun before goes on.
  if (c.search.accuracy_floor) search["accuracy_floor"] = *c.search.accuracy_floor;
  if (c.search.goal != "accuracy") {
    search["goal"] = c.search.goal;
    search["accuracy_weight"] = c.search.accuracy_weight;
  }
  if (c.search.lambda != SearchSettings().lambda) search["lambda"] = c.search.lambda;
  for (const LayerBits& bits : c.search.bits) {
    search["bits"].push_back({bits.layers, bits.weight_bits, bits.activation_bits});
  }
  if (!c.search.start.empty()) search["start"] = c.search.start;
  if (c.search.evaluations > 0) search["evaluations"] = c.search.evaluations;
  if (!c.search.fixed) search["fixed"] = "float";
  if (c.search.fixed.value_or(8) != 8) search["fixed"] = *c.search.fixed;
  if (!c.search.ties.empty()) search["tie"] = c.search.ties;
  if (!c.search.tied_inputs_of.empty()) search["tie_inputs_of"] = c.search.tied_inputs_of;
  if (!c.policies.empty()) key["policies"] = c.as_written("policies", "");
  if (!c.data.folder.empty()) {
    key["data"]["folder"] = c.as_written("folder", c.data.folder);
  }
  if (c.final.flip) key["final"]["flip"] = true;
  if (c.final.crop > 0) key["final"]["crop"] = c.final.crop;
  if (c.data.resize > 0) key["data"]["resize"] = c.data.resize;
  if (c.data.choice_images > 0) key["data"]["choice_images"] = c.data.choice_images;
  if (!c.evaluator.uses_images) {
    for (const char* unused : {"data", "model", "final"}) key.erase(unused);
  }
  return key.dump();
}

}  // namespace bittern
