// Writes the inputs that the fuzz targets start from: what the program itself writes and the files
// of configs/.
//
//   fuzz_seeds FOLDER     makes FOLDER/<target>/...
#include <onnx/onnx_pb.h>
#include <png.h>
#include <turbojpeg.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "host/base/file.h"
#include "host/cost/lut.h"
#include "host/network/io/safetensors.h"
#include "host/network/network.h"
#include "host/protocol/messages.h"
#include "host/search/checkpoint.h"

namespace {

namespace fs = std::filesystem;
using namespace bittern;

void write_messages(const fs::path& folder) {
  int number = 0;
  const auto add = [&](int kind, const std::vector<std::uint8_t>& payload) {
    std::string text(1, static_cast<char>(kind));
    text.append(payload.begin(), payload.end());
    write_file(folder / std::to_string(number++), text);
  };
  DeviceIdentity identity;
  identity.variant = "bismo_tiny";
  add(0, encode_hello("fuzz"));
  add(1, encode_identity(identity));
  add(2, encode_memory_range({64, 128}));
  add(3, encode_write_address(4096));
  add(4, encode_words({0x30, 0x34}));
  add(5, encode_register_writes({{0x30, 1}}));
  add(6, encode_run({}));
  add(7, encode_run_result({}));
  add(8, encode_trace({}));
  add(9, encode_error({WireError::kFailed, "text"}));
}

void write_tensors(const fs::path& folder) {
  TensorFile file;
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  file.tensors["conv1.weight"] = StoredTensor::from_floats({2, 3}, values);
  file.tensors["conv1.bias"] = StoredTensor::from_floats({1}, std::vector<float>{0.5F});
  file.metadata["network"] = "lenet";
  write_safetensors(folder / "small", file);
}

void write_configs(const fs::path& folder) {
  for (const auto& entry : fs::recursive_directory_iterator(home_folder() / "configs")) {
    if (entry.path().extension() == ".yaml") {
      write_file(folder / entry.path().filename(), read_file(entry.path()));
    }
  }
}

/// A chain of the operations that most models have.
void write_models(const fs::path& folder) {
  onnx::ModelProto model;
  model.set_ir_version(7);
  model.add_opset_import()->set_version(13);
  onnx::GraphProto& graph = *model.mutable_graph();
  onnx::ValueInfoProto& image = *graph.add_input();
  image.set_name("x");
  auto& type = *image.mutable_type()->mutable_tensor_type();
  type.set_elem_type(onnx::TensorProto::FLOAT);
  for (const int extent : {1, 2, 4, 4}) type.mutable_shape()->add_dim()->set_dim_value(extent);
  const auto constant = [&graph](const std::string& name, const std::vector<std::int64_t>& dims) {
    onnx::TensorProto& tensor = *graph.add_initializer();
    tensor.set_name(name);
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    std::int64_t count = 1;
    for (const std::int64_t extent : dims) {
      tensor.add_dims(extent);
      count *= extent;
    }
    for (std::int64_t i = 0; i < count; ++i) tensor.add_float_data(0.5F);
  };
  std::string at = "x";
  const auto node = [&](const std::string& op, const std::vector<std::string>& others,
                        const std::string& domain = "") {
    onnx::NodeProto& made = *graph.add_node();
    made.set_op_type(op);
    made.set_domain(domain);
    made.add_input(at);
    for (const std::string& other : others) made.add_input(other);
    at = op + std::to_string(graph.node_size());
    made.add_output(at);
    return &made;
  };
  constant("w", {3, 2, 1, 1});
  constant("c", {3});
  constant("s", {});
  constant("b", {});
  graph.mutable_initializer(3)->set_float_data(0, 4.0F);
  constant("m", {12, 2});
  node("Quant", {"s", "s", "b"}, "qonnx.custom_op.general");
  node("Conv", {"w", "c"});
  node("BatchNormalization", {"c", "c", "c", "c"});
  node("Relu", {});
  auto* const pool = node("MaxPool", {});
  auto& kernel = *pool->add_attribute();
  kernel.set_name("kernel_shape");
  kernel.set_type(onnx::AttributeProto::INTS);
  kernel.add_ints(3);
  kernel.add_ints(3);
  node("Mul", {"s"});
  node("Flatten", {});
  node("MatMul", {"m"});
  graph.add_output()->set_name(at);
  write_file(folder / "chain", model.SerializeAsString());
}

std::string idx_header(std::uint8_t dimensions) {
  std::string text = {0, 0, 8, static_cast<char>(dimensions)};
  for (int i = 0; i < dimensions; ++i) text += std::string("\0\0\0\2", 4);
  return text + std::string(std::size_t{1} << dimensions, 'x');
}

/// A tar archive with one file of eight bytes.
std::string small_tar() {
  std::string header(512, '\0');
  header.replace(0, 5, "a.png");
  header.replace(124, 11, "00000000010");
  header[156] = '0';
  header.replace(257, 5, "ustar");
  header.replace(148, 8, std::string(8, ' '));
  unsigned sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  char text[8];
  std::snprintf(text, sizeof text, "%06o", sum);
  header.replace(148, 7, std::string(text) + '\0');
  return header + std::string(512, 'x') + std::string(1024, '\0');
}

void write_images(const fs::path& folder) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = image.height = 3;
  image.format = PNG_FORMAT_RGB;
  const std::string pixels(27, 'p');
  std::string png(1000, '\0');
  png_alloc_size_t png_bytes = png.size();
  png_image_write_to_memory(&image, png.data(), &png_bytes, 0, pixels.data(), 0, nullptr);
  write_file(folder / "png", png.substr(0, png_bytes));
  const tjhandle encoder = tjInitCompress();
  unsigned char* jpeg = nullptr;
  unsigned long jpeg_bytes = 0;
  tjCompress2(encoder, reinterpret_cast<const unsigned char*>(pixels.data()), 3, 0, 3, TJPF_RGB,
              &jpeg, &jpeg_bytes, TJSAMP_420, 90, 0);
  write_file(folder / "jpeg", {reinterpret_cast<char*>(jpeg), jpeg_bytes});
  tjFree(jpeg);
  tjDestroy(encoder);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fuzz_seeds FOLDER\n");
    return 2;
  }
  const fs::path folder = argv[1];
  write_configs(folder / "yaml");
  write_configs(folder / "config");
  const Network network = load_network("lenet");
  save_policy(folder / "policy" / "uniform", network, uniform_policy(network, {4, 6}));
  LutRow row;
  row.variant = "bismo_tiny";
  row.layer = network.layers[0].name;
  row.shape = network.layers[0].key();
  row.cycles = 100;
  row.latency_s = 1e-6;
  save_lut(folder / "lut" / "row", {row});
  write_tensors(folder / "safetensors");
  Checkpoint checkpoint;
  checkpoint.state = {{"episode", 3}, {"best", {{"reward", 0.5}}}};
  checkpoint.arrays["actor"] = {1.0F, 2.0F};
  write_checkpoint(folder / "checkpoint" / "small", checkpoint);
  write_messages(folder / "messages");
  write_models(folder / "onnx");
  write_file(folder / "idx" / "labels", idx_header(1));
  write_file(folder / "idx" / "images", idx_header(3));
  write_file(folder / "tar" / "one", small_tar());
  write_file(folder / "label_list" / "files", "# file class\na.png 0\nb c.png 7\n");
  write_file(folder / "label_list" / "classes", "0 n01 tench\n1 n02 goldfish\n");
  const std::string dictionary = "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 1), }\n";
  write_file(folder / "npy" / "array", std::string("\x93NUMPY\1\0", 8) +
                                           static_cast<char>(dictionary.size()) + '\0' +
                                           dictionary + "abcd");
  write_images(folder / "image");
}
