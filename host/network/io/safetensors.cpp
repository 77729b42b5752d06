#include "host/network/io/safetensors.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/hash.h"
#include "host/base/json.h"

namespace bittern {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // the format's own limit
constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 40;
constexpr std::size_t kPrefix = 8;
constexpr const char* kDigest = "sha256";  ///< key in the metadata

struct TypeInfo {
  TensorType type;
  const char* name;
  std::size_t bytes;
};
constexpr std::array<TypeInfo, 10> kTypes{{{TensorType::kF64, "F64", 8},
                                           {TensorType::kF32, "F32", 4},
                                           {TensorType::kF16, "F16", 2},
                                           {TensorType::kBf16, "BF16", 2},
                                           {TensorType::kI64, "I64", 8},
                                           {TensorType::kI32, "I32", 4},
                                           {TensorType::kI16, "I16", 2},
                                           {TensorType::kI8, "I8", 1},
                                           {TensorType::kU8, "U8", 1},
                                           {TensorType::kBool, "BOOL", 1}}};

const TypeInfo& info_of(TensorType type) { return kTypes.at(static_cast<std::size_t>(type)); }

float half_to_float(std::uint16_t half) {
  const int exponent = (half >> 10) & 31;
  const int mantissa = half & 1023;
  float value = 0;
  if (exponent == 31) {
    value = mantissa == 0 ? std::numeric_limits<float>::infinity()
                          : std::numeric_limits<float>::quiet_NaN();
  } else if (exponent == 0) {
    value = std::ldexp(static_cast<float>(mantissa), -24);
  } else {
    value = std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25);
  }
  return (half & 0x8000) != 0 ? -value : value;
}

/// A tensor of the header with its place in the data.
struct Entry {
  std::string name;
  StoredTensor tensor;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// Non-negative integer member, or an error.
std::uint64_t natural(const json& value, const std::string& where) {
  if (!value.is_number_unsigned())
    fail("{}: {}, expected a whole number of 0 or more", where, value.dump());
  return value.get<std::uint64_t>();
}

Entry parse_entry(const std::string& name, const json& value, const std::string& file) {
  const std::string where = fmt::format("{}: tensor '{}'", file, name);
  if (!value.is_object() || !value.contains("dtype") || !value.contains("shape") ||
      !value.contains("data_offsets") || value.size() != 3) {
    fail("{}: expected an object of dtype, shape and data_offsets", where);
  }
  Entry entry;
  entry.name = name;
  const json& type = value["dtype"];
  const auto* const known = std::find_if(kTypes.begin(), kTypes.end(), [&](const TypeInfo& info) {
    return type.is_string() && type.get_ref<const std::string&>() == info.name;
  });
  if (known == kTypes.end()) fail("{}: dtype {} is not supported", where, type.dump());
  entry.tensor.type = known->type;

  const json& shape = value["shape"];
  if (!shape.is_array()) fail("{}: shape is {}, expected a list", where, shape.dump());
  std::uint64_t elements = 1;
  for (const json& extent_value : shape) {
    const std::uint64_t extent = natural(extent_value, where + ": shape");
    if (extent != 0 && elements > kMaxElements / extent) {
      fail("{}: shape {} has more than 2^40 elements", where, shape.dump());
    }
    elements *= extent;
    entry.tensor.shape.push_back(static_cast<std::int64_t>(extent));
  }
  const json& offsets = value["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2) {
    fail("{}: data_offsets is {}, expected [begin, end]", where, offsets.dump());
  }
  entry.begin = natural(offsets[0], where + ": data_offsets");
  entry.end = natural(offsets[1], where + ": data_offsets");
  if (entry.end < entry.begin || entry.end - entry.begin != elements * known->bytes) {
    fail("{}: data_offsets {} do not span the {} bytes of shape {} and dtype {}", where,
         offsets.dump(), elements * known->bytes, shape.dump(), known->name);
  }
  return entry;
}

json parse_header(std::string_view text, const std::string& file) {
  JsonOptions options;
  options.max_bytes = kMaxHeaderBytes;
  json header = parse_json(text, file + ": header", options);
  if (!header.is_object()) fail("{}: the header is no JSON object", file);
  return header;
}

/// Over tensors and metadata.
std::string digest_of(const TensorFile& file) {
  Sha256 hash;
  hash.update_field(content_hash(file));
  for (const auto& [key, value] : file.metadata) {
    if (key != kDigest) hash.update_field(key).update_field(value);
  }
  return hash.hex();
}

}  // namespace

const char* tensor_type_name(TensorType type) { return info_of(type).name; }

std::size_t tensor_type_bytes(TensorType type) { return info_of(type).bytes; }

std::int64_t StoredTensor::elements() const {
  return static_cast<std::int64_t>(data.size() / tensor_type_bytes(type));
}

std::vector<float> StoredTensor::to_floats() const {
  std::vector<float> values(static_cast<std::size_t>(elements()));
  if (type == TensorType::kF32) {
    if (!values.empty()) std::memcpy(values.data(), data.data(), data.size());
    return values;
  }
  if (type != TensorType::kF16 && type != TensorType::kBf16) {
    fail("a tensor of type {} where F32, F16 or BF16 was expected", tensor_type_name(type));
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto word = static_cast<std::uint16_t>(data[2 * i] | (data[2 * i + 1] << 8));
    if (type == TensorType::kF16) {
      values[i] = half_to_float(word);
    } else {
      const std::uint32_t bits = std::uint32_t{word} << 16;
      std::memcpy(&values[i], &bits, sizeof bits);
    }
  }
  return values;
}

