#include "host/search/methods.h"

#include "host/search/baselines/annealing.h"
#include "host/search/baselines/gradients.h"
#include "host/search/baselines/greedy.h"
#include "host/search/baselines/local.h"
#include "host/search/baselines/nsga2.h"
#include "host/search/baselines/sensitivity.h"
#include "host/search/baselines/uniform.h"
#include "host/search/exhaustive_search.h"
#include "host/search/random_search.h"

namespace bittern {

std::vector<MethodKind> host_methods() {
  // One line each.
  // clang-format off
  return {
      random_method(),
      exhaustive_method(),
      uniform_method(),
      greedy_down_method(),
      greedy_up_method(),
      sensitivity_method(),
      fisher_method(),
      hessian_method(),
      annealing_method(),
      nsga2_method(),
      local_method(),
  };
  // clang-format on
}

const MethodKind* find_method(const std::vector<MethodKind>& methods, const std::string& name) {
  for (const MethodKind& method : methods) {
    if (method.name == name) return &method;
  }
  return nullptr;
}

std::vector<std::string> method_names(const std::vector<MethodKind>& methods) {
  std::vector<std::string> names;
  for (const MethodKind& method : methods) names.push_back(method.name);
  return names;
}

}  // namespace bittern
