#include "host/network/io/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/random.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

/// Bytes of a file with this header and `data_bytes` zero bytes of data.
std::string file_with(const std::string& header, std::size_t data_bytes) {
  std::string content;
  for (int i = 0; i < 8; ++i) content.push_back(static_cast<char>(header.size() >> (8 * i)));
  return content + header + std::string(data_bytes, '\0');
}

std::string error_of(const std::string& content) {
  try {
    parse_safetensors(content, "weights");
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("weights: "));
    return error.what();
  }
  ADD_FAILURE() << "no error was thrown";
  return "";
}

TensorFile random_file(std::uint64_t seed) {
  Rng rng(seed);
  TensorFile file;
  const int count = static_cast<int>(rng.integer(0, 5));
  for (int i = 0; i < count; ++i) {
    StoredTensor tensor;
    tensor.type = static_cast<TensorType>(rng.integer(0, 9));
    std::size_t bytes = tensor_type_bytes(tensor.type);
    for (std::int64_t d = rng.integer(0, 4); d > 0; --d) {
      tensor.shape.push_back(rng.integer(0, 5));
      bytes *= static_cast<std::size_t>(tensor.shape.back());
    }
    for (std::size_t b = 0; b < bytes; ++b) {
      tensor.data.push_back(static_cast<std::uint8_t>(rng.next()));
    }
    file.tensors["tensor \"" + std::to_string(i) + "\""] = tensor;
  }
  if (rng.uniform() < 0.5) file.metadata["note"] = "quotes \" and \n lines";
  return file;
}

TEST(Safetensors, WhatIsWrittenIsReadBack) {
  const fs::path path = fs::path(::testing::TempDir()) / "bittern_roundtrip.safetensors";
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const TensorFile file = random_file(seed);
    write_safetensors(path, file);
    const TensorFile back = read_safetensors(path);
    EXPECT_EQ(back.metadata, file.metadata);
    ASSERT_EQ(back.tensors.size(), file.tensors.size());
    for (const auto& [name, tensor] : file.tensors) {
      EXPECT_EQ(back.tensors.at(name).type, tensor.type);
      EXPECT_EQ(back.tensors.at(name).shape, tensor.shape);
      EXPECT_EQ(back.tensors.at(name).data, tensor.data);
    }
    EXPECT_EQ(content_hash(back), content_hash(file));
  }
  fs::remove(path);
}

TEST(Safetensors, EveryCutOfAFileIsAnError) {
  const fs::path path = fs::path(::testing::TempDir()) / "bittern_cut.safetensors";
  TensorFile file;
  file.tensors["w"] = StoredTensor::from_floats({2, 3}, std::vector<float>(6, 1.5f));
  file.metadata["seed"] = "1";
  write_safetensors(path, file);
  const std::string content = read_file(path);
  for (std::size_t size = 0; size < content.size(); ++size) error_of(content.substr(0, size));
  fs::remove(path);
}

TEST(Safetensors, RandomlyDamagedFilesNeverCrash) {
  const fs::path path = fs::path(::testing::TempDir()) / "bittern_damaged.safetensors";
  TensorFile file;
  file.tensors["first"] = StoredTensor::from_floats({2, 3}, std::vector<float>(6, 1.5f));
  file.tensors["second"] = StoredTensor::from_floats({4}, std::vector<float>(4, 2.0f));
  write_safetensors(path, file);
  const std::string content = read_file(path);
  fs::remove(path);
  Rng rng(5);
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string damaged = content;
    const auto place = static_cast<std::size_t>(
        rng.integer(0, static_cast<std::int64_t>(content.size() - 41)));  // header and its length
    damaged[place] = static_cast<char>(rng.next());
    try {
      parse_safetensors(damaged, "weights");
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 1500);  // what passes has changed a name or blank, or nothing
}

TEST(Safetensors, NoticesEveryChangedBitOfTensorsAndMetadata) {
  const fs::path path = fs::path(::testing::TempDir()) / "bittern_flipped.safetensors";
  TensorFile file;
  file.tensors["w"] = StoredTensor::from_floats({3}, std::vector<float>{1, 2, 3});
  file.metadata["accuracy"] = "98.25";
  write_safetensors(path, file);
  const std::string whole = read_file(path);
  EXPECT_EQ(content_hash(parse_safetensors(whole, "x")), content_hash(file));
  int noticed = 0;
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = whole;
      changed[i] = static_cast<char>(changed[i] ^ (1 << bit));
      try {
        const TensorFile back = parse_safetensors(changed, "x");
        // Only the key of the digest itself can be lost, which makes it a file of another program.
        EXPECT_EQ(content_hash(back), content_hash(file)) << i;
        EXPECT_TRUE(back.metadata.size() == 2 || back.metadata == file.metadata) << i;
      } catch (const Error&) {
        ++noticed;
      }
    }
  }
  EXPECT_GT(noticed, static_cast<int>(7 * whole.size()));
  fs::remove(path);
}

TEST(Safetensors, HeaderLongerThanTheFileIsRefused) {
  EXPECT_THAT(error_of(std::string(8, '\xff') + "{}"), HasSubstr("does not fit"));
  EXPECT_THAT(error_of("abc"), HasSubstr("too few"));
}

