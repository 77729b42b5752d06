#pragma once

#include <filesystem>

#include "host/export/export.h"

namespace bittern {

// The formats of export_formats(), each in a file of its own.

/// policy_table.cpp
void write_policy_json(const ExportInput& input, const std::filesystem::path& path);
void write_policy_csv(const ExportInput& input, const std::filesystem::path& path);
/// qonnx.cpp
void write_qonnx(const ExportInput& input, const std::filesystem::path& path);
/// qcdq.cpp
void write_qcdq(const ExportInput& input, const std::filesystem::path& path);
/// packed.cpp
void write_packed(const ExportInput& input, const std::filesystem::path& path);
/// golden.cpp
void write_golden(const ExportInput& input, const std::filesystem::path& path);
/// haq_lut.cpp
void write_haq_lut(const ExportInput& input, const std::filesystem::path& path);

}  // namespace bittern
