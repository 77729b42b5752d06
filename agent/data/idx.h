#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "agent/data/layouts.h"

namespace bittern {

/// Content of an idx file of unsigned bytes (the format of MNIST's distribution: two zero bytes,
/// type 8, number of dimensions, each dimension as big-endian 32 bits, then the bytes).
struct IdxArray {
  std::vector<int> shape;
  std::vector<std::uint8_t> data;
};

/// Reads an idx file, plain or compressed, with `dimensions` dimensions. No more is read or
/// allocated than the header announces, and that is limited to 1 GiB, so a compressed bomb does no
/// harm. Throws Error with the path and what is wrong: magic, dimensions, truncation, bytes after
/// the end, damage of the compressed stream.
IdxArray read_idx(const std::filesystem::path& path, int dimensions);

/// Dimensions that an idx file announces, without reading its data; as strict as read_idx(). What
/// can be told of truncation from the file's length alone is an Error too.
std::vector<int> read_idx_shape(const std::filesystem::path& path, int dimensions);

/// Reads the four files of a set in MNIST's layout (each plain, .gz or .xz); images are 28x28,
/// labels 0..9. Throws Error naming the file when counts of images and labels differ, a label is
/// above 9, all labels or all images of a file are the same, or as read_idx() does.
DataParts load_idx(const DataRequest& request);

/// The same as far as it can be told without reading the images: their headers, and all labels.
PartsOutline outline_idx(const DataRequest& request);

}  // namespace bittern
