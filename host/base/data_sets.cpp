#include "host/base/data_sets.h"

#include <algorithm>
#include <cstdlib>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/yaml.h"

namespace bittern {

namespace fs = std::filesystem;

const std::vector<DataSetInfo>& data_sets() {
  static const std::vector<std::string> kIdx = {"train-images-idx3-ubyte"};
  static const std::vector<std::string> kImages = {"train",     "test",     "val",
                                                   "train.tar", "test.tar", "val.tar"};
  static const std::vector<DataSetInfo> kSets = {
      {"synthetic", "drawn", {}, true, "none: drawn by the program", 1000},
      {"mnist", "idx", kIdx, true, "four idx files (.gz too)", 5000, true},
      {"fashion_mnist", "idx", kIdx, false, "four idx files (.gz too)", 5000, true},
      {"cifar10",
       "cifar10",
       {"data_batch_1.bin", "test_batch.bin"},
       true,
       "six files of the binary version (.gz, .xz too)",
       5000,
       true},
      {"cifar100",
       "cifar100",
       {"train.bin"},
       false,
       "train.bin and test.bin of the binary version (.gz, .xz too)",
       5000,
       true},
      {"svhn",
       "svhn",
       {"train_32x32.mat", "test_32x32.mat", "svhn_train*.bin", "svhn_test*.bin"},
       true,
       "train_32x32.mat and test_32x32.mat, or svhn_train*.bin and svhn_test*.bin",
       0},
      {"ilsvrc", "images", kImages, false,
       "JPEG or PNG files: val.tar with val_labels.txt, or folders", 0},
      {"images", "images", kImages, false,
       "JPEG or PNG files in train/ and test/ (or val/), a folder for each class, or with lists of "
       "labels; .tar too",
       0},
      {"arrays",
       "arrays",
       {"train_images.npy", "test_images.npy", "train.npz", "test.npz"},
       false,
       "train_images.npy and train_labels.npy, test_images.npy and test_labels.npy, or train.npz "
       "and test.npz",
       0},
  };
  return kSets;
}

const DataSetInfo& data_set(const std::string& name) {
  for (const DataSetInfo& info : data_sets()) {
    if (info.name == name) return info;
  }
  fail_usage("data set '{}' is not known{}", name, suggestion(name, dataset_names()));
}

std::vector<std::string> dataset_names() {
  std::vector<std::string> names;
  for (const DataSetInfo& info : data_sets()) names.push_back(info.name);
  return names;
}

namespace {

/// Whether `folder` has a file of this name; one * stands for any text.
bool has_file(const fs::path& folder, const std::string& name) {
  std::error_code ignored;  // an unreadable place is a place without the file
  const std::size_t star = name.find('*');
  if (star == std::string::npos) return fs::exists(folder / name, ignored);
  const std::string begin = name.substr(0, star);
  const std::string end = name.substr(star + 1);
  for (fs::directory_iterator it(folder, ignored), last; it != last; it.increment(ignored)) {
    if (ignored) return false;
    const std::string file = it->path().filename().string();
    if (file.size() >= begin.size() + end.size() && file.compare(0, begin.size(), begin) == 0 &&
        file.compare(file.size() - end.size(), end.size(), end) == 0) {
      return true;
    }
  }
  return false;
}

}  // namespace

fs::path find_data_folder(const DataSetInfo& info, const std::string& folder) {
  std::vector<fs::path> places;
  if (!folder.empty()) {
    places.emplace_back(folder);
  } else {
    if (const char* place = std::getenv("BITTERN_DATA")) places.emplace_back(place);
    for (const fs::path& base : {fs::path("."), home_folder()}) {
      places.push_back(base / "data");
      places.push_back(base / "../shared/data");
    }
  }
  std::string tried;
  for (const fs::path& place : places) {
    std::vector<fs::path> candidates = {place / info.name};
    if (info.own_names || !folder.empty()) candidates.push_back(place);
    for (const fs::path& candidate : candidates) {
      for (const std::string& file : info.any_of) {
        for (const char* packed : {"", ".gz", ".xz"}) {
          if (has_file(candidate, file + packed)) return candidate;
        }
      }
      tried += "\n  " + (candidate / info.any_of.front()).lexically_normal().string() + "[.gz]";
    }
  }
  fail_usage(
      "data set {} was not found; put its files ({}) into ./data/{} or name their folder with "
      "--data or $BITTERN_DATA. Tried:{}",
      info.name, info.files, info.name, tried);
}

}  // namespace bittern
