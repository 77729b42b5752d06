// HAQ's look-up table (mit-han-lab/haq, lib/simulator/lookup_tables): an array of 64-bit integers,
// [layer][weight bits - 1][activation bits - 1], in cycles.
#include "host/base/file.h"
#include "host/export/formats.h"
#include "host/export/npy_file.h"

namespace bittern {

void write_haq_lut(const ExportInput& input, const std::filesystem::path& path) {
  const auto layers = static_cast<std::int64_t>(input.network.layers.size());
  write_file(path, npy_text({layers, kLutBits, kLutBits}, input.cycles));
}

}  // namespace bittern
