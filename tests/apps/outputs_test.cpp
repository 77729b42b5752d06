// What users name as outputs, as commands write them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "tests/apps/cli.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Outputs : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  /// Arguments that write to `file`: no simulation, no training.
  std::string compare(const std::string& file) const {
    return "compare --network odd --variants bismo_tiny --wbits 2 --abits 2 --model --report " +
           file;
  }
  bool is_device(const std::string& file) const {
    struct stat info {};
    return ::lstat(file.c_str(), &info) == 0 && S_ISCHR(info.st_mode);
  }
  const TemporaryFolder folder_;
};

TEST_F(Outputs, ADeviceNodeIsStillOneAfterwards) {
  const std::string node = path("node");
  if (::mknod(node.c_str(), S_IFCHR | 0666, ::makedev(1, 3)) != 0) {
    GTEST_SKIP() << "no device nodes can be made here: " << std::strerror(errno);
  }
  const CliResult result = run_bittern(compare(node));
  EXPECT_TRUE(is_device(node)) << result.err;
  fs::create_symlink("node", path("link"));
  run_bittern(compare(path("link")));
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_TRUE(is_device(node));
}

TEST_F(Outputs, ALinkLeadsToThePage) {
  fs::create_symlink("page.html", path("link"));
  EXPECT_EQ(run_bittern(compare(path("link"))).status, 0);
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_THAT(read_file(path("page.html")), HasSubstr("</html>"));
}

TEST_F(Outputs, AMinusAndItsNamesAreStandardOutput) {
  for (const char* name : {"-", "/dev/stdout"}) {
    const CliResult result = run_bittern(compare(name));
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.out, StartsWith("<!")) << name;
    EXPECT_THAT(result.out, HasSubstr("</html>")) << name;
    // The answer is on stderr then: the page can be piped on.
    EXPECT_THAT(result.err, HasSubstr("roofline")) << name;
  }
  EXPECT_FALSE(fs::exists("-"));
}

TEST_F(Outputs, AFolderIsRefusedBeforeAnythingIsDone) {
  const CliResult result = run_bittern(compare(folder_.path().string()));
  EXPECT_EQ(result.status, 2);
  EXPECT_THAT(result.err, HasSubstr("is a folder, expected a file"));
  EXPECT_EQ(result.out, "");
}

}  // namespace
}  // namespace bittern
