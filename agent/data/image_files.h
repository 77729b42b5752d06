#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "agent/data/dataset.h"
#include "agent/data/fit_image.h"
#include "agent/data/tar.h"

namespace bittern {

/// A file with an image: in a folder, or in an archive.
struct ImageFile {
  std::string path;  ///< of the file, or name of the member
  TarMember member;  ///< in an archive
};

/// The images of files, brought to one size when they are asked for. Decoded ones are kept where
/// all of them take at most 1 GiB.
class ImageFiles : public ImageStore {
 public:
  /// `archive` has the files, or they are files of their own where it is null. Reads what digests
  /// are made of: all files where they are 1 GiB together, else their names, sizes and times.
  ImageFiles(std::vector<ImageFile> files, std::shared_ptr<const TarFile> archive,
             const ImageFit& fit);

  void read(int index, MutableBytes pixels) const override;
  const std::string& digest(int index) const override {
    return digests_[static_cast<std::size_t>(index)];
  }

 private:
  std::string name(const ImageFile& file) const;
  std::vector<std::uint8_t> content(const ImageFile& file) const;
  void decode(const ImageFile& file, MutableBytes pixels) const;
  void make_digests();

  std::vector<ImageFile> files_;
  std::shared_ptr<const TarFile> archive_;
  ImageFit fit_;
  std::vector<std::string> digests_;
  std::unique_ptr<std::uint8_t[]> kept_;       ///< of all images; null: none is kept
  std::unique_ptr<std::once_flag[]> decoded_;  ///< of each of them
};

}  // namespace bittern
