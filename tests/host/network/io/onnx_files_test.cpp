// Cut and damaged ONNX files, and data beside them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/random.h"
#include "host/base/temporary_folder.h"
#include "host/network/io/onnx/import.h"
#include "tests/host/network/io/onnx_builder.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;

TEST(OnnxFiles, RefusesWhatIsNoModel) {
  for (const std::string content : {"", "text", "\x08\x07", "\xff\xff\xff\xff"}) {
    EXPECT_THROW(parse_onnx(content, "m.onnx", ""), Error) << content;
  }
  EXPECT_THROW(read_onnx("/nonexistent/m.onnx"), Error);
}

TEST(OnnxFiles, EveryCutOfAModelIsAnError) {
  OnnxBuilder m;
  m.then("Conv", {m.constant("w", {3, 2, 1, 1})}).then("Relu");
  m.read();
  const std::string content = m.model().SerializeAsString();
  for (std::size_t size = 0; size < content.size(); ++size) {
    try {
      parse_onnx(content.substr(0, size), "m.onnx", "");
    } catch (const Error&) {
      continue;
    }
    ADD_FAILURE() << "cut at " << size << " of " << content.size();
  }
}

TEST(OnnxFiles, DamagedModelsAreReadOrRefused) {
  OnnxBuilder m;
  const std::string c = m.constant("c", {3});
  m.then("Conv", {m.constant("w", {3, 2, 1, 1})}).then("BatchNormalization", {c, c, c, c});
  m.then("Relu").then("MaxPool").with("kernel_shape", std::vector<std::int64_t>{2, 2});
  m.then("Pad", {m.integers("p", {0, 0, 1, 0, 0, 0, 0, 1})}).then("Flatten");
  m.then("MatMul", {m.constant("f", {48, 2})});
  m.read();
  const std::string content = m.model().SerializeAsString();
  Rng rng(9);
  int read = 0;
  for (int round = 0; round < 4000; ++round) {
    std::string damaged = content;
    for (std::int64_t i = rng.integer(1, 4); i > 0; --i) {
      const auto place =
          static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(damaged.size()) - 1));
      damaged[place] = static_cast<char>(rng.integer(0, 255));
    }
    try {
      parse_onnx(damaged, "m.onnx", "/nonexistent");
      ++read;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("m.onnx"));
    }
  }
  EXPECT_GT(read, 0);
  EXPECT_LT(read, 4000);
}

TEST(OnnxFiles, ReadsDataBesideTheModelAndRefusesLinksThatLeadOut) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "model");
  const std::vector<float> values = {0.5F, -2.0F};
  const std::string bytes(reinterpret_cast<const char*>(values.data()), 8);
  OnnxBuilder m;
  m.then("Conv", {m.constant("w", {3, 2, 1, 1})}).then("Mul", {m.constant("c", {1})});
  auto& tensor = *m.graph().mutable_initializer(1);
  tensor.clear_float_data();
  tensor.set_data_location(onnx::TensorProto::EXTERNAL);
  const auto add = [&tensor](const std::string& key, const std::string& value) {
    auto& entry = *tensor.add_external_data();
    entry.set_key(key);
    entry.set_value(value);
  };
  add("location", "data.bin");
  add("offset", "4");
  add("length", "4");
  const std::filesystem::path home = folder / "model";
  EXPECT_THAT(m.error({}, home), HasSubstr("put it beside the model"));
  write_file(home / "data.bin", bytes.substr(0, 6));
  EXPECT_THAT(m.error({}, home), HasSubstr("the file is cut"));
  write_file(home / "data.bin", bytes);
  const OnnxNetwork read = m.read({}, home);
  EXPECT_EQ(read.weights.at(read.graph.nodes[1].name + ".weight").values[0], -2.0F);
  std::filesystem::remove(home / "data.bin");
  write_file(folder / "secret", bytes);
  std::filesystem::create_symlink(folder / "secret", home / "data.bin");
  EXPECT_THAT(m.error({}, home), HasSubstr("outside of the model's folder"));
}

}  // namespace
}  // namespace bittern
