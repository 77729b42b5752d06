#pragma once

#include "host/base/yaml.h"

namespace bittern {

/// Throws Error (exit status 2) "search: NAME is VALUE; expected ..." unless `good`. `expected` is
/// the range in words: "at least 0", "1..4096".
void check_setting(bool good, const char* name, double value, const char* expected);

/// The whole number under `key`, from `low` to `high`; `fallback` where the key is missing. Throws
/// Error with file and line as YamlMap::integer() does.
int read_int(const YamlMap& map, const char* key, int low, int high, int fallback);

}  // namespace bittern
