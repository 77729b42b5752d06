#pragma once

#include <filesystem>

#include "agent/data/dataset.h"

namespace bittern {

/// The two parts of CIFAR-10.
struct Cifar10 {
  Dataset train;  ///< 50 000 images
  Dataset test;   ///< 10 000 images
};

/// Reads one binary batch of CIFAR-10, plain, .gz or .xz: 1 to 10 000 records of a label (0..9) and
/// the red, green and blue plane of 32x32 bytes. Throws Error with the path when the size is not
/// that of whole records, or a label is above 9.
Dataset read_cifar10_batch(const std::filesystem::path& path);

/// Reads data_batch_1.bin .. data_batch_5.bin and test_batch.bin from `folder`.
Cifar10 load_cifar10(const std::filesystem::path& folder);

/// How many images each part has. Plain files are not read for that.
struct Cifar10Sizes {
  int train = 0;
  int test = 0;
};
Cifar10Sizes outline_cifar10(const std::filesystem::path& folder);

}  // namespace bittern
