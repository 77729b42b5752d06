#include "host/search/search.h"

#include "host/base/error.h"

namespace bittern {

const char* resource_name(Resource resource) {
  switch (resource) {
    case Resource::kLatency:
      return "latency";
    case Resource::kEnergy:
      return "energy";
    case Resource::kModelSize:
      return "model_size";
  }
  return "unknown";
}

Resource parse_resource(const std::string& name) {
  for (const Resource resource : {Resource::kLatency, Resource::kEnergy, Resource::kModelSize}) {
    if (name == resource_name(resource)) return resource;
  }
  fail_usage("resource \"{}\": expected latency, energy or model_size", name);
}

const char* resource_unit(Resource resource) {
  switch (resource) {
    case Resource::kLatency:
      return "s";
    case Resource::kEnergy:
      return "J";
    case Resource::kModelSize:
      return "bytes";
  }
  return "";
}

double resource_value(const LayerCost& cost, Resource resource) {
  switch (resource) {
    case Resource::kLatency:
      return cost.latency_s;
    case Resource::kEnergy:
      return cost.energy_j;
    case Resource::kModelSize:
      return cost.weight_bytes;
  }
  return 0.0;
}

}  // namespace bittern
