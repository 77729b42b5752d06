#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/network/io/safetensors.h"
#include "host/network/network.h"

namespace bittern {

/// How a network's input is made of 8-bit pixels: value = (pixel / divisor - shift - mean) /
/// deviation. The scaling is part of the network, as its entry `normalise`; images themselves have
/// none, and checkpoints only say what they were trained with.
struct InputScaling {
  double divisor = 255.0;
  double shift = 0.0;
  std::vector<double> mean;       ///< one for each channel, or empty: 0
  std::vector<double> deviation;  ///< one for each channel, or empty: 1

  /// Value of a pixel of a channel.
  double value(double pixel, std::size_t channel) const;
  /// For people and for the metadata of checkpoints: "x/255 then mean 0.5,0.5 std 0.25,0.25".
  std::string text() const;
};

/// What the graph does to its images; nothing where several entries take them in different ways.
std::optional<InputScaling> scaling_of(const Graph& graph);

/// What checkpoints of a graph state as their `input`: its scaling, or "pixel / 255" where it has
/// none of its own.
std::string input_text(const Graph& graph);

/// Reads the forms in which checkpoints state theirs: "x/255", "pixel / 255", "RGB/127.5-1",
/// "(x/255-0.1307)/0.3081", "x/255 then mean 0.485,0.456,0.406 std 0.229,0.224,0.225"; words behind
/// a comma are passed over. Nothing where the text is of another form.
std::optional<InputScaling> parse_scaling(const std::string& text);

/// Throws Error (exit status 2) when the metadata of a checkpoint states a scaling that is not the
/// network's. `where` starts the message.
void check_scaling(const Network& network, const TensorFile& checkpoint, const std::string& where);

}  // namespace bittern
