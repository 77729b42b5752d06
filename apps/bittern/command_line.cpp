#include "apps/bittern/command_line.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <vector>

#include "apps/bittern/option_kinds.h"
#include "host/base/error.h"
#include "host/base/log.h"
#include "host/base/stop.h"
#include "host/base/text.h"
#include "host/base/yaml.h"

namespace bittern {
namespace {

constexpr int kUsage = static_cast<int>(ExitStatus::kUsage);
constexpr int kFailed = static_cast<int>(ExitStatus::kFailed);
constexpr const char* kLevelVariable = "BITTERN_LOG_LEVEL";

/// The subcommand that the arguments reached, for the hint which help to read.
const CLI::App& deepest(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : deepest(*parsed.front());
}

std::string unknown_command(const CLI::App& command, const std::string& word) {
  std::vector<std::string> known;
  for (const CLI::App* sub : commands_of(command)) known.push_back(sub->get_name());
  return "unknown command '" + word + "'" + suggestion(word, known);
}

/// The option of the command or of those above it that CLI11 names in a message.
const CLI::Option* option_named(const CLI::App& command, const std::string& name) {
  for (const CLI::App* level = &command; level != nullptr; level = level->get_parent()) {
    for (const CLI::Option* option : level->get_options()) {
      if (option->get_name() == name) return option;
    }
  }
  return nullptr;
}

/// CLI11 counts arguments; say which of the two slips it was.
std::string explain_count(const CLI::App& app, const std::string& message) {
  const std::string name = message.substr(0, message.find(':'));
  const CLI::Option* option = option_named(deepest(app), name);
  if (option == nullptr) return message;
  if (option->count() > 1) return name + " was given " + std::to_string(option->count()) + " times";
  return name + " needs a value: " + option->get_type_name();
}

/// CLI11 says that an argument "was not expected"; say what it may have been meant to be.
std::string explain(const CLI::App& app, const CLI::ParseError& error) {
  const auto extras = app.remaining(true);
  const auto is = [&](CLI::ExitCodes code) {
    return error.get_exit_code() == static_cast<int>(code);
  };
  if (is(CLI::ExitCodes::ArgumentMismatch)) return explain_count(app, error.what());
  // A misspelt option often leaves a required one missing too; the slip is what to tell.
  const bool about_words = is(CLI::ExitCodes::ExtrasError) || is(CLI::ExitCodes::RequiredError);
  if (extras.empty() || !about_words) return error.what();
  const std::string& word = extras.front();
  const CLI::App& command = deepest(app);
  if (word.substr(0, 1) == "-") {
    std::vector<std::string> known;
    for (const CLI::App* level = &command; level != nullptr; level = level->get_parent()) {
      for (const CLI::Option* option : level->get_options()) {
        for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
      }
    }
    const std::string name = word.substr(0, word.find('='));
    return "unknown option '" + name + "'" + suggestion(name, known);
  }
  if (commands_of(command).empty()) return "unexpected argument '" + word + "'";
  return unknown_command(command, word);
}

/// Before the options are parsed there is nothing but the environment to go by.
bool colour_of_errors(const CLI::App& app) {
  try {
    return colours_on(STDERR_FILENO, colour_mode(app));
  } catch (const std::exception&) {
    return false;
  }
}

void print_error(const CLI::App& app, const std::string& message) {
  std::cout.flush();
  std::cerr << app.get_name() << ": " << styled("error:", Style::kBad, colour_of_errors(app)) << " "
            << printable_lines(message) << "\n";
}

int usage_error(const CLI::App& app, const std::string& message) {
  print_error(app, message);
  std::cerr << "See '" << full_name(deepest(app)) << " --help'.\n";
  return kUsage;
}

/// A full disk or a closed pipe shows up when the answer is flushed at the latest.
int finish_output(const CLI::App& app) {
  std::cout.flush();
  if (std::cout.good()) return 0;
  print_error(app, "cannot write to standard output");
  return kFailed;
}

/// A reader that went away is an error of writing, not our death; and no file that is opened later
/// may become one of the standard streams because that one was closed.
void secure_standard_streams() {
  ::signal(SIGPIPE, SIG_IGN);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    // For reading only: writing to a closed stream stays an error. Takes the lowest number: `fd`.
    if (::fcntl(fd, F_GETFD) < 0) static_cast<void>(::open("/dev/null", O_RDONLY));
  }
}

/// --log-level, else -v or -q, else $BITTERN_LOG_LEVEL, else warning.
std::string log_level(const CLI::App& app) {
  const CLI::App& root = root_of(app);
  if (root.count("--log-level") > 0) return root.get_option("--log-level")->as<std::string>();
  if (root.count("--quiet") > 0) return "error";
  const std::size_t verbose = root.count("--verbose");
  if (verbose > 0) return verbose > 1 ? "debug" : "info";
  const char* variable = std::getenv(kLevelVariable);
  if (variable == nullptr || *variable == '\0') return "warning";
  const auto& levels = log_levels();
  if (std::find(levels.begin(), levels.end(), variable) == levels.end()) {
    fail_usage("${}: there is no level '{}'{}", kLevelVariable, variable,
               suggestion(variable, levels));
  }
  return variable;
}

/// Options of every command. They are looked up in the application, so nothing is bound to them.
void add_global_options(CLI::App& app) {
  CLI::Option* verbose = app.add_flag("-v,--verbose", "Say what is done; -vv: in detail");
  CLI::Option* quiet = app.add_flag("-q,--quiet", "Errors only: no warnings, no phases, no meters");
  quiet->excludes(verbose);
  one_of(app.add_option("--log-level",
                        "Least severe messages on stderr; goes before -v and -q "
                        "[warning, or $BITTERN_LOG_LEVEL]"),
         log_levels());
  one_of(app.add_option("--color", "Colours [auto: on a terminal, unless $NO_COLOR is set]"),
         {"auto", "always", "never"});
  app.add_flag("--progress,!--no-progress",
               "Show (or hide) phases and meters; otherwise meters are shown on a terminal");
}

/// Every command's help says what is special about it; this is what it need not say.
void add_common_footer(CLI::App& app) {
  for (CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    add_common_footer(*command);
    const std::string own = command->get_footer();
    command->footer((own.empty() ? "" : own + "\n") +
                    "Options of every command (-v, -q, --log-level, --color, --progress) and exit "
                    "statuses: bittern --help");
  }
}

}  // namespace

