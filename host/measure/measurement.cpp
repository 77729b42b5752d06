#include "host/measure/measurement.h"

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
  }
  return "unknown";
}

Origin parse_origin(const std::string& text) {
  for (const Origin origin : {Origin::kRtl, Origin::kBoard, Origin::kModel, Origin::kTable}) {
    if (text == origin_name(origin)) return origin;
  }
  fail("origin is '{}'{}", text, suggestion(text, {"rtl", "board", "model", "table"}));
}

}  // namespace bittern
