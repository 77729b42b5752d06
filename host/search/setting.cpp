#include "host/search/setting.h"

#include "host/base/error.h"

namespace bittern {

void check_setting(bool good, const char* name, double value, const char* expected) {
  if (!good) fail_usage("search: {} is {}; expected {}", name, value, expected);
}

int read_int(const YamlMap& map, const char* key, int low, int high, int fallback) {
  return static_cast<int>(map.integer(key, low, high, fallback));
}

}  // namespace bittern
