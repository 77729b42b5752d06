#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace bittern {

/// The data sets that campaigns and commands may name; agent/data/dataset.cpp reads them.
std::vector<std::string> dataset_names();

/// Finds the folder that has `file` (or file.gz, file.xz) in it. With a `folder` (the option
/// --data) only <folder>/<name> and <folder> are looked at; else $BITTERN_DATA, ./data and
/// ../shared/data are, from the current folder and from Bittern's own, each as <place>/<name> and
/// <place>. Throws Error that lists what was tried.
std::filesystem::path find_data_folder(const std::string& name, const std::string& file,
                                       const std::string& folder);

}  // namespace bittern
