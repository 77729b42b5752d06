#include "agent/data/images.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "agent/data/decode_image.h"
#include "agent/data/image_files.h"
#include "agent/data/label_list.h"
#include "host/base/error.h"
#include "host/base/file.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostListBytes = std::size_t{1} << 30;

/// One part as its folder or archive has it.
struct Part {
  std::vector<ImageFile> files;
  std::vector<std::string> classes;  ///< name of the class of each file, where folders say it
  std::vector<int> labels;           ///< where a list says it
  std::shared_ptr<const TarFile> archive;
  std::string where;  ///< for messages
};

void check_kind(const std::string& path) {
  for (const char* end : {".bmp", ".gif", ".webp", ".tif", ".tiff", ".BMP", ".GIF", ".TIF"}) {
    if (fs::path(path).extension() == end) {
      fail("{}: only JPEG and PNG files are read; convert it, or move it elsewhere", path);
    }
  }
}

bool is_hidden(const fs::path& path) { return path.filename().string()[0] == '.'; }

/// Images of a folder by their path relative to it, at most one folder deep.
std::map<std::string, ImageFile> images_in(const fs::path& folder) {
  std::map<std::string, ImageFile> found;
  const auto add = [&](const fs::path& path) {
    if (is_hidden(path)) return;
    check_kind(path.string());
    if (is_image_name(path.filename().string())) {
      found[path.lexically_relative(folder).string()] = {path.string(), {}};
    }
  };
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (!entry.is_directory()) {
      add(entry.path());
    } else if (!is_hidden(entry.path())) {
      for (const auto& inner : fs::directory_iterator(entry.path())) {
        if (!inner.is_directory()) add(inner.path());
      }
    }
  }
  return found;
}

/// The same of an archive, whose members may begin with ./ and with the name of the part.
std::map<std::string, ImageFile> images_in(const TarFile& archive, const std::string& part) {
  std::map<std::string, ImageFile> found;
  for (const TarMember& member : archive.members()) {
    std::string name = member.name;
    for (const std::string& begin : {std::string("./"), part + "/"}) {
      if (name.compare(0, begin.size(), begin) == 0) name.erase(0, begin.size());
    }
    if (name.empty() || is_hidden(name)) continue;
    check_kind(archive.path().string() + ": " + name);
    if (!is_image_name(name)) continue;
    if (!found.emplace(name, ImageFile{member.name, member}).second) {
      fail("{}: two members called {}", archive.path().string(), name);
    }
  }
  return found;
}

/// Takes the images that a list names, in its order.
void take_listed(const fs::path& list, std::map<std::string, ImageFile> images, Part& part) {
  for (const LabelledFile& entry :
       parse_label_list(read_file(list, kMostListBytes), list.string())) {
    const auto image = images.find(entry.file);
    if (image == images.end()) {
      fail("{}:{}: there is no image '{}' in {}", list.string(), entry.line, entry.file,
           part.where);
    }
    part.files.push_back(std::move(image->second));
    part.labels.push_back(entry.label);
    images.erase(image);
  }
  if (!images.empty()) {
    fail("{}: has no label for {} images of {}, such as {}", list.string(), images.size(),
         part.where, images.begin()->first);
  }
}

/// Takes all images, each of the class that its folder is called.
void take_foldered(std::map<std::string, ImageFile>&& images, const fs::path& list, Part& part) {
  for (auto& [name, file] : images) {
    const std::size_t slash = name.rfind('/');
    if (slash == std::string::npos) {
      fail(
          "{}: nothing says of which class '{}' is: put it into a folder called like its class, or "
          "write a list of labels, {}",
          part.where, name, list.string());
    }
    const std::size_t before = name.rfind('/', slash - 1);
    part.classes.push_back(name.substr(before == std::string::npos ? 0 : before + 1,
                                       slash - (before == std::string::npos ? 0 : before + 1)));
    part.files.push_back(std::move(file));
  }
}

Part find_part(const fs::path& root, const std::string& name) {
  Part part;
  const fs::path list = root / (name + "_labels.txt");
  const fs::path archive = root / (name + ".tar");
  const fs::path folder = root / name;
  std::map<std::string, ImageFile> images;
  if (fs::exists(archive)) {
    if (fs::exists(folder)) {
      fail("{}: both {} and {} are there: remove one of them", root.string(),
           archive.filename().string(), name + "/");
    }
    part.where = archive.string();
    part.archive = std::make_shared<const TarFile>(archive);
    images = images_in(*part.archive, name);
  } else if (fs::is_directory(folder)) {
    part.where = folder.string();
    images = images_in(folder);
  } else {
    if (fs::exists(list)) {
      fail("{}: neither {} nor {} is there, which its images should be in", list.string(),
           folder.string(), archive.string());
    }
    return part;
  }
  if (images.empty()) fail("{}: there is no JPEG or PNG file in it", part.where);
  if (fs::exists(list)) {
    take_listed(list, std::move(images), part);
  } else {
    take_foldered(std::move(images), list, part);
  }
  return part;
}

