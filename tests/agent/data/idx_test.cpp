#include "agent/data/idx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "host/base/data_sets.h"
#include "host/base/error.h"
#include "host/base/file.h"
#include "tests/host/base/message_of.h"

namespace bittern {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

std::string word(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16),
          static_cast<char>(value >> 8), static_cast<char>(value)};
}

std::string header(std::initializer_list<std::uint32_t> shape) {
  std::string bytes{'\0', '\0', '\x08', static_cast<char>(shape.size())};
  for (const std::uint32_t extent : shape) bytes += word(extent);
  return bytes;
}

std::string gzipped(const std::string& content) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, content.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

class IdxTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              ("bittern_idx_" +
               std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path file(const std::string& content) {
    write_file(folder_ / "file", content);
    return folder_ / "file";
  }

  std::string error_of(const std::string& content, int dimensions = 1) {
    try {
      read_idx(file(content), dimensions);
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr((folder_ / "file").string()));
      return error.what();
    }
    ADD_FAILURE() << "no error was thrown";
    return "";
  }

  /// A folder that load_idx() accepts: 3 training images, 2 test images.
  void write_mnist() {
    for (const auto& [part, count] : {std::pair{"train", 3u}, std::pair{"t10k", 2u}}) {
      std::string images(count * 784, '\x10');
      for (std::size_t i = 0; i < count; ++i) images[i * 784] = static_cast<char>(i);
      write_file(folder_ / (std::string(part) + "-images-idx3-ubyte"),
                 header({count, 28, 28}) + images);
      write_file(folder_ / (std::string(part) + "-labels-idx1-ubyte.gz"),
                 gzipped(header({count}) + "\x08" + std::string(count - 1, '\x09')));
    }
  }

  std::string mnist_error() {
    return message_of([&] { load_idx(request()); });
  }

  DataRequest request() const { return {data_set("mnist"), folder_, options_}; }

  fs::path folder_;
  const DataOptions options_{};
};

TEST_F(IdxTest, ReadsPlainAndCompressedAlike) {
  const std::string content = header({2, 3}) + "abcdef";
  for (const std::string& bytes : {content, gzipped(content)}) {
    const IdxArray array = read_idx(file(bytes), 2);
    EXPECT_EQ(array.shape, (std::vector<int>{2, 3}));
    EXPECT_EQ(std::string(array.data.begin(), array.data.end()), "abcdef");
  }
}

TEST_F(IdxTest, WrongMagicIsNamed) {
  EXPECT_THAT(error_of("PK\x03\x04 some zip file"), HasSubstr("magic number 504b0304"));
  EXPECT_THAT(error_of(header({2, 2}) + "abcd", 1), HasSubstr("expected 00000801"));
}

TEST_F(IdxTest, TruncationAnywhereIsAnError) {
  const std::string content = header({5}) + "abcde";
  for (std::size_t size = 0; size < content.size(); ++size) {
    EXPECT_THAT(error_of(content.substr(0, size)), HasSubstr("truncated")) << size;
  }
}

TEST_F(IdxTest, CutOrDamagedCompressedStreamIsAnError) {
  const std::string bytes = gzipped(header({1000}) + std::string(1000, 'q'));
  error_of(bytes.substr(0, bytes.size() / 2));
  std::string damaged = bytes;
  damaged[bytes.size() - 6] ^= 0x55;  // the checksum
  error_of(damaged);
}

TEST_F(IdxTest, BytesAfterTheEndAreAnError) {
  EXPECT_THAT(error_of(header({3}) + "abcd"), HasSubstr("goes on after the 3 bytes"));
}

TEST_F(IdxTest, ImpossibleDimensionsAreRefusedBeforeAnythingIsAllocated) {
  EXPECT_THAT(error_of(header({0})), HasSubstr("dimension 0 is 0"));
  EXPECT_THAT(error_of(header({0xffffffffu, 0xffffffffu, 0xffffffffu}), 3),
              HasSubstr("4294967295"));
  EXPECT_THAT(error_of(header({1u << 20, 1u << 10, 2}), 3), HasSubstr("dimension 2"));
}

TEST_F(IdxTest, CompressedBombIsNotUnpacked) {
  // 64 MiB of zeros behind a header that announces 4 bytes.
  EXPECT_THAT(error_of(gzipped(header({4}) + std::string(64 << 20, '\0'))),
              HasSubstr("goes on after the 4 bytes"));
}

TEST_F(IdxTest, MissingFileIsNamed) {
  EXPECT_THROW(read_idx(folder_ / "absent", 1), Error);
  EXPECT_THAT(mnist_error(), HasSubstr("train-images-idx3-ubyte"));
}

