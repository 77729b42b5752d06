#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bittern {

/// A line of a list of labels.
struct LabelledFile {
  std::string file;  ///< as the list has it, relative to the folder of the images
  int label = 0;
  int line = 0;  ///< from 1
};

/// Reads a list with one image a line: its file, blanks, its class (0 and up). File names may have
/// blanks within. Empty lines and lines that begin with # are passed over. Throws Error "name:line:
/// ..." when a line is of another form, a class is out of 0..1048575, or a file is there twice.
std::vector<LabelledFile> parse_label_list(std::string_view text, const std::string& name);

/// Reads a list of classes, one a line: number, id, and a name for people, which may be missing.
/// Returns the ids by number. Throws Error "name:line: ..." when the numbers are not 0, 1, ... each
/// once, or two classes have one id.
std::vector<std::string> parse_class_list(std::string_view text, const std::string& name);

}  // namespace bittern
