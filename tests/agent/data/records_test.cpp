#include "agent/data/records.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <lzma.h>
#include <zlib.h>

#include <string>
#include <vector>

#include "agent/data/packed_file.h"
#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/temporary_folder.h"
#include "tests/host/base/message_of.h"

namespace bittern {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int kPlane = 32 * 32;

/// A record whose planes have the values label, label + 100 and label + 200 everywhere but for the
/// first pixel, which has `mark`.
std::string record(int label, int mark) {
  std::string text(1, static_cast<char>(label));
  for (int plane = 0; plane < 3; ++plane) {
    text += std::string(1, static_cast<char>(mark));
    text += std::string(kPlane - 1, static_cast<char>(label + 100 * plane));
  }
  return text;
}

std::string batch(int images, int mark) {
  std::string text;
  for (int i = 0; i < images; ++i) text += record(i % 10, mark + i);
  return text;
}

std::string packed_gz(const std::string& text, const std::filesystem::path& scratch) {
  const gzFile file = ::gzopen(scratch.c_str(), "wb");
  ::gzwrite(file, text.data(), static_cast<unsigned>(text.size()));
  ::gzclose(file);
  return read_file(scratch);
}

std::string packed_xz(const std::string& text) {
  std::string packed(text.size() + 1000, '\0');
  std::size_t size = 0;
  EXPECT_EQ(::lzma_easy_buffer_encode(
                6, LZMA_CHECK_CRC64, nullptr, reinterpret_cast<const std::uint8_t*>(text.data()),
                text.size(), reinterpret_cast<std::uint8_t*>(packed.data()), &size, packed.size()),
            LZMA_OK);
  packed.resize(size);
  return packed;
}

class Cifar : public ::testing::Test {
 protected:
  void write_all() {
    for (int i = 1; i <= 5; ++i) {
      const std::string name = "data_batch_" + std::to_string(i) + ".bin";
      const std::string text = batch(20, 10 * i);
      // One of each kind.
      if (i == 2) {
        write_file(folder_ / (name + ".gz"), packed_gz(text, folder_ / "scratch"));
      } else if (i == 3) {
        write_file(folder_ / (name + ".xz"), packed_xz(text));
      } else {
        write_file(folder_ / name, text);
      }
    }
    write_file(folder_ / "test_batch.bin", batch(30, 100));
  }
  DataRequest request(const std::string& name) const {
    return {data_set(name), folder_.path(), options_};
  }
  const TemporaryFolder folder_;
  const DataOptions options_{};
};

TEST_F(Cifar, BatchesArePlainOrPacked) {
  write_all();
  const DataParts data = load_cifar10(request("cifar10"));
  EXPECT_EQ(data.train.size(), 100);
  EXPECT_EQ(data.test.size(), 30);
  EXPECT_EQ(data.train.channels, 3);
  EXPECT_EQ(data.train.height, 32);
  EXPECT_EQ(data.train.width, 32);
  EXPECT_EQ(data.train.classes, 10);
  for (const int i : {0, 25, 47, 99}) {
    const Bytes image = data.train.image(i);
    const int label = i % 20 % 10;
    EXPECT_EQ(data.train.labels[static_cast<std::size_t>(i)], label);
    EXPECT_EQ(image[0], 10 * (i / 20 + 1) + i % 20);
    EXPECT_EQ(image[1], label);
    EXPECT_EQ(image[kPlane + 1], label + 100);
    EXPECT_EQ(image[3 * kPlane - 1], label + 200);
  }
  EXPECT_EQ(outline_cifar10(request("cifar10")).train, 100);
  EXPECT_EQ(outline_cifar10(request("cifar10")).test, 30);
}

TEST_F(Cifar, IsADataSetThatIsSplit) {
  write_all();
  DataOptions options;
  options.name = "cifar10";
  options.folder = folder_.path().string();
  options.validation_images = 15;
  const DataSplits splits = load_data(options);
  EXPECT_EQ(splits.train.size(), 85);
  EXPECT_EQ(splits.validation.size(), 15);
  EXPECT_EQ(splits.test.size(), 30);
  const DataOutline outline = outline_data(options);
  EXPECT_EQ(outline.channels, 3);
  EXPECT_EQ(outline.height, 32);
  EXPECT_EQ(outline.train, 85);
  EXPECT_EQ(outline.test, 30);
}

TEST_F(Cifar, WhatIsWrongIsNamedWithTheFile) {
  write_all();
  const auto fault = [&](const std::string& content) {
    write_file(folder_ / "data_batch_4.bin", content);
    return message_of([&] { load_cifar10(request("cifar10")); });
  };
  EXPECT_THAT(fault(batch(3, 0).substr(1)),
              AllOf(HasSubstr("data_batch_4.bin"), HasSubstr("9218 bytes, expected whole records "
                                                             "of 3073 bytes")));
  EXPECT_THAT(message_of([&] { outline_cifar10(request("cifar10")); }), HasSubstr("9218 bytes"));
  EXPECT_THAT(fault(""), HasSubstr("0 bytes"));
  EXPECT_THAT(fault(std::string(10001 * 3073, '\0')), HasSubstr("more than the 30730000"));
  EXPECT_THAT(message_of([&] { outline_cifar10(request("cifar10")); }), HasSubstr("1 to 10000"));
  EXPECT_THAT(fault(record(3, 0) + record(10, 0)), HasSubstr("label 1 is 10, expected 0..9"));
  const std::string xz = packed_xz(batch(20, 0));
  EXPECT_THAT(fault(xz.substr(0, xz.size() / 2)), HasSubstr("damaged (cut off)"));
  std::string flipped = xz;
  flipped[flipped.size() / 2] ^= 1;
  EXPECT_THAT(fault(flipped), HasSubstr("damaged"));
  EXPECT_THAT(fault(xz + "x"), HasSubstr("damaged"));
  const std::string gz = packed_gz(batch(20, 0), folder_ / "scratch");
  EXPECT_THAT(fault(gz.substr(0, gz.size() / 2)), HasSubstr("damaged (cut off)"));
  EXPECT_THAT(fault(gz + "x"), HasSubstr("damaged (bytes behind its end)"));
  // Much out of little.
  EXPECT_THAT(fault(packed_xz(std::string(std::size_t{64} << 20, '\0'))), HasSubstr("more than"));
  std::filesystem::remove(folder_ / "data_batch_4.bin");
  EXPECT_THAT(
      message_of([&] { load_cifar10(request("cifar10")); }),
      HasSubstr("neither data_batch_4.bin nor data_batch_4.bin.gz nor data_batch_4.bin.xz"));
}

TEST_F(Cifar, HundredClassesHaveTwoLabelsOfWhichTheFineOneCounts) {
  const auto two = [](int coarse, int fine) {
    return std::string(1, static_cast<char>(coarse)) + record(fine, 0);
  };
  write_file(folder_ / "train.bin", two(3, 77) + two(4, 99) + two(5, 0));
  write_file(folder_ / "test.bin.xz", packed_xz(two(1, 42)));
  const DataParts data = load_cifar100(request("cifar100"));
  EXPECT_EQ(data.train.labels, (std::vector<std::int32_t>{77, 99, 0}));
  EXPECT_EQ(data.test.labels, (std::vector<std::int32_t>{42}));
  EXPECT_EQ(data.train.classes, 100);
  EXPECT_EQ(data.train.image(1)[1], 99);
  EXPECT_EQ(outline_cifar100(request("cifar100")).train, 3);
  EXPECT_EQ(outline_cifar100(request("cifar100")).test, 1);
  write_file(folder_ / "train.bin", two(3, 100));
  EXPECT_THAT(message_of([&] { load_cifar100(request("cifar100")); }),
              AllOf(HasSubstr("train.bin"), HasSubstr("label 0 is 100, expected 0..99")));
}

TEST_F(Cifar, TestImagesAloneDoNotNeedTheOthers) {
  write_file(folder_ / "test_batch.bin", batch(30, 100));
  DataOptions options;
  options.name = "cifar10";
  options.folder = folder_.path().string();
  EXPECT_EQ(load_test_data(options).size(), 30);
  EXPECT_THROW(load_data(options), Error);
}

TEST_F(Cifar, TheSizeOfAPackedFileIsToldByItsEnd) {
  const std::string text = batch(20, 0);
  write_file(folder_ / "plain", text);
  write_file(folder_ / "xz", packed_xz(text));
  write_file(folder_ / "gz", packed_gz(text, folder_ / "scratch"));
  for (const char* name : {"plain", "xz", "gz"}) {
    EXPECT_EQ(unpacked_size(folder_ / name), text.size()) << name;
  }
  const std::string xz = packed_xz(text);
  write_file(folder_ / "xz", xz.substr(0, xz.size() - 5));
  EXPECT_THAT(message_of([&] { unpacked_size(folder_ / "xz"); }), HasSubstr("its end is missing"));
}

TEST_F(Cifar, PackedFilesAreReadInAnyPieces) {
  const std::string text = batch(20, 0);
  write_file(folder_ / "xz", packed_xz(text));
  write_file(folder_ / "gz", packed_gz(text, folder_ / "scratch"));
  for (const char* name : {"xz", "gz"}) {
    for (const std::size_t piece : {1U, 7U, 65536U, 1U << 20}) {
      PackedReader reader(folder_ / name);
      EXPECT_TRUE(reader.compressed());
      std::string found;
      std::vector<std::uint8_t> bytes(piece);
      for (std::size_t got = piece; got == piece;) {
        got = reader.read(bytes.data(), piece);
        found.append(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(got));
      }
      EXPECT_TRUE(found == text) << name << " in pieces of " << piece;
    }
  }
}

}  // namespace
}  // namespace bittern
