#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace bittern {

/// A data set that campaigns and commands may name.
struct DataSetInfo {
  std::string name;
  /// How its files are laid out: a name in the list of readers, agent/data/layouts.cpp.
  std::string layout;
  /// Files or folders of which any one tells that a folder has the set (each also with .gz or .xz).
  std::vector<std::string> any_of;
  /// Whether these names are its own; others are found in a folder called like the set only, or in
  /// the one that --data names.
  bool own_names = true;
  std::string files;  ///< what they are, for people
  /// Images that are cut from the training set for validation when nobody says how many; 0: a
  /// tenth, at most 5000.
  int validation_images = 0;
  /// Whether its files always have test images, all of which are tested on.
  bool own_test_images = false;
};

/// All of them, in the order of help texts: the one list that commands, campaign files,
/// `bittern doctor` and the readers take them from.
const std::vector<DataSetInfo>& data_sets();

/// The entry called `name`. Throws Error (exit status 2) that lists the known ones.
const DataSetInfo& data_set(const std::string& name);

/// Their names.
std::vector<std::string> dataset_names();

/// Finds the folder that has a data set. With a `folder` (the option --data) only <folder>/<name>
/// and <folder> are looked at; else $BITTERN_DATA, ./data and ../shared/data are, from the current
/// folder and from Bittern's own, each as <place>/<name> and, where its file names are its own,
/// <place>. Throws Error (exit status 2) that lists what was tried.
std::filesystem::path find_data_folder(const DataSetInfo& info, const std::string& folder);

}  // namespace bittern
