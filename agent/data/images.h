#pragma once

#include "agent/data/layouts.h"

namespace bittern {

/// Sets of JPEG and PNG files of any size, brought to the size that options name (what the network
/// takes). Parts are `train` and `test` (or `val`), each of them one of
///   <part>/<class>/<file>                   a folder for each class,
///   <part>/<file> and <part>_labels.txt     a list of labels (label_list.h),
///   <part>.tar, with or without such a list.
/// classes.txt says how many classes there are, and with folders which is which; without it they
/// are the folders' names in order, or as many as the greatest label asks for. Files are decoded
/// when they are needed, by the threads that compute with them; what fits into 1 GiB is kept.
DataParts load_images(const DataRequest& request);

/// Reads lists, folders and the headers of archives, and no image.
PartsOutline outline_images(const DataRequest& request);

}  // namespace bittern
