#include "host/search/method.h"

#include "host/base/error.h"

namespace bittern {

int Method::learn_from(const Experience& other, const std::vector<Outcome>&) {
  fail("method: it learns nothing from {}", other.source);
}

void check_start(const ConfiguredMethod& method, const Experience& other) {
  if (method.starts_from == StartsFrom::kNothing) {
    fail_usage("search: start: method {} learns nothing from another search; leave it out",
               method.name);
  }
  if (method.starts_from == StartsFrom::kAgent && other.method != method.name) {
    fail_usage(
        "search: start: {} goes on from an agent of its own kind, and {} was searched by {}; name "
        "another search",
        method.name, other.source, other.method);
  }
}

}  // namespace bittern
