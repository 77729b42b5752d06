#include "agent/data/image_files.h"

#include <algorithm>
#include <utility>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/hash.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostKept = std::uint64_t{1} << 30;
constexpr std::uint64_t kMostHashed = std::uint64_t{1} << 30;
constexpr std::uint64_t kMostFile = std::uint64_t{1} << 28;

std::uint64_t size_of(const ImageFile& file, bool in_archive) {
  return in_archive ? file.member.size : fs::file_size(file.path);
}

}  // namespace

ImageFiles::ImageFiles(std::vector<ImageFile> files, std::shared_ptr<const TarFile> archive,
                       const ImageFit& fit)
    : files_(std::move(files)), archive_(std::move(archive)), fit_(fit) {
  make_digests();
  if (fit_.bytes() * files_.size() > kMostKept) return;
  // Memory is taken page by page as images come.
  kept_.reset(new std::uint8_t[fit_.bytes() * files_.size()]);
  decoded_ = std::make_unique<std::once_flag[]>(files_.size());
}

std::string ImageFiles::name(const ImageFile& file) const {
  return archive_ ? archive_->path().string() + ": " + file.path : file.path;
}

std::vector<std::uint8_t> ImageFiles::content(const ImageFile& file) const {
  if (size_of(file, archive_ != nullptr) > kMostFile) {
    fail("{}: larger than the {} bytes that an image may have", name(file), kMostFile);
  }
  if (archive_) return archive_->read(file.member);
  const std::string text = read_file(file.path, kMostFile);
  return {text.begin(), text.end()};
}

void ImageFiles::make_digests() {
  std::uint64_t all = 0;
  for (const ImageFile& file : files_) all += size_of(file, archive_ != nullptr);
  const std::string fit =
      fmt::format("{}x{}x{} resize {}", fit_.channels, fit_.height, fit_.width, fit_.resize);
  for (const ImageFile& file : files_) {
    Sha256 hash;
    hash.update_field(fit);
    if (all <= kMostHashed) {
      hash.update(content(file));
    } else {
      const fs::path path = archive_ ? archive_->path() : fs::path(file.path);
      hash.update_field(file.path).update_field(
          fmt::format("{} {}", size_of(file, archive_ != nullptr),
                      fs::last_write_time(path).time_since_epoch().count()));
    }
    digests_.push_back(hash.hex());
  }
}

void ImageFiles::decode(const ImageFile& file, MutableBytes pixels) const {
  const std::vector<std::uint8_t> bytes = content(file);
  const std::string where = name(file);
  fit_image(decode_image(bytes, fit_.channels, where), fit_, pixels, where);
}

void ImageFiles::read(int index, MutableBytes pixels) const {
  const auto place = static_cast<std::size_t>(index);
  const ImageFile& file = files_.at(place);
  if (!kept_) {
    decode(file, pixels);
    return;
  }
  const MutableBytes kept(kept_.get() + place * fit_.bytes(), fit_.bytes());
  std::call_once(decoded_[place], [&] { decode(file, kept); });
  std::copy(kept.begin(), kept.end(), pixels.begin());
}

}  // namespace bittern