int run_command_line(int argc, const char* const* argv, const std::string& version_text,
                     const std::function<void(CLI::App&)>& add_commands) {
  secure_standard_streams();
  CLI::App app("Searches bitwidths of neural networks on the real RTL of accelerators.", "bittern");
  app.set_version_flag("--version", version_text, "Print the version and leave");
  // Not "exactly one": CLI11 would then call every misspelt command a missing one.
  app.require_subcommand(0, 1);
  app.fallthrough();
  app.get_formatter()->column_width(34);
  app.footer(
      "Exit status: 0 done; 1 failed or found a difference; 2 used wrongly (command line or "
      "file).\n"
      "'bittern help COMMAND' explains a command, 'bittern completion --help' how a shell "
      "completes "
      "them.\n" +
      example("bittern doctor\n"
              "bittern measure --network lenet --variant bismo_edge --wbits 4 --abits 4\n"
              "bittern run configs/campaigns/quickstart.yaml"));
  try {
    add_global_options(app);
    // Logging starts before the command's callback runs, with whatever level was parsed.
    app.parse_complete_callback([&app] { start_logging(log_level(app), colour_mode(app)); });
    add_commands(app);
    add_common_footer(app);
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
    print_error(app, error.what());
    return static_cast<int>(error.status());
  } catch (const std::exception& error) {
    print_error(app, std::string("internal: ") + error.what() +
                         "\nThis is a defect of Bittern; please report it with the command line.");
    return kFailed;
  }
}

const CLI::App& root_of(const CLI::App& app) {
  return app.get_parent() == nullptr ? app : root_of(*app.get_parent());
}

std::string full_name(const CLI::App& app) {
  const CLI::App* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : full_name(*parent) + " " + app.get_name();
}

std::string help_text(const CLI::App& command) {
  return command.get_formatter()->make_help(&command, full_name(command),
                                            CLI::AppFormatMode::Normal);
}

std::vector<const CLI::App*> commands_of(const CLI::App& command) {
  return command.get_subcommands(
      [](const CLI::App* sub) { return !sub->get_name().empty() && !sub->get_group().empty(); });
}

const CLI::App& command_named(const CLI::App& app, const std::vector<std::string>& words) {
  const CLI::App* command = &app;
  for (const std::string& word : words) {
    const auto known = commands_of(*command);
    const auto found = std::find_if(known.begin(), known.end(),
                                    [&](const CLI::App* sub) { return sub->get_name() == word; });
    if (found == known.end()) {
      if (known.empty()) fail_usage("{} has no commands, so no '{}'", full_name(*command), word);
      fail_usage("{}", unknown_command(*command, word));
    }
    command = *found;
  }
  return *command;
}

std::shared_ptr<Phases> make_phases(const CLI::App& app) {
  const CLI::App& root = root_of(app);
  PhaseOptions options;
  if (root.count("--progress") > 0) {
    options.mode =
        root.get_option("--progress")->as<bool>() ? ProgressMode::kOn : ProgressMode::kOff;
  } else if (root.count("--quiet") > 0) {
    options.mode = ProgressMode::kOff;
  }
  options.lines = !logged_on_stderr("info");
  return std::make_shared<Phases>(options);
}

ColourMode colour_mode(const CLI::App& app) {
  const CLI::Option* option = root_of(app).get_option_no_throw("--color");
  return option == nullptr || option->count() == 0 ? ColourMode::kAuto
                                                   : parse_colour_mode(option->as<std::string>());
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
