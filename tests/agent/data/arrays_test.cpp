#include "agent/data/arrays.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include "agent/data/npy.h"
#include "agent/data/zip.h"
#include "host/base/file.h"
#include "host/base/temporary_folder.h"
#include "tests/agent/data/image_writer.h"

namespace bittern {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string npy(const std::string& dictionary, const std::string& values, char version = 1) {
  std::string header = dictionary + "\n";
  std::string file = std::string("\x93NUMPY", 6) + version + '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) {
    file += static_cast<char>(header.size() >> (8 * i));
  }
  return file + header + values;
}

std::string array(const std::string& type, const std::string& shape, const std::string& values) {
  return npy("{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }", values);
}

std::string little(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i, value >>= 8) text += static_cast<char>(value);
  return text;
}

/// A zip archive, its members stored or deflated.
std::string zip(const std::vector<std::pair<std::string, std::string>>& files, bool deflated) {
  std::string archive;
  std::string entries;
  for (const auto& [name, content] : files) {
    std::string packed = content;
    if (deflated) {
      z_stream stream{};
      EXPECT_EQ(::deflateInit2(&stream, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY), Z_OK);
      packed.assign(::deflateBound(&stream, content.size()), '\0');
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
      stream.avail_in = static_cast<uInt>(content.size());
      stream.next_out = reinterpret_cast<Bytef*>(packed.data());
      stream.avail_out = static_cast<uInt>(packed.size());
      EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
      packed.resize(stream.total_out);
      ::deflateEnd(&stream);
    }
    const auto crc = ::crc32(0, reinterpret_cast<const Bytef*>(content.data()),
                             static_cast<uInt>(content.size()));
    const std::string common = little(20, 2) + little(0, 2) + little(deflated ? 8 : 0, 2) +
                               little(0, 4) + little(crc, 4) + little(packed.size(), 4) +
                               little(content.size(), 4) + little(name.size(), 2) + little(0, 2);
    entries += "PK\x01\x02" + little(20, 2) + common + little(0, 2 + 2 + 2 + 4) +
               little(archive.size(), 4) + name;
    archive += "PK\x03\x04" + common + name + packed;
  }
  return archive + entries + "PK\x05\x06" + little(0, 4) + little(files.size(), 2) +
         little(files.size(), 2) + little(entries.size(), 4) + little(archive.size(), 4) +
         little(0, 2);
}

class Arrays : public ::testing::Test {
 protected:
  Arrays() {
    options_.name = "arrays";
    options_.folder = folder_.path().string();
  }
  void write(const std::string& part, const std::string& images, const std::string& labels) {
    write_file(folder_ / (part + "_images.npy"), images);
    write_file(folder_ / (part + "_labels.npy"), labels);
  }
  std::string fault() {
    return message_of([this] { load_data(options_); });
  }
  const TemporaryFolder folder_;
  DataOptions options_;
};

TEST_F(Arrays, ImagesComeInThreeArrangements) {
  const std::string labels = array("<i8", "(2,)", little(1, 8) + little(0, 8));
  write("test", array("|u1", "(2, 2, 3)", "abcdefABCDEF"), labels);
  Dataset data = load_test_data(options_);
  EXPECT_EQ(data.channels, 1);
  EXPECT_EQ(data.height, 2);
  EXPECT_EQ(data.width, 3);
  EXPECT_EQ(data.classes, 2);
  EXPECT_THAT(data.labels, ElementsAre(1, 0));
  EXPECT_EQ(data.image(1)[5], 'F');
  write("test", array("|u1", "(2, 3, 1, 2)", "abcdefABCDEF"), labels);
  data = load_test_data(options_);
  EXPECT_EQ(data.channels, 3);
  EXPECT_EQ(std::string(data.images.begin(), data.images.end()), "abcdefABCDEF");
  write("test", array("|u1", "(2, 2, 2, 3)", "rgbRGBxyzXYZrgbRGBxyzXYZ"), labels);
  data = load_test_data(options_);
  EXPECT_EQ(data.channels, 3);
  EXPECT_EQ(std::string(data.images.begin(), data.images.begin() + 12), "rRxXgGyYbBzZ");
  const DataOutline outline = outline_data(options_);
  EXPECT_EQ(outline.test, 2);
  EXPECT_EQ(outline.classes, 2);
}

