#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "host/base/span.h"

namespace bittern {

/// Images that are made when they are needed: decoded from files that may be larger than memory.
class ImageStore {
 public:
  virtual ~ImageStore() = default;
  /// Writes image `index` (planes of rows) to `pixels`, which has its size. May be called by
  /// several threads at once; the same bytes every time. Throws Error naming the file.
  virtual void read(int index, MutableBytes pixels) const = 0;
  /// Text that differs where the image differs: part of content hashes.
  virtual const std::string& digest(int index) const = 0;
};

/// Labelled 8-bit images, all of one shape, in memory or in a store.
struct Dataset {
  std::string name;  ///< "mnist", "synthetic", ..., for messages and checkpoints
  int channels = 1;
  int height = 0;
  int width = 0;
  int classes = 0;                   ///< labels are 0 .. classes - 1
  std::vector<std::uint8_t> images;  ///< size() x channels x height x width, planes of rows
  std::vector<std::int32_t> labels;  ///< one per image
  /// Where the images are when they are not in `images`, and the place of each of them there.
  std::shared_ptr<const ImageStore> store;
  std::vector<int> places;

  /// Number of images.
  int size() const { return static_cast<int>(labels.size()); }
  /// Bytes of one image.
  std::size_t image_bytes() const {
    return static_cast<std::size_t>(channels) * static_cast<std::size_t>(height) *
           static_cast<std::size_t>(width);
  }
  /// One image of a set that is in memory; `index` is in 0 .. size() - 1.
  Bytes image(int index) const {
    return Bytes(images).subspan(static_cast<std::size_t>(index) * image_bytes(), image_bytes());
  }
  /// Copies one image, wherever it is, to `pixels` (image_bytes() of them). May be called by
  /// several threads at once. Throws Error naming the file when it cannot be decoded.
  void read_image(int index, MutableBytes pixels) const;
  /// The same set without any image.
  Dataset without_images() const;
};

/// SHA-256 over shape, classes, images and labels (not the name): part of cache keys.
std::string content_hash(const Dataset& data);

/// The images at `indices`, in that order. Throws Error when an index is out of range.
Dataset subset(const Dataset& data, const std::vector<int>& indices);

/// What a campaign works with. The validation images are cut from the training set, so that the
/// test set is touched once, at the end.
struct DataSplits {
  Dataset train;
  Dataset validation;
  Dataset test;
  Dataset choice;    ///< for the choice among the best of a search; empty unless set aside
  std::string hash;  ///< over the content of all three
};

/// Draws `validation_images` images from `all` for validation and, of the rest, `train_images` for
/// training (0: all of them), both by a shuffle seeded with `seed`. Throws Error when there are not
/// enough images.
DataSplits split_data(const Dataset& all, Dataset test, int validation_images, int train_images,
                      std::uint64_t seed);

/// What to load, and how to split it.
struct DataOptions {
  std::string name = "synthetic";    ///< one of dataset_names()
  std::string folder;                ///< of files: see find_data_folder(); ignored for synthetic
  int validation_images = 0;         ///< 0: as DataSetInfo has it
  int train_images = 0;              ///< 0: all that are left, of synthetic 8000
  int test_images = 0;               ///< of sets without test images; 0: a tenth, synthetic 2000
  std::uint64_t synthetic_seed = 1;  ///< seed of the synthetic images
  std::uint64_t split_seed = 1;      ///< seed of the train/validation split
  /// Of sets whose images have sizes of their own: what the network takes. The shorter side is
  /// scaled to `resize` pixels (0: so that the crop just fits), then the middle is cut out.
  int channels = 3;
  int height = 0;
  int width = 0;
  int resize = 0;
};

/// Loads and splits a data set. Throws Error when the name is unknown, or as its reader does.
DataSplits load_data(const DataOptions& options);

/// Only the test images of it, without reading the others where the set has test images of its own.
Dataset load_test_data(const DataOptions& options);

/// What load_data() would give, told without reading or drawing images.
struct DataOutline {
  int channels = 1;
  int height = 0;
  int width = 0;
  int classes = 0;
  int train = 0;  ///< images
  int validation = 0;
  int test = 0;
  std::string folder;  ///< that the files are in; empty where there are none
};

/// Throws Error as load_data() does, as far as file headers and labels tell.
DataOutline outline_data(const DataOptions& options);

}  // namespace bittern
