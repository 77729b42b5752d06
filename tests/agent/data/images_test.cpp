#include "agent/data/images.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "agent/data/decoding_queue.h"
#include "agent/data/label_list.h"
#include "agent/data/quality.h"
#include "agent/data/tar.h"
#include "host/base/file.h"
#include "host/base/temporary_folder.h"
#include "tests/agent/data/image_writer.h"

namespace bittern {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class Images : public ::testing::Test {
 protected:
  Images() {
    options_.name = "images";
    options_.folder = folder_.path().string();
    options_.height = options_.width = 8;
  }

  /// An image of one brightness.
  static std::string image(int value) {
    const auto byte = static_cast<std::uint8_t>(value);
    return png_of(plain_image(8, 8, {byte, byte, byte}));
  }
  std::string fault() {
    std::string message = message_of([this] { outline_data(options_); });
    EXPECT_EQ(message, message_of([this] { load_data(options_); }));
    return message;
  }
  /// The brightness of every image.
  static std::vector<int> values(const Dataset& data) {
    std::vector<int> found;
    std::vector<std::uint8_t> pixels(data.image_bytes());
    for (int i = 0; i < data.size(); ++i) {
      data.read_image(i, pixels);
      found.push_back(pixels[0]);
    }
    return found;
  }

  const TemporaryFolder folder_;
  DataOptions options_;
};

TEST_F(Images, FoldersAreClassesInTheOrderOfTheirNames) {
  write_file(folder_ / "train/dog/1.png", image(10));
  write_file(folder_ / "train/cat/b.PNG", image(21));
  write_file(folder_ / "train/cat/a.jpg", jpeg_of(plain_image(9, 9, {20, 20, 20})));
  write_file(folder_ / "train/cat/notes.txt", "no image");
  write_file(folder_ / "val/dog/2.png", image(30));
  options_.validation_images = 1;
  const DataSplits data = load_data(options_);
  EXPECT_EQ(data.train.classes, 2);
  EXPECT_EQ(data.train.size(), 2);
  EXPECT_EQ(data.validation.size(), 1);
  EXPECT_THAT(data.test.labels, ElementsAre(1));
  EXPECT_THAT(values(data.test), ElementsAre(30));
  const DataOutline outline = outline_data(options_);
  EXPECT_EQ(outline.train, 2);
  EXPECT_EQ(outline.classes, 2);
  EXPECT_EQ(outline.height, 8);
}

TEST_F(Images, AListGivesLabelsAndTheOrder) {
  write_file(folder_ / "test/a.png", image(1));
  write_file(folder_ / "test/two words.png", image(2));
  write_file(folder_ / "test/c/c.png", image(3));
  write_file(folder_ / "test_labels.txt", "# file class\nc/c.png 7\n\ntwo words.png\t0\r\na.png 3");
  const Dataset data = load_test_data(options_);
  EXPECT_THAT(data.labels, ElementsAre(7, 0, 3));
  EXPECT_THAT(values(data), ElementsAre(3, 2, 1));
  EXPECT_EQ(data.classes, 8);
  write_file(folder_ / "classes.txt", "1 b beta\n0 a\n2 c\n");
  EXPECT_THAT(fault(), AllOf(HasSubstr("c.png"), HasSubstr("class 7"), HasSubstr("0..2")));
}

TEST_F(Images, AnArchiveIsReadInPlace) {
  write_file(folder_ / "val.tar", tar_of({{"val/x.png", image(5)}, {"./val/y.png", image(6)}}));
  write_file(folder_ / "val_labels.txt", "y.png 1\nx.png 0\n");
  const Dataset data = load_test_data(options_);
  EXPECT_THAT(values(data), ElementsAre(6, 5));
  EXPECT_THAT(data.labels, ElementsAre(1, 0));
  // Test images only: others are cut from them when asked for.
  EXPECT_EQ(outline_data(options_).train, 0);
  options_.train_images = 1;
  EXPECT_EQ(outline_data(options_).test, 1);
  EXPECT_EQ(load_data(options_).train.size(), 1);
  EXPECT_EQ(load_test_data(options_).size(), 1);
  options_.train_images = 2;
  EXPECT_THAT(fault(), HasSubstr("has test images only, 2 of them"));
}

TEST_F(Images, WhatIsMissingIsNamedWithItsLine) {
  write_file(folder_ / "test/a.png", image(1));
  write_file(folder_ / "test_labels.txt", "a.png 0\ngone.png 1\n");
  EXPECT_THAT(fault(), AllOf(HasSubstr("test_labels.txt:2:"), HasSubstr("'gone.png'")));
  write_file(folder_ / "test_labels.txt", "a.png 0\n");
  write_file(folder_ / "test/b.png", image(1));
  EXPECT_THAT(fault(), AllOf(HasSubstr("no label for 1 images"), HasSubstr("b.png")));
  fs::remove(folder_ / "test_labels.txt");
  EXPECT_THAT(fault(), HasSubstr("nothing says of which class 'a.png' is"));
  fs::remove_all(folder_ / "test");
  fs::create_directory(folder_ / "test");
  EXPECT_THAT(fault(), HasSubstr("there is no JPEG or PNG file in it"));
  write_file(folder_ / "test/c/x.webp", "RIFF");
  EXPECT_THAT(fault(), AllOf(HasSubstr("x.webp"), HasSubstr("only JPEG and PNG files")));
}

TEST_F(Images, AClassThatOnlyTestsHaveIsASlip) {
  write_file(folder_ / "train/cat/1.png", image(1));
  write_file(folder_ / "train/dog/1.png", image(1));
  write_file(folder_ / "test/dgo/1.png", image(2));
  EXPECT_THAT(fault(), HasSubstr("folder 'dgo' is no class of the training images"));
}

TEST_F(Images, ADamagedImageIsNamedWhenItIsNeeded) {
  write_file(folder_ / "test/a/1.png", image(1));
  write_file(folder_ / "test/a/2.jpg", jpeg_of(noise(3, 40, 40, 1)).substr(0, 900));
  const Dataset data = load_test_data(options_);
  std::vector<std::uint8_t> pixels(data.image_bytes());
  EXPECT_NO_THROW(data.read_image(0, pixels));
  EXPECT_THAT(message_of([&] { data.read_image(1, pixels); }), HasSubstr("test/a/2.jpg: "));
}

TEST_F(Images, TheHashDependsOnContentAndSize) {
  write_file(folder_ / "test/a/1.png", image(1));
  const std::string hash = content_hash(load_test_data(options_));
  EXPECT_EQ(hash, content_hash(load_test_data(options_)));
  options_.resize = 12;
  EXPECT_NE(hash, content_hash(load_test_data(options_)));
  options_.resize = 0;
  write_file(folder_ / "test/a/1.png", image(2));
  EXPECT_NE(hash, content_hash(load_test_data(options_)));
  options_.resize = 7;
  EXPECT_THAT(fault(), HasSubstr("resize is 7, expected at least the 8 pixels"));
}

TEST_F(Images, AQueueGivesTheSameBatchesWithAnyThreads) {
  for (int i = 0; i < 23; ++i)
    write_file(folder_ / ("test/a/" + std::to_string(i) + ".png"), image(i));
  const Dataset data = load_test_data(options_);
  std::vector<int> order;
  for (int i = 0; i < 23; ++i) order.push_back(i * 7 % 23);
  std::vector<std::uint8_t> expected;
  for (const int index : order) {
    std::vector<std::uint8_t> pixels(data.image_bytes());
    data.read_image(index, pixels);
    expected.insert(expected.end(), pixels.begin(), pixels.end());
  }
  for (const int threads : {1, 2, 5}) {
    DecodingQueue queue(data, order, 4, threads);
    std::vector<std::uint8_t> found;
    for (int batch = 0; batch < 6; ++batch) {
      const std::vector<std::uint8_t> pixels = queue.next();
      found.insert(found.end(), pixels.begin(), pixels.end());
    }
    EXPECT_EQ(found, expected);
    EXPECT_THROW(queue.next(), Error);
  }
  // One that is not taken to its end does not hang, and a damaged image comes at its place.
  write_file(folder_ / "test/a/0.png", "damaged");
  const Dataset damaged = load_test_data(options_);
  DecodingQueue queue(damaged, {5, 6, 0, 7}, 2, 2);
  EXPECT_NO_THROW(queue.next());
  EXPECT_THAT(message_of([&] { queue.next(); }), HasSubstr("0.png"));
}

TEST(LabelList, LinesOfAnotherFormAreErrors) {
  const auto fault = [](const std::string& text) {
    return message_of([&] { parse_label_list(text, "list"); });
  };
  EXPECT_THAT(fault("a.png 1\nb.png\n"), HasSubstr("list:2: 'b.png': expected a file, a blank"));
  EXPECT_THAT(fault("a.png -1"), HasSubstr("list:1:"));
  EXPECT_THAT(fault("a.png 1x"), HasSubstr("list:1:"));
  EXPECT_THAT(fault("a.png 99999999999999999999"), HasSubstr("list:1:"));
  EXPECT_THAT(fault("a 1\nb 2\na 3"), HasSubstr("list:3: a second line for 'a', which line 1 has"));
  EXPECT_THAT(fault("# nothing\n"), HasSubstr("no line with an image"));
}

TEST(ClassList, NumbersAreEachThereOnce) {
  EXPECT_THAT(parse_class_list("1 n2 two words\n0 n1\n", "c"), ElementsAre("n1", "n2"));
  const auto fault = [](const std::string& text) {
    return message_of([&] { parse_class_list(text, "c"); });
  };
  EXPECT_THAT(fault("0 a\n2 b\n"), HasSubstr("2 classes, but the greatest number is 2"));
  EXPECT_THAT(fault("0 a\n0 b\n"), HasSubstr("c:2: class 0 is there twice"));
  EXPECT_THAT(fault("0 a\n1 a\n"), HasSubstr("c:2: id 'a' is there twice"));
  EXPECT_THAT(fault("zero a\n"), HasSubstr("c:1:"));
}

class Tar : public ::testing::Test {
 protected:
  std::string fault(const std::string& content) {
    write_file(folder_ / "x.tar", content);
    return message_of([this] { TarFile file(folder_ / "x.tar"); });
  }
  const TemporaryFolder folder_;
};

TEST_F(Tar, MembersAreReadInPlace) {
  write_file(folder_ / "x.tar",
             tar_of({{"a", "hello"}, {"b/c", std::string(1500, 'x')}, {"e", ""}}));
  const TarFile file(folder_ / "x.tar");
  ASSERT_EQ(file.members().size(), 3U);
  EXPECT_EQ(file.members()[1].name, "b/c");
  const std::vector<std::uint8_t> hello = file.read(file.members()[0]);
  EXPECT_EQ(std::string(hello.begin(), hello.end()), "hello");
  EXPECT_EQ(file.read(file.members()[1]).size(), 1500U);
  EXPECT_EQ(file.read(file.members()[2]).size(), 0U);
}

TEST_F(Tar, WhatIsCutOffDamagedOrPackedIsNamed) {
  const std::string whole = tar_of({{"a", std::string(2000, 'x')}});
  EXPECT_THAT(fault(whole.substr(0, 1500)), HasSubstr("cut off"));
  EXPECT_THAT(fault(whole.substr(0, 512 + 2048)), HasSubstr("without the end of an archive"));
  EXPECT_THAT(fault(""), HasSubstr("without the end"));
  std::string wrong = whole;
  wrong[130] ^= 1;
  EXPECT_THAT(fault(wrong), HasSubstr("checksum"));
  EXPECT_THAT(fault("\x1f\x8b" + std::string(600, 'x')), HasSubstr("is compressed"));
  EXPECT_THAT(message_of([this] { TarFile file(folder_.path()); }), HasSubstr("no regular file"));
}

}  // namespace
}  // namespace bittern
