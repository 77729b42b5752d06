#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <regex>

#include "apps/bittern/command_line.h"
#include "apps/bittern/commands.h"
#include "apps/bittern/doctor_verilator.h"
#include "apps/bittern/option_kinds.h"
#include "apps/bittern/process.h"
#include "host/base/data_sets.h"
#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/json.h"
#include "host/base/processors.h"
#include "host/base/stop.h"
#include "host/base/text.h"
#include "host/base/version.h"
#include "host/cores/cores.h"
#include "host/network/network.h"
#include "host/variant/variant.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;

struct Options {
  bool full = false;
  bool quick = false;
  bool json = false;
  std::string data;
};

enum class Verdict { kOk, kWarning, kFailure };

const char* verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk:
      return "ok";
    case Verdict::kWarning:
      return "warn";
    case Verdict::kFailure:
      return "FAIL";
  }
  return "";
}

Style verdict_style(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk:
      return Style::kGood;
    case Verdict::kWarning:
      return Style::kWarning;
    case Verdict::kFailure:
      return Style::kBad;
  }
  return Style::kPlain;
}

/// Prints each check as it is made, and keeps the score.
class Report {
 public:
  Report(bool json, bool colour) : json_(json), colour_(colour) {}

  void add(Verdict verdict, const std::string& name, const std::string& detail,
           const std::string& mend = "") {
    ++counts_[static_cast<std::size_t>(verdict)];
    checks_.push_back(
        {{"verdict", verdict_name(verdict)}, {"check", name}, {"detail", detail}, {"mend", mend}});
    if (json_) return;
    const std::string word = styled(verdict_name(verdict), verdict_style(verdict), colour_);
    const std::string pad(5 - std::string(verdict_name(verdict)).size(), ' ');
    // Details quote what tools said.
    std::cout << fmt::format("{}{} {:<20} {}\n", word, pad, name, printable_lines(detail));
    if (!mend.empty()) std::cout << fmt::format("{:<26} -> {}\n", "", printable_lines(mend));
    std::cout.flush();
  }
  void finish() const {
    if (json_) {
      std::cout << printed_json({{"checks", checks_}}) << "\n";
    } else {
      std::cout << fmt::format("\n{} checks: {} ok, {} warnings, {} failures\n", checks_.size(),
                               counts_[0], counts_[1], counts_[2]);
    }
  }
  bool failed() const { return counts_[static_cast<std::size_t>(Verdict::kFailure)] > 0; }

 private:
  bool json_;
  bool colour_;
  nlohmann::json checks_ = nlohmann::json::array();
  std::array<int, 3> counts_{};
};

/// A program that Bittern uses, and what for.
struct Tool {
  const char* name;
  std::vector<std::string> command;
  const char* version_pattern;
  std::array<int, 2> at_least;
  bool required;
  const char* package;
  const char* used_for;
};

void check_tool(Report& report, const Tool& tool) {
  const ToolResult result = run_tool(tool.command);
  const Verdict missing = tool.required ? Verdict::kFailure : Verdict::kWarning;
  const std::string mend = fmt::format("scripts/setup.sh, or: apt-get install {}", tool.package);
  if (!result.found) {
    report.add(missing, tool.name, fmt::format("not found; needed {}", tool.used_for), mend);
    return;
  }
  std::smatch match;
  if (!std::regex_search(result.output, match, std::regex(tool.version_pattern))) {
    report.add(Verdict::kWarning, tool.name, "its version could not be read", mend);
    return;
  }
  const std::array<int, 2> version = {std::stoi(match[1]), std::stoi(match[2])};
  const std::string shown = fmt::format("{}.{}", match[1].str(), match[2].str());
  if (version < tool.at_least) {
    report.add(missing, tool.name,
               fmt::format("{}, at least {}.{:03} is needed {}", shown, tool.at_least[0],
                           tool.at_least[1], tool.used_for),
               mend);
    return;
  }
  report.add(Verdict::kOk, tool.name, shown);
}

void check_tools(Report& report) {
  const std::vector<Tool> tools = {
      {"verilator",
       {"verilator", "--version"},
       R"(Verilator (\d+)\.(\d+))",
       {5, 6},
       true,
       "verilator",
       "to build devices"},
      {"g++", {"g++", "-dumpfullversion"}, R"((\d+)\.(\d+))", {9, 0}, true, "g++", "to build"},
      {"systemc",
       {"pkg-config", "--modversion", "systemc"},
       R"((\d+)\.(\d+\.?\d*))",
       {2, 3},
       true,
       "libsystemc-dev pkg-config",
       "to build devices"},
      {"cmake",
       {"cmake", "--version"},
       R"(version (\d+)\.(\d+))",
       {3, 23},
       true,
       "cmake",
       "to build"},
      {"ninja",
       {"ninja", "--version"},
       R"((\d+)\.(\d+))",
       {1, 10},
       true,
       "ninja-build",
       "to build"},
      {"ccache",
       {"ccache", "--version"},
       R"(version (\d+)\.(\d+))",
       {4, 0},
       false,
       "ccache",
       "to build faster"},
      {"yosys",
       {"yosys", "-V"},
       R"(Yosys (\d+)\.(\d+))",
       {0, 23},
       false,
       "yosys",
       "for scripts/synth.sh and scripts/lint.sh"},
      {"iverilog",
       {"iverilog", "-V"},
       R"(version (\d+)\.(\d+))",
       {11, 0},
       false,
       "iverilog",
       "for the tests against a second simulator"},
      {"clang-format",
       {"clang-format", "--version"},
       R"(version (\d+)\.(\d+))",
       {14, 0},
       false,
       "clang-format",
       "for scripts/lint.sh"},
  };
  for (const Tool& tool : tools) check_tool(report, tool);
}

