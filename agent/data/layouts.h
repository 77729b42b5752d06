#pragma once

#include <filesystem>
#include <vector>

#include "agent/data/dataset.h"
#include "host/base/data_sets.h"

namespace bittern {

/// What a reader is asked for.
struct DataRequest {
  const DataSetInfo& info;
  std::filesystem::path folder;  ///< that has the files; empty for sets without
  const DataOptions& options;
  bool test_only = false;  ///< the training images are not needed
};

/// A data set as its files divide it. A part that has no files is empty.
struct DataParts {
  Dataset train;
  Dataset test;
  bool has_train = true;  ///< also where they were not asked for
};

/// What a reader would give, told without reading or decoding images.
struct PartsOutline {
  int channels = 1;
  int height = 0;
  int width = 0;
  int classes = 0;
  int train = 0;  ///< images
  int test = 0;
};

/// One way in which files of images and labels are laid out. Both functions throw Error naming the
/// file when one is missing, cut off, damaged or contradicts another; outline() as far as headers,
/// labels and lengths tell, within two seconds.
struct DataLayout {
  const char* name;  ///< in DataSetInfo::layout
  PartsOutline (*outline)(const DataRequest& request);
  DataParts (*load)(const DataRequest& request);
};

/// The list of readers.
const std::vector<DataLayout>& data_layouts();

/// How a data set's images are shared out.
struct SplitSizes {
  int train = 0;
  int validation = 0;
  int test = 0;
};

/// Sizes of the parts for files that have so many training and test images:
///  - both: validation images are cut from the training images, all test images stay;
///  - test images only: training and validation images are cut from them when asked for, and the
///    others stay;
///  - training images only: test images are cut from them (options.test_images, or a tenth), then
///    validation images.
/// Throws Error (exit status 2) with the numbers when there are not enough.
SplitSizes split_sizes(const DataSetInfo& info, int train, int test, const DataOptions& options);

/// The split itself, by a shuffle seeded with options.split_seed.
DataSplits split_parts(const DataSetInfo& info, DataParts parts, const DataOptions& options);

}  // namespace bittern
