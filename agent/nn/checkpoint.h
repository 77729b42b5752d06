#pragma once

#include <filesystem>
#include <string>

#include "host/network/io/safetensors.h"
#include "host/network/network.h"

namespace bittern {

/// Ends of names of what Bittern keeps with quantised weights: the scale of a map that is stored,
/// and what the bound of a clip is divided by in each channel (clip_high()).
constexpr const char* kStoredScale = ".stored_scale";
constexpr const char* kBoundDivisors = ".bound_divisors";

/// The network with the bounds that a checkpoint states: its weights may have been evened out
/// (equalise_layers()). Throws Error (exit status 2) that starts with `where` where they do not
/// fit.
Network with_stated_bounds(Network network, const TensorFile& checkpoint, const std::string& where);

/// Reads full-precision weights for a network from a safetensors file, of Bittern or from
/// elsewhere, and gives them under the network's names: see fitted_checkpoint(). Throws Error (exit
/// status 2) as that and read_safetensors() do, and when a weight is no finite number.
TensorFile read_checkpoint(const Network& network, const std::filesystem::path& path);

/// The tensors that a network needs, under its own names (<node>.weight, ...), out of a file that
/// may call them otherwise:
///  - by the same name;
///  - under the name that `tensors:` of the network's file states for the node;
///  - either of them behind a word that begins all names of the file (module., model., ...);
///  - with the words that other frameworks have for batch norms: gamma, beta, moving_mean,
///    moving_variance.
/// What Bittern keeps with quantised weights stays beside them. Extents of 1 at the end of a shape
/// do not count: a linear layer may be stored as a 1x1 convolution. Nothing is told by shapes
/// alone. Counters of batches are passed over; what else is left over is named in a warning. Throws
/// Error (exit status 2) that starts with `where` and names the tensor when one is missing (with
/// the nearest name), found twice, used twice or of another shape, or when the file states another
/// scaling of its input (check_scaling()).
TensorFile fitted_checkpoint(const Network& network, const TensorFile& file,
                             const std::string& where);

}  // namespace bittern
