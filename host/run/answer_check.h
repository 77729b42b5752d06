#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "host/run/layer_run.h"

namespace bittern {

/// What a device says of a run is not believed. The message names the device, the layer, the
/// quantity, and both values.
class RefusedAnswer : public Error {
 public:
  explicit RefusedAnswer(const std::string& message) : Error(message) {}
};

/// Compares the cycles of an answer with the shell's own cycle counter, which it reads. Throws
/// RefusedAnswer.
void check_counter(Device& device, const PlannedLayer& layer, const RunResult& result);

/// Whether cycles and events can be true, whatever the device is: cycles above 0 and below the
/// limit that was sent, every event within its greatest rate, those of the array together at most
/// cycles, beats of all ports those of each, instructions those of the program. Throws
/// RefusedAnswer.
void check_answer(const LayerRun& run, const PreparedLayer& layer, const RunRequest& request,
                  const Core& core, const Variant& variant);

/// For a device that runs elsewhere: cycles and all events have to be those of the closed form. Of
/// a board, whose memory is as fast as it is, those that do not depend on the memory. Throws
/// RefusedAnswer.
void check_closed_form(const LayerRun& run, const PlannedLayer& layer, DeviceKind kind);

/// Most that an event can count in a cycle.
std::uint64_t greatest_rate(const std::string& event, const Variant& variant);

}  // namespace bittern
