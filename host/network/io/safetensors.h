#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "host/base/error.h"
#include "host/base/span.h"

namespace bittern {

/// Element types of safetensors files that Bittern reads and writes.
enum class TensorType { kF64, kF32, kF16, kBf16, kI64, kI32, kI16, kI8, kU8, kBool };

/// Name in the file, for example "F32".
const char* tensor_type_name(TensorType type);

/// Bytes of one element.
std::size_t tensor_type_bytes(TensorType type);

/// A tensor as it lies in a file: row-major, little-endian.
struct StoredTensor {
  TensorType type = TensorType::kF32;
  std::vector<std::int64_t> shape;  ///< empty for a scalar
  std::vector<std::uint8_t> data;

  /// Number of elements.
  std::int64_t elements() const;
  /// Elements as float. F32, F16 and BF16 are converted exactly; throws Error for other types.
  std::vector<float> to_floats() const;
  /// A F32 tensor. Throws Error when the number of values is not that of the shape.
  static StoredTensor from_floats(std::vector<std::int64_t> shape, Span<const float> values);
};

/// Named tensors and string metadata: the content of one safetensors file.
struct TensorFile {
  std::map<std::string, StoredTensor> tensors;
  std::map<std::string, std::string> metadata;

  /// The tensor called `name`; throws Error listing the names when there is none. `where` (a path)
  /// starts the message.
  const StoredTensor& at(const std::string& name, const std::string& where) const;
  /// Its elements as float. Throws Error, exit status 2, naming `where` and the tensor when there
  /// is none or it is of a type that is no float.
  std::vector<float> floats(const std::string& name, const std::string& where) const;
};

/// Reads a safetensors file (format of huggingface/safetensors: 8 bytes little-endian header
/// length, JSON header, data). Every length and offset is checked before it is used: the data must
/// be covered exactly, without gaps or overlaps. A digest that write_safetensors() put in must fit;
/// files of other programs have none. Throws Error with the path, the tensor and what is
/// wrong; its exit status is `status`: kUsage for a file that the user names, kFailed for one that
/// Bittern keeps itself.
TensorFile read_safetensors(const std::filesystem::path& path,
                            ExitStatus status = ExitStatus::kUsage);

/// The same from memory; `name` stands in messages for the path.
TensorFile parse_safetensors(std::string_view content, const std::string& name);

/// Writes such a file atomically, with a digest over tensors and metadata that reading it checks
/// (in the metadata, as `sha256`). The same content gives the same bytes.
void write_safetensors(const std::filesystem::path& path, const TensorFile& file);

/// SHA-256 over names, types, shapes and data of all tensors (not the metadata).
std::string content_hash(const TensorFile& file);

}  // namespace bittern
