#include "host/base/terminal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "host/base/error.h"

namespace bittern {
namespace {

/// An environment variable while a test runs.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    value == nullptr ? ::unsetenv(name) : ::setenv(name, value, 1);
  }
  ~Variable() {
    before_ ? ::setenv(name_.c_str(), before_->c_str(), 1) : ::unsetenv(name_.c_str());
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  std::string name_;
  std::optional<std::string> before_;
};

/// A pseudo terminal of our own; -1 where there are none.
class PseudoTerminal {
 public:
  PseudoTerminal() : controller_(::posix_openpt(O_RDWR | O_NOCTTY)) {
    if (controller_ < 0 || ::grantpt(controller_) != 0 || ::unlockpt(controller_) != 0) return;
    fd_ = ::open(::ptsname(controller_), O_RDWR | O_NOCTTY);
  }
  ~PseudoTerminal() {
    if (fd_ >= 0) ::close(fd_);
    if (controller_ >= 0) ::close(controller_);
  }
  PseudoTerminal(const PseudoTerminal&) = delete;
  PseudoTerminal& operator=(const PseudoTerminal&) = delete;
  int fd() const { return fd_; }

 private:
  int controller_;
  int fd_ = -1;
};

TEST(Colours, AreForTerminalsThatHaveThemUnlessNoColorIsSet) {
  const PseudoTerminal terminal;
  ASSERT_GE(terminal.fd(), 0) << "no pseudo terminal";
  const Variable term("TERM", "xterm");
  const Variable no("NO_COLOR", nullptr);
  EXPECT_TRUE(colours_on(terminal.fd(), ColourMode::kAuto));
  {
    const Variable set("NO_COLOR", "1");
    EXPECT_FALSE(colours_on(terminal.fd(), ColourMode::kAuto));
    EXPECT_TRUE(colours_on(terminal.fd(), ColourMode::kAlways)) << "what is asked for goes before";
  }
  {
    const Variable empty("NO_COLOR", "");
    EXPECT_TRUE(colours_on(terminal.fd(), ColourMode::kAuto));
  }
  for (const char* dumb : {"dumb", "", static_cast<const char*>(nullptr)}) {
    const Variable set("TERM", dumb);
    EXPECT_FALSE(colours_on(terminal.fd(), ColourMode::kAuto));
    EXPECT_FALSE(is_terminal(terminal.fd()));
  }
  EXPECT_FALSE(colours_on(terminal.fd(), ColourMode::kNever));
}

TEST(Colours, AreNotForFiles) {
  const int file = ::open("/dev/null", O_WRONLY);
  const Variable term("TERM", "xterm");
  EXPECT_FALSE(colours_on(file, ColourMode::kAuto));
  EXPECT_TRUE(colours_on(file, ColourMode::kAlways));
  ::close(file);
}

TEST(Colours, AnUnknownModeIsWrongUsage) {
  EXPECT_EQ(parse_colour_mode("never"), ColourMode::kNever);
  try {
    parse_colour_mode("alway");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "unknown colour mode 'alway', did you mean 'always'?");
    EXPECT_EQ(error.status(), ExitStatus::kUsage);
  }
}

TEST(TerminalColumns, ComeFromTheVariableOrElseFromTheTerminal) {
  const int file = ::open("/dev/null", O_WRONLY);
  {
    const Variable columns("COLUMNS", nullptr);
    EXPECT_EQ(terminal_columns(file), 0u) << "a file has no limit";
    const PseudoTerminal terminal;
    ASSERT_GE(terminal.fd(), 0);
    EXPECT_EQ(terminal_columns(terminal.fd()), 80u) << "a terminal that does not say";
  }
  const Variable columns("COLUMNS", "132");
  EXPECT_EQ(terminal_columns(file), 132u);
  for (const char* nonsense : {"", "wide", "-5", "7", "80x", "99999999999999999999999"}) {
    const Variable set("COLUMNS", nonsense);
    EXPECT_EQ(terminal_columns(file), 0u) << nonsense;
  }
  ::close(file);
}

TEST(Shortened, KeepsBothEndsAndWholeCodePoints) {
  EXPECT_EQ(shortened("layer", 5), "layer");
  EXPECT_EQ(shortened("a_long_name_of_a_layer", 10), "a_lo..ayer");
  EXPECT_EQ(shortened("a_long_name_of_a_layer", 11), "a_lon..ayer");
  EXPECT_EQ(shortened("äöüäöüäöü", 6), "äö..öü");
  EXPECT_EQ(text_width("äöü"), 3u);
  EXPECT_EQ(shortened("abcdef", 0), "a..");
}

TEST(Styled, LeavesTextAloneWithoutColour) {
  EXPECT_EQ(styled("x", Style::kBad, false), "x");
  EXPECT_EQ(styled("x", Style::kPlain, true), "x");
  EXPECT_EQ(styled("x", Style::kHeading, true), "\x1b[1mx\x1b[0m");
}

}  // namespace
}  // namespace bittern
