#include "agent/data/svhn.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <matio.h>

#include "host/base/file.h"
#include "host/base/temporary_folder.h"
#include "tests/agent/data/image_writer.h"

namespace bittern {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

constexpr std::size_t kPixels = 3 * 32 * 32;

/// Pixel of image i in the tests' files.
std::uint8_t pixel(std::size_t i, std::size_t channel, std::size_t row, std::size_t column) {
  return static_cast<std::uint8_t>(i * 101 + channel * 57 + row * 7 + column);
}

void write_mat(const fs::path& path, std::size_t images, std::vector<double> labels,
               matio_compression compression = MAT_COMPRESSION_ZLIB) {
  mat_t* const file = ::Mat_CreateVer(path.c_str(), nullptr, MAT_FT_MAT5);
  ASSERT_NE(file, nullptr);
  std::vector<std::uint8_t> values;
  for (std::size_t i = 0; i < images; ++i) {
    for (std::size_t c = 0; c < 3; ++c) {
      for (std::size_t column = 0; column < 32; ++column) {
        for (std::size_t row = 0; row < 32; ++row) values.push_back(pixel(i, c, row, column));
      }
    }
  }
  std::size_t shape[4] = {32, 32, 3, images};
  matvar_t* const x = ::Mat_VarCreate("X", MAT_C_UINT8, MAT_T_UINT8, 4, shape, values.data(), 0);
  ASSERT_EQ(::Mat_VarWrite(file, x, compression), 0);
  ::Mat_VarFree(x);
  std::size_t column[2] = {labels.size(), 1};
  matvar_t* const y = ::Mat_VarCreate("y", MAT_C_DOUBLE, MAT_T_DOUBLE, 2, column, labels.data(), 0);
  ASSERT_EQ(::Mat_VarWrite(file, y, compression), 0);
  ::Mat_VarFree(y);
  ::Mat_Close(file);
}

class Svhn : public ::testing::Test {
 protected:
  Svhn() {
    options_.name = "svhn";
    options_.folder = folder_.path().string();
  }
  const TemporaryFolder folder_;
  DataOptions options_;
};

TEST_F(Svhn, MatlabFilesHaveColumnsAndLabelTenForZero) {
  for (const auto compression : {MAT_COMPRESSION_NONE, MAT_COMPRESSION_ZLIB}) {
    write_mat(folder_ / "test_32x32.mat", 3, {1, 10, 9}, compression);
    const Dataset data = load_test_data(options_);
    EXPECT_THAT(data.labels, ElementsAre(1, 0, 9));
    EXPECT_EQ(data.channels, 3);
    for (const std::size_t i : {0U, 2U}) {
      const Bytes image = data.image(static_cast<int>(i));
      for (std::size_t c = 0; c < 3; ++c) {
        EXPECT_EQ(image[c * 1024 + 5 * 32 + 17], pixel(i, c, 5, 17));
        EXPECT_EQ(image[c * 1024 + 31 * 32], pixel(i, c, 31, 0));
      }
    }
    EXPECT_EQ(outline_data(options_).test, 3);
    fs::remove(folder_ / "test_32x32.mat");
  }
}

TEST_F(Svhn, BinaryFilesAreRecordsAndTestImagesAreCutWhereThereAreNone) {
  std::string records;
  for (int i = 0; i < 30; ++i) {
    records +=
        std::string(1, static_cast<char>(i % 10)) + std::string(kPixels, static_cast<char>(i));
  }
  write_file(folder_ / "svhn_train_a.bin", records.substr(0, 20 * (kPixels + 1)));
  write_file(folder_ / "svhn_train_b.bin", records.substr(20 * (kPixels + 1)));
  const DataSplits data = load_data(options_);
  EXPECT_EQ(data.test.size(), 3);
  EXPECT_EQ(data.validation.size(), 2);
  EXPECT_EQ(data.train.size(), 25);
  const DataOutline outline = outline_data(options_);
  EXPECT_EQ(outline.train, 25);
  EXPECT_EQ(outline.test, 3);
  EXPECT_EQ(content_hash(load_test_data(options_)), content_hash(data.test));
}

TEST_F(Svhn, WhatIsWrongIsNamedWithTheFile) {
  const auto fault = [this] { return message_of([this] { load_data(options_); }); };
  write_mat(folder_ / "test_32x32.mat", 3, {1, 11, 9});
  EXPECT_THAT(fault(), AllOf(HasSubstr("test_32x32.mat"), HasSubstr("label 1 is 11")));
  write_mat(folder_ / "test_32x32.mat", 3, {1, 2});
  EXPECT_THAT(fault(), HasSubstr("X has 3 images but y has 2 labels"));
  EXPECT_THAT(message_of([this] { outline_data(options_); }), HasSubstr("2 labels"));
  write_mat(folder_ / "test_32x32.mat", 3, {1, 2, 3});
  const std::string whole = read_file(folder_ / "test_32x32.mat");
  for (const std::size_t size : {std::size_t{100}, whole.size() / 3}) {
    write_file(folder_ / "test_32x32.mat", whole.substr(0, size));
    EXPECT_THAT(fault(), HasSubstr("test_32x32.mat")) << size;
  }
  write_file(folder_ / "test_32x32.mat", "no such file");
  EXPECT_THAT(fault(), HasSubstr("no MATLAB file"));
}

}  // namespace
}  // namespace bittern
