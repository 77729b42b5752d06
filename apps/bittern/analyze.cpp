#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "apps/bittern/command_line.h"
#include "apps/bittern/commands.h"
#include "apps/bittern/option_kinds.h"
#include "host/analysis/campaign_analysis.h"
#include "host/analysis/campaign_data.h"
#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/json.h"
#include "host/base/table.h"
#include "host/base/terminal.h"
#include "host/base/text.h"
#include "host/report/analysis_tables.h"
#include "host/report/cells_report.h"
#include "host/report/tensorboard.h"

namespace bittern {
namespace {

struct Options {
  std::vector<std::string> folders;
  std::string against;
  std::string table = "methods";
  bool table_given = false;
  std::string format = "table";
  std::string report;
  std::string tensorboard;
};

const std::vector<std::string>& table_names() {
  static const std::vector<std::string> names = {"methods",  "pairs",  "additive", "quality",
                                                 "transfer", "curves", "episodes"};
  return names;
}

std::string text_of_tables(const Options& options, const std::vector<NamedTable>& tables,
                           const CLI::App& command) {
  TableView view;
  view.width = terminal_columns(STDOUT_FILENO);
  view.colour = colours_on(STDOUT_FILENO, colour_mode(command));
  std::string text;
  for (const NamedTable& named : tables) {
    // Curves are for programs and charts: hundreds of rows.
    if (options.table_given ? named.name != options.table : named.name == "curves") continue;
    text += fmt::format("\n{} ({})\n{}", named.title, named.note,
                        named.table.render(OutputFormat::kTable, view));
  }
  return text;
}

/// An event file for each cell, in a folder of its name: what TensorBoard takes for a run.
void write_tensorboard(const AnalysedCampaigns& campaigns, const std::filesystem::path& folder) {
  std::set<std::string> names;
  for (const AnalysedCell& cell : campaigns.cells) {
    std::string name = std::filesystem::absolute(cell.folder).lexically_normal().filename();
    if (name.empty()) name = cell.folder.parent_path().filename();
    const std::string plain = name;
    for (int n = 2; !names.insert(name).second; ++n) name = fmt::format("{}-{}", plain, n);
    write_file(folder / name / "events.out.tfevents.0.bittern", tensorboard_events(cell.lines));
  }
  std::cerr << fmt::format("{} runs written to {}; see them with tensorboard --logdir {}\n",
                           campaigns.cells.size(), folder.string(), folder.string());
}

void analyze(const Options& options, const CLI::App& command) {
  const OutputFormat format = parse_output_format(options.format);
  if (!options.report.empty()) check_output_file(options.report);
  const std::vector<std::filesystem::path> folders(options.folders.begin(), options.folders.end());
  const AnalysedCampaigns campaigns = read_campaigns(folders);
  const CampaignAnalysis analysis = analyse(campaigns, options.against);
  if (!options.report.empty()) {
    const std::filesystem::path folder = std::filesystem::absolute(options.report).parent_path();
    write_file(options.report, cells_report_html(campaigns, analysis, folder));
  }
  if (!options.tensorboard.empty()) write_tensorboard(campaigns, options.tensorboard);
  // The page has standard output for itself.
  std::ostream& out =
      !options.report.empty() && is_standard_output(options.report) ? std::cerr : std::cout;
  if (format == OutputFormat::kJson) {
    out << printed_json(analysis_json(campaigns, analysis)) << "\n";
    return;
  }
  std::vector<NamedTable> tables = analysis_tables(campaigns, analysis);
  if (options.table == "episodes") {
    tables.push_back(
        {"episodes", "Episodes", "every evaluation of every cell", episodes_table(campaigns)});
  }
  if (format == OutputFormat::kCsv) {
    for (const NamedTable& named : tables) {
      if (named.name == options.table) out << named.table.render(format);
    }
    return;
  }
  std::string text;
  for (const std::string& verdict : analysis.verdicts) text += verdict + "\n";
  text += text_of_tables(options, tables, command);
  for (const std::string& note : campaigns.notes) text += "note: " + note + "\n";
  out << printable_lines(text);
}

}  // namespace

void add_analyze(CLI::App& app) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand(
      "analyze", "What finished campaigns show: methods compared over seeds, with intervals");
  text_of(command->add_option("folders", options->folders,
                              "Directories of bittern run, of one cell or of many"),
          kFolder)
      ->required();
  text_of(command->add_option("--against", options->against,
                              "Method that the others are compared with; otherwise sensitivity "
                              "(with its knapsack), or random where it is not there"),
          "METHOD");
  CLI::Option* table =
      one_of(command->add_option("--table", options->table,
                                 "Only this table; CSV holds one, otherwise that of the methods"),
             table_names());
  text_of(command->add_option("--report", options->report,
                              "Write an HTML page with charts here; -: to standard output, the "
                              "tables to stderr"),
          kFile);
  text_of(command->add_option("--tensorboard", options->tensorboard,
                              "Write TensorBoard event files here, a folder for each cell"),
          kFolder);
  one_of(command->add_option("--format", options->format, "How the answer is printed"),
         {"table", "csv", "json"})
      ->capture_default_str();
  command->footer(
      example("bittern analyze out/quickstart_methods\n"
              "bittern analyze out/a out/b --against random\n"
              "bittern analyze out/quickstart_methods --report methods.html\n"
              "bittern analyze out/quickstart_methods --tensorboard logs\n"
              "bittern analyze out/quickstart_methods --format csv --table curves"));
  command->callback([options, table, command] {
    options->table_given = table->count() > 0;
    analyze(*options, *command);
  });
}

}  // namespace bittern
