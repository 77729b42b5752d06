#include "host/network/io/onnx/import.h"

#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <onnx/onnx_pb.h>

#include <cctype>
#include <limits>
#include <memory>
#include <system_error>
#include <utility>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/text.h"
#include "host/network/io/onnx/importer.h"
#include "host/network/io/onnx/op_table.h"
#include "host/network/io/safetensors.h"

namespace bittern {
namespace {

/// A file's name as that of a network.
std::string network_name(const std::filesystem::path& path) {
  std::string name;
  for (const char c : path.stem().string()) {
    const bool plain =
        std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '.';
    name += plain ? c : '_';
  }
  constexpr std::size_t kMost = 100;
  if (name.size() > kMost) name.resize(kMost);
  if (name.empty() || name[0] == '-' || name[0] == '.') name.insert(0, "network_");
  return name;
}

}  // namespace

OnnxNetwork parse_onnx(std::string_view content, const std::string& file,
                       const std::filesystem::path& folder, const OnnxOptions& options) {
  constexpr std::size_t kMostBytes = std::numeric_limits<std::int32_t>::max();
  if (content.size() > kMostBytes) {
    fail_usage("{}: {} bytes, more than 2 GiB: store its tensors beside it (external data)", file,
               content.size());
  }
  google::protobuf::io::ArrayInputStream bytes(content.data(), static_cast<int>(content.size()));
  google::protobuf::io::CodedInputStream stream(&bytes);
  onnx::ModelProto model;
  if (!model.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage()) {
    fail_usage("{}: no ONNX model, or cut", file);
  }
  return onnx_io::Importer(file, folder, options).import(model);
}

OnnxNetwork read_onnx(const std::filesystem::path& path, const OnnxOptions& options) {
  std::error_code code;
  if (!std::filesystem::is_regular_file(path, code)) {
    fail_usage("{}: {}", path.string(),
               std::filesystem::exists(path, code) ? "not a file" : "no such file");
  }
  return parse_onnx(read_file(path), path.string(), path.parent_path(), options);
}

Network import_onnx(const std::filesystem::path& path, const OnnxOptions& options) {
  OnnxNetwork read = read_onnx(path, options);
  Network network;
  network.name = network_name(path);
  network.description = "imported from " + printable(path.filename().string());
  network.graph = std::move(read.graph);
  network.notes = std::move(read.notes);
  network.layers = layers(network.graph);
  TensorFile tensors;
  for (const auto& [name, tensor] : read.weights) {
    tensors.tensors[name] = StoredTensor::from_floats(tensor.shape, tensor.values);
  }
  tensors.metadata["network"] = network.name;
  network.tensors = std::make_shared<const TensorFile>(std::move(tensors));
  if (network.layers.empty()) {
    fail_usage("{}: it has no layer that can be quantised (Conv, Gemm, MatMul)", path.string());
  }
  return network;
}

std::vector<OnnxOpInfo> supported_onnx_ops() {
  std::vector<OnnxOpInfo> infos;
  for (const onnx_io::OnnxOp& op : onnx_io::all_onnx_ops()) {
    infos.push_back({op.domain, op.name, op.text});
  }
  return infos;
}

}  // namespace bittern
