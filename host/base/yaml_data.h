#pragma once

#include <string>
#include <vector>

#include "host/base/yaml.h"

namespace bittern {

/// Inside of YamlNode, for yaml*.cpp only.
enum class YamlKind { kNull, kScalar, kSequence, kMapping };

struct YamlNode::Data {
  YamlKind kind = YamlKind::kNull;
  bool quoted = false;
  int line = 1;
  std::string origin;  ///< of an element that with() has set; else empty
  std::string scalar;
  std::vector<std::string> keys;  ///< of a mapping, beside children
  std::vector<Data> children;
};

struct YamlNode::Document {
  std::string file;
  Data root;
};

}  // namespace bittern
