#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "agent/data/layouts.h"

namespace bittern {

/// Files of records: one or two label bytes, of which the last one counts, and the red, green and
/// blue plane of 32x32 bytes.
struct RecordFormat {
  int label_bytes = 1;
  int classes = 10;
  std::size_t most_records = 10000;  ///< in one file
  std::string set;                   ///< for messages: "CIFAR-10 (binary version)"
};

/// Reads one such file, plain, .gz or .xz. Throws Error with the path when the size is not that of
/// whole records, there is none or more than most_records, or a label is out of range.
Dataset read_records(const std::filesystem::path& path, const RecordFormat& format);

/// How many records a file has, told without reading it.
int count_records(const std::filesystem::path& path, const RecordFormat& format);

/// The records of several files, one after the other. Each file is read by a thread of its own.
Dataset read_records(const std::vector<std::filesystem::path>& paths, const RecordFormat& format);

/// CIFAR-10: data_batch_1.bin .. data_batch_5.bin and test_batch.bin, each plain, .gz or .xz.
DataParts load_cifar10(const DataRequest& request);
PartsOutline outline_cifar10(const DataRequest& request);

/// CIFAR-100 with its 100 fine labels: train.bin and test.bin.
DataParts load_cifar100(const DataRequest& request);
PartsOutline outline_cifar100(const DataRequest& request);

}  // namespace bittern
