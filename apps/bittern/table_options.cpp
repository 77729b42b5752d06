#include "apps/bittern/table_options.h"

#include <unistd.h>

#include "apps/bittern/command_line.h"
#include "apps/bittern/option_kinds.h"
#include "host/base/error.h"

namespace bittern {

void TableOptions::add_to(CLI::App& command, bool sums) {
  one_of(command.add_option("--format", format_, "How the answer is printed"),
         {"table", "csv", "json"})
      ->capture_default_str();
  text_of(command.add_option("--columns", columns_,
                             "Columns of the table, commas between, or all; otherwise the "
                             "important ones. CSV and JSON have all"),
          "NAME,...")
      ->delimiter(',')
      ->allow_extra_args(false);
  if (sums) command.add_flag("--total", total_, "CSV: sums as last rows");
}

OutputFormat TableOptions::format() const {
  const OutputFormat format = parse_output_format(format_);
  if (!columns_.empty() && format != OutputFormat::kTable) {
    fail_usage("--columns: --format {} always has all columns", format_);
  }
  if (total_ && format != OutputFormat::kCsv) {
    fail_usage("--total: for --format csv; a table shows its sums, JSON has them apart");
  }
  return format;
}

void TableOptions::check_columns(const Table& table) const {
  TableView view;
  view.columns = columns_;
  table.render(OutputFormat::kTable, view);
}

TableView TableOptions::view(const CLI::App& command) const {
  TableView view;
  view.columns = columns_;
  view.width = terminal_columns(STDOUT_FILENO);
  view.colour = colours_on(STDOUT_FILENO, colour_mode(command));
  view.more = "--columns all";
  view.csv_totals = total_;
  return view;
}

std::string TableOptions::render(const Table& table, const CLI::App& command) const {
  return table.render(format(), view(command));
}

}  // namespace bittern