TEST_F(Arrays, ArchivesArePlainOrPacked) {
  for (const bool deflated : {false, true}) {
    write_file(folder_ / "train.npz",
               zip({{"x.npy", array("|u1", "(20, 1, 2)", std::string(40, 'x'))},
                    {"y.npy", array("|u1", "(20, 1)", std::string(19, '\1') + '\3')}},
                   deflated));
    options_.validation_images = 4;
    options_.test_images = 5;
    const DataSplits data = load_data(options_);
    EXPECT_EQ(data.train.size(), 11);
    EXPECT_EQ(data.validation.size(), 4);
    EXPECT_EQ(data.test.size(), 5);
    EXPECT_EQ(data.train.classes, 4);
    EXPECT_EQ(outline_data(options_).train, 11);
  }
}

TEST_F(Arrays, WhatDoesNotFitIsNamedWithItsFile) {
  const std::string labels = array("|u1", "(2,)", std::string(2, '\0'));
  write("test", array("<f4", "(2, 2, 3)", std::string(48, 'x')), labels);
  EXPECT_THAT(fault(), AllOf(HasSubstr("test_images.npy"), HasSubstr("expected unsigned bytes")));
  write("test", array("|u1", "(2, 2, 3)", "abcdef"), labels);
  EXPECT_THAT(fault(), AllOf(HasSubstr("test_images.npy"), HasSubstr("6 bytes"), HasSubstr("12")));
  write("test", array("|u1", "(3, 2, 3)", std::string(18, 'x')), labels);
  EXPECT_THAT(fault(), AllOf(HasSubstr("has 3 images"), HasSubstr("test_labels.npy has 2 labels")));
  write("test", array("|u1", "(2, 3, 4, 3)", std::string(72, 'x')), labels);
  EXPECT_THAT(fault(), HasSubstr("shape 2x3x4x3"));
  write("test", array("|u1", "(2, 1, 2)", "abcd"),
        array("<i2", "(2,)", little(0, 2) + little(0xffff, 2)));
  EXPECT_THAT(fault(), AllOf(HasSubstr("test_labels.npy"), HasSubstr("label 1 is -1")));
  std::filesystem::remove(folder_ / "test_labels.npy");
  EXPECT_THAT(fault(), AllOf(HasSubstr("test_labels.npy"), HasSubstr("is not there")));
}

TEST_F(Arrays, DamagedArchivesAreErrors) {
  const std::string whole = zip({{"images.npy", array("|u1", "(2, 1, 2)", "abcd")},
                                 {"labels.npy", array("|u1", "(2,)", std::string(2, '\0'))}},
                                true);
  std::filesystem::remove(folder_ / "test.npz");
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    write_file(folder_ / "test.npz", whole.substr(0, size));
    EXPECT_THAT(fault(), HasSubstr("test.npz")) << size;
  }
  std::string flipped = whole;
  flipped[45] ^= 4;
  write_file(folder_ / "test.npz", flipped);
  EXPECT_THAT(fault(), HasSubstr("damaged"));
  write_file(folder_ / "test.npz", zip({{"other.npy", ""}}, false));
  EXPECT_THAT(fault(), HasSubstr("has no array called images or x"));
}

TEST(Npy, HeadersOfAnotherFormAreErrors) {
  const auto fault = [](const std::string& file) {
    return message_of([&] { parse_npy_header(bytes_of(file), file.size(), "f"); });
  };
  EXPECT_THAT(fault("PK"), HasSubstr("no .npy file"));
  EXPECT_THAT(fault(npy("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (1,)}", "")),
              HasSubstr("records"));
  EXPECT_THAT(fault(array("|O", "(1,)", "")), HasSubstr("'|O' are not read"));
  EXPECT_THAT(fault(npy("{'descr': '|u1', 'shape': (1,)}", "x")), HasSubstr("a missing key"));
  EXPECT_THAT(fault(npy("{'descr': '|u1', 'descr': '|u1'}", "")), HasSubstr("the key 'descr'"));
  EXPECT_THAT(fault(array("|u1", "(99999999999, 99999999999)", "")), HasSubstr("too large"));
  EXPECT_THAT(fault(array("|u1", "(-1,)", "")), HasSubstr("no number"));
  const std::string whole = array("|u1", "(2, 3)", "abcdef");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THAT(fault(whole.substr(0, size)), HasSubstr("f: ")) << size;
  }
  const std::string three = npy("{'descr':'>i2','shape':(),'fortran_order':True}", "ab", 3);
  const NpyHeader header = parse_npy_header(bytes_of(three), three.size(), "f");
  EXPECT_TRUE(header.big_endian);
  EXPECT_TRUE(header.fortran_order);
  EXPECT_EQ(header.elements(), 1);
  EXPECT_EQ(npy_integer(header, bytes_of("\xff\xfe"), 0), -2);
}

}  // namespace
}  // namespace bittern
