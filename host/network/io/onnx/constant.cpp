#include "host/network/io/onnx/constant.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <string_view>
#include <utility>

#include "host/base/error.h"
#include "host/base/text.h"
#include "host/network/io/safetensors.h"

namespace bittern::onnx_io {
namespace {

namespace fs = std::filesystem;
using onnx::TensorProto;

constexpr std::int64_t kMostElements = std::int64_t{1} << 31;

struct ElementType {
  int type;
  int bytes;
  bool integer;
};
constexpr std::array<ElementType, 13> kTypes{{{TensorProto::FLOAT, 4, false},
                                              {TensorProto::DOUBLE, 8, false},
                                              {TensorProto::FLOAT16, 2, false},
                                              {TensorProto::BFLOAT16, 2, false},
                                              {TensorProto::INT8, 1, true},
                                              {TensorProto::UINT8, 1, true},
                                              {TensorProto::INT16, 2, true},
                                              {TensorProto::UINT16, 2, true},
                                              {TensorProto::INT32, 4, true},
                                              {TensorProto::UINT32, 4, true},
                                              {TensorProto::INT64, 8, true},
                                              {TensorProto::UINT64, 8, true},
                                              {TensorProto::BOOL, 1, true}}};

template <typename T>
T load(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

float half(std::uint16_t word, bool brain) {
  StoredTensor stored;
  stored.type = brain ? TensorType::kBf16 : TensorType::kF16;
  stored.shape = {1};
  stored.data = {static_cast<std::uint8_t>(word & 0xff), static_cast<std::uint8_t>(word >> 8)};
  return stored.to_floats()[0];
}

/// Values from little-endian bytes, as many as the extents say.
void read_raw(std::string_view bytes, const ElementType& type, Constant& out) {
  const auto count = static_cast<std::size_t>(count_of(out.dims));
  const auto width = static_cast<std::size_t>(type.bytes);
  for (std::size_t i = 0; i < count; ++i) {
    const char* const at = bytes.data() + i * width;
    switch (type.type) {
      case TensorProto::FLOAT:
        out.reals.push_back(load<float>(at));
        break;
      case TensorProto::DOUBLE:
        out.reals.push_back(static_cast<float>(load<double>(at)));
        break;
      case TensorProto::FLOAT16:
      case TensorProto::BFLOAT16:
        out.reals.push_back(half(load<std::uint16_t>(at), type.type == TensorProto::BFLOAT16));
        break;
      case TensorProto::INT8:
        out.integers.push_back(load<std::int8_t>(at));
        break;
      case TensorProto::UINT8:
      case TensorProto::BOOL:
        out.integers.push_back(load<std::uint8_t>(at));
        break;
      case TensorProto::INT16:
        out.integers.push_back(load<std::int16_t>(at));
        break;
      case TensorProto::UINT16:
        out.integers.push_back(load<std::uint16_t>(at));
        break;
      case TensorProto::INT32:
        out.integers.push_back(load<std::int32_t>(at));
        break;
      case TensorProto::UINT32:
        out.integers.push_back(load<std::uint32_t>(at));
        break;
      case TensorProto::UINT64:
      case TensorProto::INT64:
        out.integers.push_back(load<std::int64_t>(at));
        break;
      default:
        break;
    }
  }
}

/// Values from the fields of the message that their type has.
void read_typed(const TensorProto& tensor, const ElementType& type, Constant& out,
                const std::string& what) {
  const std::int64_t count = count_of(out.dims);
  const auto expect = [&](std::int64_t found) {
    if (found != count) {
      fail_usage("{}: {} values for extents {}, expected {}", what, found, dims_text(out.dims),
                 count);
    }
  };
  switch (type.type) {
    case TensorProto::FLOAT:
      expect(tensor.float_data_size());
      out.reals.assign(tensor.float_data().begin(), tensor.float_data().end());
      return;
    case TensorProto::DOUBLE:
      expect(tensor.double_data_size());
      for (const double value : tensor.double_data())
        out.reals.push_back(static_cast<float>(value));
      return;
    case TensorProto::FLOAT16:
    case TensorProto::BFLOAT16:
      expect(tensor.int32_data_size());
      for (const std::int32_t value : tensor.int32_data()) {
        out.reals.push_back(
            half(static_cast<std::uint16_t>(value), type.type == TensorProto::BFLOAT16));
      }
      return;
    case TensorProto::INT64:
      expect(tensor.int64_data_size());
      out.integers.assign(tensor.int64_data().begin(), tensor.int64_data().end());
      return;
    case TensorProto::UINT64:
    case TensorProto::UINT32:
      expect(tensor.uint64_data_size());
      for (const std::uint64_t value : tensor.uint64_data()) {
        out.integers.push_back(static_cast<std::int64_t>(value));
      }
      return;
    default:
      expect(tensor.int32_data_size());
      out.integers.assign(tensor.int32_data().begin(), tensor.int32_data().end());
  }
}

/// A number of external data's key; digits only.
std::uint64_t whole_of(const std::string& text, const std::string& what) {
  if (text.empty() || text.size() > 18 ||
      text.find_first_not_of("0123456789") != std::string::npos) {
    fail_usage("{}: '{}', expected a whole number", what, shortened(text));
  }
  return std::stoull(text);
}

/// The bytes that a tensor has in a file beside the model.
std::string external_bytes(const TensorProto& tensor, const fs::path& folder, std::size_t needed,
                           const std::string& what) {
  std::string location;
  std::uint64_t offset = 0;
  std::optional<std::uint64_t> length;
  for (const auto& entry : tensor.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") offset = whole_of(entry.value(), what + ": offset");
    if (entry.key() == "length") length = whole_of(entry.value(), what + ": length");
  }
  const fs::path relative = fs::path(location).lexically_normal();
  const bool outside = relative.empty() || relative.is_absolute() || *relative.begin() == "..";
  if (outside || printable(location) != location) {
    fail_usage("{}: its data is said to be in '{}': expected a file in the model's folder", what,
               shortened(printable(location)));
  }
  std::error_code code;
  const fs::path path = folder / relative;
  // A link could lead out of the folder all the same.
  const fs::path real = fs::weakly_canonical(path, code);
  const fs::path home = fs::weakly_canonical(folder.empty() ? "." : folder, code);
  const fs::path inside = real.lexically_relative(home);
  if (inside.empty() || *inside.begin() == "..") {
    fail_usage("{}: its data {} lies outside of the model's folder", what, path.string());
  }
  if (!fs::is_regular_file(path, code)) {
    fail_usage("{}: its data is in {}, which is no file: put it beside the model", what,
               path.string());
  }
  if (length && *length != needed) {
    fail_usage("{}: {} bytes of {}, expected {}", what, *length, path.string(), needed);
  }
  const std::uintmax_t size = fs::file_size(path, code);
  if (code || offset > size || needed > size - offset) {
    fail_usage("{}: bytes {} to {} of {}, which has {}: the file is cut", what, offset,
               offset + needed, path.string(), size);
  }
  std::string bytes(needed, '\0');
  std::ifstream file(path, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(offset));
  if (!file.read(bytes.data(), static_cast<std::streamsize>(needed))) {
    fail_usage("{}: {} cannot be read", what, path.string());
  }
  return bytes;
}

}  // namespace

std::int64_t count_of(const Dims& dims) {
  std::int64_t count = 1;
  for (const std::int64_t extent : dims) {
    if (extent < 0) fail_usage("a tensor with an extent of {}", extent);
    if (extent != 0 && count > kMostElements / extent) {
      fail_usage("a tensor of {}: more than 2^31 values", dims_text(dims));
    }
    count *= extent;
  }
  return count;
}

std::string dims_text(const Dims& dims) {
  return dims.empty() ? "scalar" : fmt::format("{}", fmt::join(dims, "x"));
}

Constant integer_constant(Dims dims, std::vector<std::int64_t> values) {
  Constant made;
  made.dims = std::move(dims);
  made.integer = true;
  made.integers = std::move(values);
  made.type = TensorProto::INT64;
  return made;
}

Constant real_constant(Dims dims, std::vector<float> values) {
  Constant made;
  made.dims = std::move(dims);
  made.reals = std::move(values);
  return made;
}

std::optional<std::pair<std::int64_t, std::int64_t>> integer_limits(int type) {
  switch (type) {
    case TensorProto::INT8:
      return {{-128, 127}};
    case TensorProto::UINT8:
      return {{0, 255}};
    case TensorProto::INT16:
      return {{-32768, 32767}};
    case TensorProto::UINT16:
      return {{0, 65535}};
    case TensorProto::INT32:
      return {{std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()}};
    case TensorProto::UINT32:
      return {{0, std::numeric_limits<std::uint32_t>::max()}};
    case TensorProto::BOOL:
      return {{0, 1}};
    case TensorProto::INT64:
      return {{std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()}};
    default:
      return std::nullopt;
  }
}

Constant read_tensor(const TensorProto& tensor, const fs::path& folder, const std::string& what) {
  const auto* const type =
      std::find_if(kTypes.begin(), kTypes.end(),
                   [&](const ElementType& known) { return known.type == tensor.data_type(); });
  if (type == kTypes.end()) {
    fail_usage("{}: values of type {}, expected real numbers, integers or truth values", what,
               tensor.data_type());
  }
  Constant out;
  out.dims.assign(tensor.dims().begin(), tensor.dims().end());
  out.integer = type->integer;
  out.type = type->type;
  std::int64_t count = 0;
  try {
    count = count_of(out.dims);
  } catch (const Error& error) {
    fail_usage("{}: {}", what, error.what());
  }
  const std::size_t needed =
      static_cast<std::size_t>(count) * static_cast<std::size_t>(type->bytes);
  if (tensor.has_segment()) fail_usage("{}: a tensor in segments is not read", what);
  if (tensor.data_location() == TensorProto::EXTERNAL) {
    read_raw(external_bytes(tensor, folder, needed, what), *type, out);
  } else if (tensor.has_raw_data()) {
    if (tensor.raw_data().size() != needed) {
      fail_usage("{}: {} bytes for extents {}, expected {}: the file is damaged", what,
                 tensor.raw_data().size(), dims_text(out.dims), needed);
    }
    read_raw(tensor.raw_data(), *type, out);
  } else {
    read_typed(tensor, *type, out, what);
  }
  return out;
}

}  // namespace bittern::onnx_io
