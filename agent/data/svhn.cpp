#include "agent/data/svhn.h"

#include <matio.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "agent/data/records.h"
#include "host/base/error.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;

constexpr int kSide = 32;
constexpr int kChannels = 3;
constexpr int kClasses = 10;
constexpr std::size_t kPlane = std::size_t{kSide} * kSide;
constexpr std::size_t kPixels = kChannels * kPlane;
constexpr std::size_t kMostImages = 1000000;
const RecordFormat kRecords{1, kClasses, kMostImages, "SVHN"};

struct CloseFile {
  void operator()(mat_t* file) const { ::Mat_Close(file); }
};
struct FreeVariable {
  void operator()(matvar_t* variable) const { ::Mat_VarFree(variable); }
};
using MatFile = std::unique_ptr<mat_t, CloseFile>;
using Variable = std::unique_ptr<matvar_t, FreeVariable>;

MatFile opened(const fs::path& path) {
  if (!fs::exists(path)) fail("{}: is not there", path.string());
  MatFile file(::Mat_Open(path.c_str(), MAT_ACC_RDONLY));
  if (!file) fail("{}: no MATLAB file, or damaged; download it again", path.string());
  return file;
}

Variable described(mat_t* file, const fs::path& path, const char* name) {
  Variable variable(::Mat_VarReadInfo(file, name));
  if (!variable) {
    fail("{}: has no variable '{}', or is cut off; download it again", path.string(), name);
  }
  return variable;
}

/// How many images X has; its type and shape are checked.
std::size_t images_in(const matvar_t& x, const fs::path& path) {
  const bool bytes = x.class_type == MAT_C_UINT8 && x.isComplex == 0;
  // One image may have lost its last extent.
  const bool shaped = (x.rank == 4 || x.rank == 3) && x.dims[0] == kSide && x.dims[1] == kSide &&
                      x.dims[2] == kChannels;
  const std::size_t count = shaped ? (x.rank == 4 ? x.dims[3] : 1) : 0;
  if (!bytes || count < 1 || count > kMostImages) {
    fail("{}: X is no array of {} x {} x {} x images bytes, 1 to {} of them", path.string(), kSide,
         kSide, kChannels, kMostImages);
  }
  return count;
}

void check_count(const matvar_t& y, std::size_t images, const fs::path& path) {
  std::size_t count = y.rank > 0 ? 1 : 0;
  for (int d = 0; d < y.rank; ++d) {
    if (y.dims[d] > kMostImages || count > kMostImages) fail("{}: y is too large", path.string());
    count *= y.dims[d];
  }
  if (count != images) {
    fail("{}: X has {} images but y has {} labels", path.string(), images, count);
  }
}

/// Label i of y, whatever number type it has; -1 where that is none.
double label_at(const matvar_t& y, std::size_t i) {
  switch (y.class_type) {
    case MAT_C_UINT8:
      return static_cast<const std::uint8_t*>(y.data)[i];
    case MAT_C_DOUBLE:
      return static_cast<const double*>(y.data)[i];
    case MAT_C_INT32:
      return static_cast<const std::int32_t*>(y.data)[i];
    default:
      return -1;
  }
}

int count_mat(const fs::path& path) {
  const MatFile file = opened(path);
  const std::size_t images = images_in(*described(file.get(), path, "X"), path);
  check_count(*described(file.get(), path, "y"), images, path);
  return static_cast<int>(images);
}

/// The binary files of a part, in the order of their names.
std::vector<fs::path> record_files(const fs::path& folder, const std::string& part) {
  std::vector<fs::path> found;
  const std::string begin = "svhn_" + part;
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::string name = entry.path().filename().string();
    for (const std::string end : {".gz", ".xz"}) {
      if (name.size() > end.size() &&
          name.compare(name.size() - end.size(), end.size(), end) == 0) {
        name.resize(name.size() - end.size());
      }
    }
    if (name.compare(0, begin.size(), begin) == 0 && fs::path(name).extension() == ".bin") {
      found.push_back(entry.path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

struct Files {
  fs::path mat;                   ///< empty where there is none
  std::vector<fs::path> records;  ///< else these
  bool empty() const { return mat.empty() && records.empty(); }
};

Files files_of(const DataRequest& request, const std::string& part) {
  Files files;
  const fs::path mat = request.folder / (part + "_32x32.mat");
  if (fs::exists(mat)) {
    files.mat = mat;
  } else {
    files.records = record_files(request.folder, part);
  }
  return files;
}

Dataset load_part(const DataRequest& request, const Files& files) {
  Dataset data;
  if (!files.mat.empty()) {
    data = read_svhn_mat(files.mat);
  } else if (!files.records.empty()) {
    data = read_records(files.records, kRecords);
  }
  data.name = request.info.name;
  return data;
}

int count_part(const Files& files) {
  if (!files.mat.empty()) return count_mat(files.mat);
  int images = 0;
  for (const fs::path& path : files.records) images += count_records(path, kRecords);
  return images;
}

}  // namespace

Dataset read_svhn_mat(const fs::path& path) {
  const MatFile file = opened(path);
  const Variable x = described(file.get(), path, "X");
  const Variable y = described(file.get(), path, "y");
  const std::size_t images = images_in(*x, path);
  check_count(*y, images, path);
  for (matvar_t* variable : {x.get(), y.get()}) {
    if (::Mat_VarReadDataAll(file.get(), variable) != 0 || variable->data == nullptr) {
      fail("{}: variable '{}' is cut off or damaged; download the file again", path.string(),
           variable->name);
    }
  }
  if (x->nbytes != images * kPixels ||
      y->nbytes != images * static_cast<std::size_t>(y->data_size)) {
    fail("{}: its variables have fewer values than their shapes say", path.string());
  }
  Dataset data;
  data.channels = kChannels;
  data.height = kSide;
  data.width = kSide;
  data.classes = kClasses;
  data.images.resize(images * kPixels);
  const auto* const from = static_cast<const std::uint8_t*>(x->data);
  for (std::size_t i = 0; i < images; ++i) {
    const double label = label_at(*y, i);
    if (!(label >= 1 && label <= kClasses) || label != static_cast<int>(label)) {
      fail("{}: label {} is {}, expected 1..{} (10 stands for digit 0)", path.string(), i, label,
           kClasses);
    }
    data.labels.push_back(static_cast<int>(label) % kClasses);
    // MATLAB's arrays have the first extent innermost: columns of pixels.
    for (std::size_t c = 0; c < kChannels; ++c) {
      const std::size_t plane = i * kPixels + c * kPlane;
      for (std::size_t row = 0; row < kSide; ++row) {
        for (std::size_t column = 0; column < kSide; ++column) {
          data.images[plane + row * kSide + column] = from[plane + column * kSide + row];
        }
      }
    }
  }
  return data;
}

DataParts load_svhn(const DataRequest& request) {
  const Files train = files_of(request, "train");
  DataParts parts;
  parts.has_train = !train.empty();
  if (!request.test_only) parts.train = load_part(request, train);
  parts.test = load_part(request, files_of(request, "test"));
  return parts;
}

PartsOutline outline_svhn(const DataRequest& request) {
  PartsOutline outline{kChannels, kSide, kSide, kClasses};
  outline.train = count_part(files_of(request, "train"));
  outline.test = count_part(files_of(request, "test"));
  return outline;
}

}  // namespace bittern
