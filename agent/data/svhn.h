#pragma once

#include <filesystem>

#include "agent/data/layouts.h"

namespace bittern {

/// The cropped digits of SVHN: train_32x32.mat and test_32x32.mat (MATLAB 5, where label 10 stands
/// for digit 0), or binary files svhn_train*.bin and svhn_test*.bin (records as CIFAR-10's, labels
/// 0..9, plain, .gz or .xz; several are read in the order of their names). Either part may be
/// missing.
DataParts load_svhn(const DataRequest& request);
PartsOutline outline_svhn(const DataRequest& request);

/// Reads such a .mat file: X (32 x 32 x 3 x images, bytes) and y (one label an image, 1..10).
/// Throws Error with the path when it is no MATLAB file, lacks one of them, or they do not belong
/// together.
Dataset read_svhn_mat(const std::filesystem::path& path);

}  // namespace bittern