struct Parts {
  Part train;
  Part test;
  int classes = 0;
};

/// Turns the classes of folders into numbers, and finds how many there are.
void number_classes(const fs::path& root, Parts& parts) {
  const fs::path file = root / "classes.txt";
  std::vector<std::string> ids;
  if (fs::exists(file)) {
    ids = parse_class_list(read_file(file, kMostListBytes), file.string());
    parts.classes = static_cast<int>(ids.size());
  } else {
    // Those of the training images, where there are any: classes that only tests have are slips.
    std::set<std::string> names;
    const Part& first = parts.train.files.empty() ? parts.test : parts.train;
    names.insert(first.classes.begin(), first.classes.end());
    ids.assign(names.begin(), names.end());
    parts.classes = static_cast<int>(ids.size());
  }
  std::map<std::string, int> numbers;
  for (std::size_t i = 0; i < ids.size(); ++i) numbers[ids[i]] = static_cast<int>(i);
  for (Part* part : {&parts.train, &parts.test}) {
    for (const std::string& name : part->classes) {
      const auto found = numbers.find(name);
      if (found == numbers.end()) {
        fail("{}: folder '{}' is no class {}", part->where, name,
             fs::exists(file) ? "of " + file.string() : "of the training images");
      }
      part->labels.push_back(found->second);
    }
    for (std::size_t i = 0; i < part->labels.size(); ++i) {
      const int label = part->labels[i];
      if (fs::exists(file) && label >= parts.classes) {
        fail("{}: '{}' is of class {}, but {} has classes 0..{}", part->where, part->files[i].path,
             label, file.string(), parts.classes - 1);
      }
      parts.classes = std::max(parts.classes, label + 1);
    }
  }
}

Parts find_parts(const DataRequest& request) {
  const fs::path& root = request.folder;
  Parts parts;
  parts.train = find_part(root, "train");
  parts.test = find_part(root, "test");
  if (parts.test.files.empty()) parts.test = find_part(root, "val");
  number_classes(root, parts);
  return parts;
}

ImageFit fit_for(const DataRequest& request) {
  const DataOptions& o = request.options;
  if (o.height < 1 || o.width < 1 || (o.channels != 1 && o.channels != 3)) {
    fail_usage(
        "data set {}: its images are brought to the size that the network takes, and that is "
        "{}x{}x{}: expected 1 or 3 channels",
        request.info.name, o.channels, o.height, o.width);
  }
  if (o.resize != 0 && o.resize < std::max(o.height, o.width)) {
    fail_usage("data set {}: resize is {}, expected at least the {} pixels that are cut out",
               request.info.name, o.resize, std::max(o.height, o.width));
  }
  return {o.channels, o.height, o.width, o.resize};
}

Dataset dataset_of(Part part, const DataRequest& request, int classes) {
  const ImageFit fit = fit_for(request);
  Dataset data;
  data.name = request.info.name;
  data.channels = fit.channels;
  data.height = fit.height;
  data.width = fit.width;
  data.classes = classes;
  data.labels.assign(part.labels.begin(), part.labels.end());
  for (int i = 0; i < data.size(); ++i) data.places.push_back(i);
  data.store = std::make_shared<ImageFiles>(std::move(part.files), std::move(part.archive), fit);
  return data;
}

}  // namespace

DataParts load_images(const DataRequest& request) {
  Parts found = find_parts(request);
  DataParts parts;
  parts.has_train = !found.train.files.empty();
  if (!request.test_only) {
    parts.train = dataset_of(std::move(found.train), request, found.classes);
  }
  parts.test = dataset_of(std::move(found.test), request, found.classes);
  return parts;
}

PartsOutline outline_images(const DataRequest& request) {
  const ImageFit fit = fit_for(request);
  const Parts parts = find_parts(request);
  PartsOutline outline{fit.channels, fit.height, fit.width, parts.classes};
  outline.train = static_cast<int>(parts.train.files.size());
  outline.test = static_cast<int>(parts.test.files.size());
  return outline;
}

}  // namespace bittern