TEST(Safetensors, HeaderMustBeAJsonObject) {
  EXPECT_THAT(error_of(file_with("{\"a\":", 0)), HasSubstr("JSON"));
  EXPECT_THAT(error_of(file_with("[1]", 0)), HasSubstr("no JSON object"));
  EXPECT_THAT(error_of(file_with(R"({"a":1})", 0)), HasSubstr("tensor 'a'"));
  EXPECT_THAT(error_of(file_with(std::string(100000, '['), 0)), HasSubstr("nested deeper"));
}

TEST(Safetensors, NamesMayOccurOnce) {
  const std::string tensor = R"({"dtype":"U8","shape":[],"data_offsets":[0,1]})";
  EXPECT_THAT(error_of(file_with(R"({"a":)" + tensor + R"(,"a":)" + tensor + "}", 1)),
              HasSubstr("twice"));
}

TEST(Safetensors, UnknownTypeIsNamed) {
  EXPECT_THAT(
      error_of(file_with(R"({"a":{"dtype":"F8_E5M2","shape":[1],"data_offsets":[0,1]}})", 1)),
      HasSubstr("F8_E5M2"));
}

TEST(Safetensors, OffsetsMustFitTheShape) {
  for (const char* offsets : {"[0,5]", "[4,0]", "[0,18446744073709551615]", "[-1,3]", "[0]", "3"}) {
    EXPECT_THAT(
        error_of(file_with(
            std::string(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":)") + offsets + "}}", 4)),
        HasSubstr("data_offsets"))
        << offsets;
  }
}

TEST(Safetensors, ShapesThatOverflowAreRefused) {
  for (const char* shape : {"[4294967296,4294967296]", "[18446744073709551615]",
                            "[1099511627776,2]", "[1.5]", "[-1]"}) {
    EXPECT_THAT(error_of(file_with(std::string(R"({"a":{"dtype":"U8","shape":)") + shape +
                                       R"(,"data_offsets":[0,0]}})",
                                   0)),
                HasSubstr("shape"))
        << shape;
  }
}

TEST(Safetensors, OverlapsAndGapsAreRefused) {
  const auto two = [](const char* first, const char* second) {
    return file_with(fmt::format(R"({{"a":{{"dtype":"U8","shape":[2],"data_offsets":{}}},)"
                                 R"("b":{{"dtype":"U8","shape":[2],"data_offsets":{}}}}})",
                                 first, second),
                     4);
  };
  EXPECT_EQ(parse_safetensors(two("[2,4]", "[0,2]"), "weights").tensors.size(), 2u);
  EXPECT_THAT(error_of(two("[0,2]", "[1,3]")), HasSubstr("without gap or overlap"));
  EXPECT_THAT(error_of(two("[0,2]", "[3,5]")), HasSubstr("without gap or overlap"));
  EXPECT_THAT(error_of(two("[0,2]", "[0,2]")), HasSubstr("without gap or overlap"));
}

TEST(Safetensors, BytesAfterTheLastTensorAreRefused) {
  EXPECT_THAT(error_of(file_with(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 2)),
              HasSubstr("1 bytes follow"));
}

TEST(Safetensors, MetadataMustBeStrings) {
  EXPECT_THAT(error_of(file_with(R"({"__metadata__":{"epoch":3}})", 0)), HasSubstr("epoch"));
}

TEST(StoredTensor, HalfPrecisionIsConvertedExactly) {
  StoredTensor tensor;
  tensor.shape = {6};
  tensor.type = TensorType::kF16;
  // 1, -2, 2^-24 (the least), 65504 (the greatest), infinity, 2^-14 (the least normal)
  for (const int word : {0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0x0400}) {
    tensor.data.push_back(static_cast<std::uint8_t>(word & 255));
    tensor.data.push_back(static_cast<std::uint8_t>(word >> 8));
  }
  EXPECT_THAT(tensor.to_floats(),
              ::testing::ElementsAre(1.0f, -2.0f, 0x1p-24f, 65504.0f,
                                     std::numeric_limits<float>::infinity(), 0x1p-14f));
  tensor.type = TensorType::kBf16;
  tensor.data = {0x80, 0x3f, 0x49, 0xc0, 0, 0, 0, 0, 0, 0, 0, 0};
  EXPECT_FLOAT_EQ(tensor.to_floats()[0], 1.0f);
  EXPECT_FLOAT_EQ(tensor.to_floats()[1], -3.140625f);
  tensor.type = TensorType::kI16;
  EXPECT_THROW(tensor.to_floats(), Error);
}

TEST(TensorFile, MissingTensorIsNamedWithWhatThereIs) {
  TensorFile file;
  file.tensors["conv1.weight"] = StoredTensor::from_floats({1}, std::vector<float>{1});
  try {
    file.at("conv9.weight", "x.safetensors");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("conv9.weight"));
    EXPECT_THAT(error.what(), HasSubstr("conv1.weight"));
  }
  EXPECT_THROW(StoredTensor::from_floats({2}, std::vector<float>{1}), Error);
}

}  // namespace
}  // namespace bittern