StoredTensor StoredTensor::from_floats(std::vector<std::int64_t> shape, Span<const float> values) {
  std::uint64_t elements = 1;
  for (const std::int64_t extent : shape) elements *= static_cast<std::uint64_t>(extent);
  if (elements != values.size()) {
    fail("{} values for a tensor of {} elements", values.size(), elements);
  }
  StoredTensor tensor;
  tensor.shape = std::move(shape);
  tensor.data.resize(values.size() * sizeof(float));
  if (!values.empty()) std::memcpy(tensor.data.data(), values.data(), tensor.data.size());
  return tensor;
}

const StoredTensor& TensorFile::at(const std::string& name, const std::string& where) const {
  const auto found = tensors.find(name);
  if (found != tensors.end()) return found->second;
  std::string names;
  for (const auto& [other, tensor] : tensors) names += (names.empty() ? "" : ", ") + other;
  fail("{}: there is no tensor '{}'; there are: {}", where, name, names);
}

std::vector<float> TensorFile::floats(const std::string& name, const std::string& where) const {
  const StoredTensor& tensor = at(name, where);
  try {
    return tensor.to_floats();
  } catch (const Error& error) {
    fail_usage("{}: tensor '{}': {}", where, name, error.what());
  }
}

TensorFile parse_safetensors(std::string_view content, const std::string& name) {
  if (content.size() < kPrefix) {
    fail("{}: {} bytes are too few for a safetensors file", name, content.size());
  }
  std::uint64_t header_bytes = 0;
  for (std::size_t i = 0; i < kPrefix; ++i) {
    header_bytes |= std::uint64_t{static_cast<std::uint8_t>(content[i])} << (8 * i);
  }
  if (header_bytes > kMaxHeaderBytes || header_bytes > content.size() - kPrefix) {
    fail("{}: a header of {} bytes does not fit in the file of {} bytes; not safetensors, or cut",
         name, header_bytes, content.size());
  }
  const json header = parse_header(content.substr(kPrefix, header_bytes), name);
  const std::string_view data = content.substr(kPrefix + header_bytes);

  TensorFile file;
  std::vector<Entry> entries;
  for (const auto& [key, value] : header.items()) {
    if (key != "__metadata__") {
      entries.push_back(parse_entry(key, value, name));
      continue;
    }
    if (!value.is_object()) fail("{}: __metadata__ is no JSON object", name);
    for (const auto& [field, text] : value.items()) {
      if (!text.is_string()) fail("{}: __metadata__ '{}' is no string", name, field);
      file.metadata[field] = text.get<std::string>();
    }
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
  });
  std::uint64_t covered = 0;
  for (Entry& entry : entries) {
    if (entry.begin != covered) {
      fail(
          "{}: tensor '{}' begins at byte {} of the data, expected {}: tensors must follow one "
          "another without gap or overlap",
          name, entry.name, entry.begin, covered);
    }
    if (entry.end > data.size()) {
      fail("{}: tensor '{}' ends at byte {} but there are {} bytes of data; the file is cut", name,
           entry.name, entry.end, data.size());
    }
    const std::string_view bytes = data.substr(entry.begin, entry.end - entry.begin);
    entry.tensor.data.assign(bytes.begin(), bytes.end());
    covered = entry.end;
    file.tensors.emplace(entry.name, std::move(entry.tensor));
  }
  if (covered != data.size()) {
    fail("{}: {} bytes follow the last tensor", name, data.size() - covered);
  }
  const auto digest = file.metadata.find(kDigest);
  if (digest != file.metadata.end()) {
    const std::string expected = digest->second;
    file.metadata.erase(digest);
    if (expected != digest_of(file)) {
      fail("{}: damaged: its content does not fit its sha256; restore a copy, or make it anew",
           name);
    }
  }
  return file;
}

TensorFile read_safetensors(const std::filesystem::path& path, ExitStatus status) try {
  return parse_safetensors(read_file(path), path.string());
} catch (const Error& error) {
  throw Error(error.what(), status);
}

void write_safetensors(const std::filesystem::path& path, const TensorFile& file) {
  json header = json::object();
  header["__metadata__"] = file.metadata;
  header["__metadata__"][kDigest] = digest_of(file);
  std::uint64_t offset = 0;
  for (const auto& [name, tensor] : file.tensors) {
    header[name] = {{"dtype", tensor_type_name(tensor.type)},
                    {"shape", tensor.shape},
                    {"data_offsets", {offset, offset + tensor.data.size()}}};
    offset += tensor.data.size();
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');  // the data begins at a multiple of 8 bytes
  std::string content;
  content.reserve(kPrefix + text.size() + offset);
  for (std::size_t i = 0; i < kPrefix; ++i) {
    content.push_back(static_cast<char>(text.size() >> (8 * i)));
  }
  content += text;
  for (const auto& [name, tensor] : file.tensors) {
    content.append(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size());
  }
  write_file(path, content);
}

std::string content_hash(const TensorFile& file) {
  Sha256 hash;
  for (const auto& [name, tensor] : file.tensors) {
    std::string shape;
    for (const std::int64_t extent : tensor.shape) shape += std::to_string(extent) + ",";
    hash.update_field(name).update_field(tensor_type_name(tensor.type)).update_field(shape);
    hash.update(tensor.data);
  }
  return hash.hex();
}

}  // namespace bittern