void check_machine(Report& report) {
  const int cores = processors();
  const double gib = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) *
                     static_cast<double>(::sysconf(_SC_PAGE_SIZE)) / (1 << 30);
  const std::string detail = fmt::format("{} cores, {:.1f} GiB memory", cores, gib);
  if (gib < 3.5) {
    report.add(Verdict::kWarning, "machine", detail,
               "compiling against LibTorch takes 2 GiB a job: build with -j1");
  } else if (cores < 2) {
    report.add(Verdict::kWarning, "machine", detail,
               "simulators and training share the only core: searches take twice as long");
  } else {
    report.add(Verdict::kOk, "machine", detail);
  }
}

void check_agent(Report& report) {
  const fs::path agent = executable_folder() / "bittern-agent";
  std::error_code code;
  if (!fs::exists(agent, code)) {
    report.add(Verdict::kWarning, "libtorch", "this build has no agent: no training, no search",
               "configure with -DBITTERN_AGENT=ON and build");
    return;
  }
  const ToolResult result = run_tool({agent.string(), "--version"}, 30.0);
  std::smatch match;
  if (!result.good() ||
      !std::regex_search(result.output, match, std::regex(R"(LibTorch ([\d.]+))"))) {
    report.add(Verdict::kFailure, "libtorch", "bittern-agent does not start: " + result.output,
               "scripts/setup.sh, then build again");
    return;
  }
  report.add(Verdict::kOk, "libtorch", match[1]);
}

void check_configs(Report& report) {
  report.add(Verdict::kOk, "configs", (home_folder() / "configs").string());
  std::string built, missing;
  for (const std::string& name : variant_names()) {
    load_variant(name);
    std::error_code code;
    const bool there = fs::exists(executable_folder() / ("bittern-device-" + name), code);
    (there ? built : missing) += " " + name;
  }
  for (const std::string& name : network_names()) load_network(name);
  if (!missing.empty()) {
    report.add(built.empty() ? Verdict::kFailure : Verdict::kWarning, "devices",
               "not built:" + missing,
               "cmake --build " + executable_folder().parent_path().string());
  } else {
    report.add(Verdict::kOk, "devices", "built:" + built);
  }
}

void check_data(Report& report, const std::string& given) {
  for (const DataSetInfo& set : data_sets()) {
    // What everybody needs none of is shown where it is found.
    const bool usual = set.name == "mnist" || set.name == "cifar10";
    if (set.any_of.empty()) continue;
    try {
      report.add(Verdict::kOk, set.name, find_data_folder(set, given).string());
    } catch (const Error&) {
      if (!usual) continue;
      report.add(Verdict::kWarning, set.name, "not found",
                 fmt::format("put its {} into data/{} (scripts/get_data.sh {} fetches them), or "
                             "name their folder with BITTERN_DATA; the quickstart needs none",
                             set.files, set.name, set.name));
    }
  }
}

std::string wrong_ones(const std::vector<PatternResult>& results) {
  std::string out;
  for (const PatternResult& result : results) {
    if (result.wrong == 0) continue;
    out += fmt::format("{}{} ({} of {})", out.empty() ? "" : ", ", result.name, result.wrong,
                       result.samples);
  }
  return out;
}

void check_results(Report& report, bool full) {
  std::vector<std::string> flags = device_verilator_flags();
  const char* name = "verilator results";
  try {
    const auto results = check_verilator(flags);
    const std::string wrong = wrong_ones(results);
    if (wrong.empty()) {
      report.add(Verdict::kOk, name,
                 fmt::format("{} patterns right with our flags", results.size()));
    } else {
      report.add(Verdict::kFailure, name, "wrong values: " + wrong,
                 "this Verilator miscompiles bit-level logic, measurements would be wrong: use "
                 "Debian's 5.006 or a current release");
    }
    if (!full) return;
    throw_if_stopped();
    flags.erase(std::remove(flags.begin(), flags.end(), "-fno-const-bit-op-tree"), flags.end());
    const std::string unflagged = wrong_ones(check_verilator(flags));
    report.add(Verdict::kOk, "without the flag",
               unflagged.empty()
                   ? "right even without -fno-const-bit-op-tree"
                   : "-fno-const-bit-op-tree is needed here; wrong without it: " + unflagged);
  } catch (const Stopped&) {
    throw;
  } catch (const Error& error) {
    report.add(Verdict::kFailure, name, error.what(), "scripts/setup.sh");
  }
}

void run(const Options& options, const CLI::App& command) {
  Report report(options.json, colours_on(STDOUT_FILENO, colour_mode(command)));
  report.add(Verdict::kOk, "bittern",
             fmt::format("{} ({}, {})", version(), source_revision(), build_description()));
  check_machine(report);
  check_tools(report);
  check_agent(report);
  check_configs(report);
  check_data(report, options.data);
  throw_if_stopped();
  if (!options.quick) check_results(report, options.full);
  report.finish();
  if (report.failed()) throw CLI::RuntimeError(static_cast<int>(ExitStatus::kFailed));
}

}  // namespace

void add_doctor(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "doctor", "Check tools, data, and that Verilator computes rightly; say how to mend it");
  auto* quick = command->add_flag("--quick", options->quick, "Skip what needs compiling");
  command
      ->add_flag("--full", options->full, "Also show what Verilator gets wrong without our flags")
      ->excludes(quick);
  command->add_flag("--json", options->json, "Print JSON");
  text_of(command->add_option("--data", options->data, "Folder with data sets to look in first"),
          kFolder);
  command->footer("Exit status 1: a check failed.\n" +
                  example("bittern doctor\nbittern doctor --full"));
  command->callback([options, command] { run(*options, *command); });
}

}  // namespace bittern
