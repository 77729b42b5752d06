#include "agent/data/layouts.h"

#include <utility>

#include "agent/data/arrays.h"
#include "agent/data/idx.h"
#include "agent/data/images.h"
#include "agent/data/records.h"
#include "agent/data/svhn.h"
#include "agent/data/synthetic.h"
#include "host/base/error.h"

namespace bittern {

const std::vector<DataLayout>& data_layouts() {
  static const std::vector<DataLayout> kLayouts = {
      {"drawn", outline_drawn, load_drawn},       {"idx", outline_idx, load_idx},
      {"cifar10", outline_cifar10, load_cifar10}, {"cifar100", outline_cifar100, load_cifar100},
      {"svhn", outline_svhn, load_svhn},          {"images", outline_images, load_images},
      {"arrays", outline_arrays, load_arrays},
  };
  return kLayouts;
}

namespace {

const DataLayout& layout_of(const DataSetInfo& info) {
  for (const DataLayout& layout : data_layouts()) {
    if (info.layout == layout.name) return layout;
  }
  fail("data set {}: no reader for the layout '{}'", info.name, info.layout);
}

DataRequest request_for(const DataOptions& options, bool test_only) {
  for (const int count : {options.train_images, options.validation_images, options.test_images}) {
    if (count < 0) fail_usage("data set {}: {} images; expected 0 or more", options.name, count);
  }
  const DataSetInfo& info = data_set(options.name);
  return {info, info.any_of.empty() ? "" : find_data_folder(info, options.folder), options,
          test_only};
}

}  // namespace

DataOutline outline_data(const DataOptions& options) {
  const DataRequest request = request_for(options, false);
  const PartsOutline parts = layout_of(request.info).outline(request);
  const SplitSizes sizes = split_sizes(request.info, parts.train, parts.test, options);
  DataOutline outline;
  outline.channels = parts.channels;
  outline.height = parts.height;
  outline.width = parts.width;
  outline.classes = parts.classes;
  outline.train = sizes.train;
  outline.validation = sizes.validation;
  outline.test = sizes.test;
  outline.folder = request.folder.string();
  return outline;
}

DataSplits load_data(const DataOptions& options) {
  const DataRequest request = request_for(options, false);
  return split_parts(request.info, layout_of(request.info).load(request), options);
}

Dataset load_test_data(const DataOptions& options) {
  const DataRequest request = request_for(options, true);
  DataParts parts = layout_of(request.info).load(request);
  const bool asked =
      options.train_images > 0 || options.validation_images > 0 || options.test_images > 0;
  // Where training images are cut from the test images, or the other way round, all are needed.
  if (parts.test.size() == 0 || (!parts.has_train && asked)) return load_data(options).test;
  return std::move(parts.test);
}

}  // namespace bittern
