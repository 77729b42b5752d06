#include "host/cores/core.h"

#include <fmt/format.h>

#include "host/base/error.h"
#include "host/base/hash.h"

namespace bittern {

std::string ProgramOutline::digest() const {
  Sha256 hash;
  hash.update_field("bittern-program-1");
  hash.update_field(fmt::format("program={} count={} result={}+{} end={}", program_address,
                                instruction_count, result_address, result_bytes, memory_end));
  for (const Region& tensor : tensors) {
    hash.update_field(fmt::format("tensor={}+{}", tensor.address, tensor.bytes));
  }
  hash.update(instructions);
  return hash.hex();
}

Program Core::build(const Plan& plan, const LayerData& data) const {
  check_data(plan.layer, plan.precision, plan.batch, data);
  ProgramOutline outline = this->outline(plan);
  std::vector<std::vector<std::uint8_t>> tensors = pack(plan, data);
  Program program;
  static_cast<ProgramLayout&>(program) = outline;
  for (std::size_t i = 0; i < outline.tensors.size(); ++i) {
    const ProgramOutline::Region& region = outline.tensors[i];
    if (i >= tensors.size() || tensors[i].size() != region.bytes) {
      fail(
          "layer {}: tensor {} has {} bytes, its region of device memory {}: the core packs it "
          "otherwise than it lays it out",
          plan.layer.name, i, i < tensors.size() ? tensors[i].size() : 0, region.bytes);
    }
    program.segments.push_back({region.address, std::move(tensors[i])});
  }
  program.segments.push_back({outline.program_address, std::move(outline.instructions)});
  return program;
}

}  // namespace bittern
