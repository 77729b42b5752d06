#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "apps/bittern/command_line.h"
#include "apps/bittern/commands.h"
#include "apps/bittern/table_options.h"
#include "host/campaign/campaign.h"

namespace bittern {
namespace {

/// "latency <= 0.25 of 8/8, energy <= 0.001 J".
std::string constraints_text(const Campaign& campaign) {
  std::string text;
  for (const ConstraintSettings& c : campaign.constraints) {
    const char* unit = c.resource == "latency" ? "s" : c.resource == "energy" ? "J" : "bytes";
    text += fmt::format("{}{} <= {:g} {}", text.empty() ? "" : ", ", c.resource, c.limit,
                        c.is_ratio ? "of 8/8" : unit);
  }
  return text;
}

/// What the cells of a campaign have, each once.
template <typename Get>
std::string seen_in(const std::vector<Campaign>& cells, Get get) {
  std::vector<std::string> seen;
  for (const Campaign& cell : cells) {
    const std::string text = get(cell);
    if (std::find(seen.begin(), seen.end(), text) == seen.end()) seen.push_back(text);
  }
  return fmt::format("{}", fmt::join(seen, " | "));
}

void list(const TableOptions& options, const CLI::App& command) {
  options.format();
  Table table;
  table.text_column("campaign").text_column("network").text_column("variant");
  table.text_column("method").text_column("constraint").text_column("cost").detail();
  table.text_column("dataset").detail().integer_column("evaluations").detail();
  table.text_column("description").spare();
  for (const std::string& name : campaign_names()) {
    const std::vector<Campaign> cells = load_cells(name);
    const Campaign& campaign = cells.front();
    table.row({name, seen_in(cells, [](const Campaign& c) { return c.network; }),
               seen_in(cells, [](const Campaign& c) { return c.variant; }),
               seen_in(cells, [](const Campaign& c) { return c.method.name; }),
               seen_in(cells, constraints_text), campaign.cost, campaign.data.dataset,
               std::int64_t{campaign.search.budget()}, campaign.description});
  }
  std::cout << options.render(table, command);
}

}  // namespace

void add_campaigns(CLI::App& app) {
  auto options = std::make_shared<TableOptions>();
  CLI::App* command =
      app.add_subcommand("campaigns", "List the campaigns that come with Bittern, for bittern run");
  options->add_to(*command);
  command->footer(example("bittern campaigns\nbittern campaigns --format json"));
  command->callback([options, command] { list(*options, *command); });
}

}  // namespace bittern
