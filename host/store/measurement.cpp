#include "host/store/measurement.h"

#include "host/base/error.h"
#include "host/base/yaml.h"

namespace bittern {

const char* origin_name(Origin origin) {
  switch (origin) {
    case Origin::kRtl:
      return "rtl";
    case Origin::kBoard:
      return "board";
    case Origin::kModel:
      return "model";
    case Origin::kTable:
      return "table";
    case Origin::kPublished:
      return "published";
  }
  return "unknown";
}

Origin parse_origin(const std::string& text) {
  std::vector<std::string> names;
  for (const Origin origin : kOrigins) {
    if (text == origin_name(origin)) return origin;
    names.emplace_back(origin_name(origin));
  }
  fail("origin is '{}'{}", text, suggestion(text, names));
}

}  // namespace bittern
