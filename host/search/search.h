#pragma once

#include <optional>
#include <string>

#include "host/cost/cost_model.h"
#include "host/evaluator/evaluator.h"
#include "host/network/network.h"

namespace bittern {

/// What a constraint limits.
enum class Resource { kLatency, kEnergy, kModelSize };

/// "latency", "energy" or "model_size".
const char* resource_name(Resource resource);

/// Inverse of resource_name(); throws Error listing the names.
Resource parse_resource(const std::string& name);

/// "s", "J" or "bytes".
const char* resource_unit(Resource resource);

/// The part of a cost that a resource means: seconds, joules (first DRAM anchor) or bytes of
/// weights.
double resource_value(const LayerCost& cost, Resource resource);

/// Upper bound on one resource: absolute (seconds, joules, bytes; for the variant's batch) or a
/// ratio of the 8/8 policy.
struct Constraint {
  Resource resource = Resource::kLatency;
  bool is_ratio = true;
  double limit = 0.5;
};

/// A policy with what is known of it.
struct Candidate {
  Policy policy;
  double reward = 0.0;
  Accuracy accuracy;
  LayerCost cost;           ///< sum over layers
  int episode = 0;          ///< that found it first
  bool meets_floor = true;  ///< accuracy floor, when the search has one
  /// Accuracy on images that the search did not see (Evaluator::choice()), when it was asked.
  std::optional<Accuracy> choice = std::nullopt;
};

}  // namespace bittern
