#include "apps/bittern/command_line.h"

#include <algorithm>
#include <exception>
#include <iostream>
#include <vector>

#include "host/base/error.h"
#include "host/base/log.h"
#include "host/base/stop.h"
#include "host/base/text.h"
#include "host/base/yaml.h"

namespace bittern {
namespace {

constexpr int kUsage = static_cast<int>(ExitStatus::kUsage);
constexpr int kFailed = static_cast<int>(ExitStatus::kFailed);

std::string full_name(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : full_name(*parent) + " " + app.get_name();
}

/// The subcommand that the arguments reached, for the hint which help to read.
const CLI::App& deepest(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : deepest(*parsed.front());
}

/// CLI11 says that an argument "was not expected"; say what it may have been meant to be.
std::string explain(const CLI::App& app, const CLI::ParseError& error) {
  const auto extras = app.remaining(true);
  // A misspelt option often leaves a required one missing too; the slip is what to tell.
  const bool about_words = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError) ||
                           error.get_exit_code() == static_cast<int>(CLI::ExitCodes::RequiredError);
  if (extras.empty() || !about_words) return error.what();
  const std::string& word = extras.front();
  const CLI::App& command = deepest(app);
  std::vector<std::string> known;
  if (word.substr(0, 1) == "-") {
    for (const CLI::App* level = &command; level != nullptr; level = level->get_parent()) {
      for (const CLI::Option* option : level->get_options()) {
        for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
      }
    }
    const std::string name = word.substr(0, word.find('='));
    return "unknown option '" + name + "'" + suggestion(name, known);
  }
  for (const CLI::App* subcommand : command.get_subcommands([](const CLI::App*) { return true; })) {
    known.push_back(subcommand->get_name());
  }
  if (known.empty()) return "unexpected argument '" + word + "'";
  return "unknown command '" + word + "'" + suggestion(word, known);
}

int usage_error(const CLI::App& app, const std::string& message) {
  std::cerr << app.get_name() << ": error: " << printable_lines(message) << "\nSee '"
            << full_name(deepest(app)) << " --help'.\n";
  return kUsage;
}

/// A full disk or a closed pipe shows up when the answer is flushed at the latest.
int finish_output(const CLI::App& app) {
  std::cout.flush();
  if (std::cout.good()) return 0;
  std::cerr << app.get_name() << ": error: cannot write to standard output\n";
  return kFailed;
}

}  // namespace

int run_command_line(int argc, const char* const* argv, const std::string& version_text,
                     const std::function<void(CLI::App&)>& add_commands) {
  CLI::App app("Searches bitwidths of neural networks on the real RTL of accelerators.", "bittern");
  app.set_version_flag("--version", version_text, "Print the version and leave");
  // Not "exactly one": CLI11 would then call every misspelt command a missing one.
  app.require_subcommand(0, 1);
  app.fallthrough();
  app.get_formatter()->column_width(34);
  std::string log_level = "warning";
  app.add_option("--log-level", log_level, "trace, debug, info, warning, error or off")
      ->capture_default_str();
  app.add_flag("--progress,!--no-progress",
               "Show (or hide) progress meters; otherwise they are shown on a terminal");
  app.footer("Exit status: 0 done; 1 failed or found a difference; 2 used wrongly.\n" +
             example("bittern doctor\n"
                     "bittern measure --network lenet --variant bismo_edge --wbits 4 --abits 4\n"
                     "bittern run configs/campaigns/quickstart.yaml"));
  try {
    // Logging starts before the command's callback runs, with whatever level was parsed.
    app.parse_complete_callback([&log_level] { start_logging(log_level); });
    add_commands(app);
    catch_stop_signals();
    app.parse(argc, argv);
    if (app.get_subcommands().empty()) return usage_error(app, "a command is missing");
    return finish_output(app);
  } catch (const CLI::RuntimeError& status) {
    const int written = finish_output(app);
    return status.get_exit_code() != 0 ? status.get_exit_code() : written;
  } catch (const CLI::Success& done) {
    app.exit(done);
    return finish_output(app);
  } catch (const CLI::ParseError& error) {
    return usage_error(app, explain(app, error));
  } catch (const Error& error) {
    std::cout.flush();
    std::cerr << app.get_name() << ": error: " << printable_lines(error.what()) << "\n";
    return static_cast<int>(error.status());
  } catch (const std::exception& error) {
    std::cout.flush();
    std::cerr << app.get_name() << ": error: internal: " << printable_lines(error.what())
              << "\nThis is a defect of Bittern; please report it with the command line.\n";
    return kFailed;
  }
}

ProgressMode progress_mode(const CLI::App& app) {
  const CLI::App* root = &app;
  while (root->get_parent() != nullptr) root = root->get_parent();
  const CLI::Option* option = root->get_option_no_throw("--progress");
  if (option == nullptr || option->count() == 0) return ProgressMode::kAuto;
  return option->as<bool>() ? ProgressMode::kOn : ProgressMode::kOff;
}

std::string example(const std::string& lines) {
  std::string out = "Example:\n  ";
  for (char c : lines) {
    out += c;
    if (c == '\n') out += "  ";
  }
  return out;
}

}  // namespace bittern
