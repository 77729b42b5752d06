#include "host/search/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/random.h"

namespace bittern {
namespace {

using ::testing::HasSubstr;

class CheckpointFile : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = std::filesystem::path(::testing::TempDir()) /
            (std::string("checkpoint_") +
             ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove(path_);
    checkpoint_.state = {{"episode", 7}, {"baseline", 0.1 + 0.2}, {"text", "x"}};
    Rng rng(1);
    for (int i = 0; i < 1000; ++i) {
      checkpoint_.arrays["big"].push_back(static_cast<float>(rng.normal()));
    }
    checkpoint_.arrays["empty"] = {};
  }
  void TearDown() override { std::filesystem::remove(path_); }

  std::string read_error() const {
    try {
      read_checkpoint(path_);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }

  std::filesystem::path path_;
  Checkpoint checkpoint_;
};

TEST_F(CheckpointFile, IsReadBackExactly) {
  write_checkpoint(path_, checkpoint_);
  const Checkpoint read = read_checkpoint(path_);
  EXPECT_EQ(read.state, checkpoint_.state);
  EXPECT_EQ(read.arrays, checkpoint_.arrays);
  EXPECT_EQ(read.array("big", 1000), checkpoint_.arrays["big"]);
  EXPECT_THROW(read.array("big", 999), Error);
  EXPECT_THROW(read.array("small", 1), Error);
}

TEST_F(CheckpointFile, IsRefusedWhenCutOffAnywhere) {
  write_checkpoint(path_, checkpoint_);
  const std::string whole = read_file(path_);
  for (std::size_t size = 0; size < whole.size(); size += size < 64 ? 1 : 97) {
    write_file(path_, std::string_view(whole).substr(0, size));
    EXPECT_THAT(read_error(), HasSubstr(size < 8 ? "not a checkpoint" : "damaged checkpoint"))
        << size;
  }
}

TEST_F(CheckpointFile, IsRefusedWhenAnyByteChanged) {
  write_checkpoint(path_, checkpoint_);
  const std::string whole = read_file(path_);
  Rng rng(3);
  for (int i = 0; i < 200; ++i) {
    std::string changed = whole;
    const auto at =
        static_cast<std::size_t>(rng.integer(0, static_cast<std::int64_t>(whole.size()) - 1));
    changed[at] = static_cast<char>(changed[at] ^ (1 << rng.integer(0, 7)));
    write_file(path_, changed);
    EXPECT_THAT(read_error(), HasSubstr("checkpoint")) << at;
  }
  write_file(path_, whole + "x");
  EXPECT_THAT(read_error(), HasSubstr("damaged checkpoint"));
}

TEST_F(CheckpointFile, IsRefusedWhenItIsSomethingElse) {
  write_file(path_, "{\"episode\": 3}");
  EXPECT_THAT(read_error(), HasSubstr("not a checkpoint of a search"));
  std::filesystem::remove(path_);
  EXPECT_THAT(read_error(), HasSubstr("cannot open"));
}

std::string difference(const nlohmann::json& found, const nlohmann::json& expected) {
  try {
    require_same_fingerprint(found, expected, "run.ckpt");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Fingerprint, NamesTheFirstFieldThatDiffers) {
  const nlohmann::json base = {{"seed", 1}, {"options", {{"batch", 64}, {"wall", "haq"}}}};
  EXPECT_EQ(difference(base, base), "");
  nlohmann::json other = base;
  other["options"]["batch"] = 128;
  EXPECT_THAT(difference(base, other), HasSubstr("options.batch is 64 there and 128 here"));
  EXPECT_THAT(difference(base, other), HasSubstr("run.ckpt"));
  other = base;
  other["options"]["tau"] = 0.5;
  EXPECT_THAT(difference(base, other), HasSubstr("options.tau is missing there"));
  EXPECT_THAT(difference(other, base), HasSubstr("options.tau is 0.5 there and unknown here"));
}

}  // namespace
}  // namespace bittern
