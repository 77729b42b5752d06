#include "agent/rl/methods.h"

#include "agent/rl/ddpg/haq.h"
#include "agent/rl/ppo/releq.h"
#include "host/search/methods.h"

namespace bittern {

std::vector<MethodKind> all_methods() {
  std::vector<MethodKind> methods = host_methods();
  methods.push_back(haq_method());
  methods.push_back(releq_method());
  return methods;
}

}  // namespace bittern
