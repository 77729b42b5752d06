#pragma once

#include "agent/data/layouts.h"

namespace bittern {

/// Sets of NumPy arrays. A part (`train`, `test`) is <part>_images.npy and <part>_labels.npy, or
/// <part>.npz with the arrays images and labels (or x and y). Images are bytes: N x H x W,
/// N x C x H x W or N x H x W x C with 1 or 3 channels; labels are whole numbers from 0, one an
/// image. There are as many classes as the greatest label asks for. Images of more than 1 GiB in an
/// .npy file are read when they are needed.
DataParts load_arrays(const DataRequest& request);

/// Reads headers, and of .npz files what lies before them.
PartsOutline outline_arrays(const DataRequest& request);

}  // namespace bittern
