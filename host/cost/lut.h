#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "host/network/layer.h"
#include "host/store/measurement.h"

namespace bittern {

/// One line of a look-up table: what a layer costs at a bit pair, and where that comes from.
struct LutRow {
  std::string variant;
  std::string layer;  ///< name
  std::string shape;  ///< Layer::key()
  BitPair bits;       ///< that were asked for
  bool activation_signed = false;
  int batch = 1;
  std::uint64_t cycles = 0;
  double latency_s = 0.0;
  double energy_j = 0.0;       ///< first DRAM anchor of the energy table
  double energy_high_j = 0.0;  ///< second
  std::uint64_t bytes_read = 0;
  std::uint64_t bytes_written = 0;
  Origin origin = Origin::kRtl;
  std::string schedule;
  std::string key;       ///< content key of the measurement; empty for the closed form
  std::size_t line = 0;  ///< of the file that it was read from; 0: of none. Not compared

  bool operator==(const LutRow& other) const;
};

/// A LUT as CSV (RFC 4180, line ends "\n"): a line of column names, then the rows, the last column
/// being the version of this format (which a file may lack). Numbers are
/// written so that reading gives the same bits back.
std::string lut_csv(const std::vector<LutRow>& rows);

/// Writes lut.csv, atomically.
void save_lut(const std::filesystem::path& path, const std::vector<LutRow>& rows);

/// Reads a LUT: the columns of lut_csv(), in any order. Spreadsheets may have written it: a byte
/// order mark of UTF-8, line ends "\r\n", blank lines and spaces around a field that is not quoted
/// mean nothing. Strict in all else: no column missing or unknown, every number in range, no two
/// rows that give one point different costs. Throws Error "file:line: column: what is wrong" (exit
/// status 2).
std::vector<LutRow> load_lut(const std::filesystem::path& path);

/// The same from text; `file` is the name for messages.
std::vector<LutRow> parse_lut(std::string_view text, const std::string& file);

}  // namespace bittern
