#include "host/protocol/backend.h"

#include <tuple>

namespace bittern {

bool DeviceIdentity::operator==(const DeviceIdentity& other) const {
  const auto all = [](const DeviceIdentity& i) {
    return std::tie(i.kind, i.variant, i.core, i.parameters, i.memory, i.memory_bytes, i.rtl_hash,
                    i.tools);
  };
  return all(*this) == all(other);
}

}  // namespace bittern