TEST_F(IdxTest, LoadsAFolderOfMnist) {
  write_mnist();
  const DataParts mnist = load_idx(request());
  EXPECT_EQ(mnist.train.size(), 3);
  EXPECT_EQ(mnist.test.size(), 2);
  EXPECT_EQ(mnist.train.labels[2], 9);
  EXPECT_EQ(mnist.test.image(1)[783], 0x10);
}

TEST_F(IdxTest, DifferentCountsOfImagesAndLabelsAreAnError) {
  write_mnist();
  write_file(folder_ / "train-labels-idx1-ubyte", header({4}) + std::string(4, '\0'));
  EXPECT_THAT(mnist_error(), HasSubstr("3 images"));
  EXPECT_THAT(mnist_error(), HasSubstr("4 labels"));
}

TEST_F(IdxTest, LabelOutOfRangeIsAnError) {
  write_mnist();
  write_file(folder_ / "t10k-labels-idx1-ubyte", header({2}) + std::string("\x01\x0a"));
  EXPECT_THAT(mnist_error(), HasSubstr("label 1 is 10, expected 0..9"));
}

TEST_F(IdxTest, WrongImageSizeIsAnError) {
  write_mnist();
  write_file(folder_ / "t10k-images-idx3-ubyte",
             header({2, 28, 27}) + std::string(2 * 28 * 27, 'x'));
  EXPECT_THAT(mnist_error(), HasSubstr("28x27"));
}

TEST_F(IdxTest, OneClassOnlyIsAnErrorThatNamesTheFile) {
  write_mnist();
  write_file(folder_ / "train-labels-idx1-ubyte", header({3}) + std::string(3, '\x04'));
  EXPECT_THAT(mnist_error(),
              AllOf(HasSubstr("train-labels-idx1-ubyte"), HasSubstr("all 3 labels are 4")));
  EXPECT_THROW(outline_idx(request()), Error);
}

TEST_F(IdxTest, ImagesThatAreAllTheSameAreAnErrorThatNamesTheFile) {
  write_mnist();
  write_file(folder_ / "t10k-images-idx3-ubyte", header({2, 28, 28}) + std::string(2 * 784, '\0'));
  EXPECT_THAT(mnist_error(), AllOf(HasSubstr("t10k-images-idx3-ubyte"),
                                   HasSubstr("all 2 images are the same (every pixel is 0)")));
  std::string one(784, '\0');
  one[5] = '\x07';
  write_file(folder_ / "t10k-images-idx3-ubyte", header({2, 28, 28}) + one + one);
  EXPECT_THAT(mnist_error(), HasSubstr("all 2 images are the same;"));
}

TEST_F(IdxTest, AnOutlineHasTheSizesAndSeesWhatHeadersTell) {
  write_mnist();
  EXPECT_EQ(outline_idx(request()).train, 3);
  EXPECT_EQ(outline_idx(request()).test, 2);
  const std::string images = read_file(folder_ / "train-images-idx3-ubyte");
  for (const std::string& wrong : {images.substr(0, images.size() - 1), images + "x"}) {
    write_file(folder_ / "train-images-idx3-ubyte", wrong);
    try {
      outline_idx(request());
      ADD_FAILURE() << "no error";
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), AllOf(HasSubstr("train-images-idx3-ubyte"), HasSubstr("2368")));
    }
  }
  write_file(folder_ / "train-images-idx3-ubyte", gzipped(images));
  EXPECT_EQ(outline_idx(request()).train, 3);
  EXPECT_THROW(read_idx_shape(folder_ / "train-images-idx3-ubyte", 1), Error);
}

TEST(RealMnist, HasTheKnownCountsAndLabels) {
  fs::path folder;
  try {
    folder = find_data_folder(data_set("mnist"), "");
  } catch (const Error& error) {
    GTEST_SKIP() << error.what();
  }
  const DataOptions options;
  const DataParts mnist = load_idx({data_set("mnist"), folder, options});
  EXPECT_EQ(mnist.train.size(), 60000);
  EXPECT_EQ(mnist.test.size(), 10000);
  EXPECT_EQ(std::count(mnist.train.labels.begin(), mnist.train.labels.end(), 1), 6742);
  EXPECT_EQ(std::vector<int>(mnist.train.labels.begin(), mnist.train.labels.begin() + 5),
            (std::vector<int>{5, 0, 4, 1, 9}));
}

}  // namespace
}  // namespace bittern
