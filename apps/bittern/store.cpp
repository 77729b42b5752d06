#include "host/store/store.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "apps/bittern/command_line.h"
#include "apps/bittern/commands.h"
#include "apps/bittern/option_kinds.h"
#include "apps/bittern/table_options.h"
#include "host/base/error.h"
#include "host/base/file.h"
#include "host/base/json.h"
#include "host/base/table.h"
#include "host/cores/planner_hash.h"
#include "host/store/store_gc.h"

namespace bittern {
namespace {

struct Options {
  std::string store;
  std::string variant;
  std::string key;
  TableOptions table;
  std::string format = "csv";
  std::string out;
  bool damaged = false;
  bool all = false;
  bool dry_run = false;
  bool yes = false;
};

std::filesystem::path place(const Options& options) {
  return options.store.empty() ? MeasurementStore::default_path()
                               : std::filesystem::path(options.store);
}

/// The store, which has to be there: looking must not make one.
std::unique_ptr<MeasurementStore> open(const Options& options) {
  const std::filesystem::path path = place(options);
  std::error_code code;
  if (!std::filesystem::exists(path, code)) {
    fail("there is no measurement store {} yet; 'bittern measure' makes it", path.string());
  }
  return std::make_unique<MeasurementStore>(path);
}

std::string bits_text(int bits, bool is_signed) {
  return std::to_string(bits) + (is_signed ? "s" : "u");
}

std::string state_text(const StoredMeasurement& row) {
  if (row.damaged) return "damaged";
  return row.measurement.checked ? "checked" : "unchecked";
}

/// `whole_keys`: not only their first digits, which are enough for people.
Table table_of(const std::vector<StoredMeasurement>& rows, bool whole_keys) {
  Table table;
  table.text_column("key").text_column("variant").text_column("layer").text_column("wbits");
  table.text_column("abits").integer_column("batch").detail().integer_column("cycles");
  table.text_column("origin").text_column("state");
  table.mark("damaged", Style::kBad).mark("unchecked", Style::kWarning);
  table.text_column("created").spare();
  table.integer_column("bytes_read").detail().integer_column("bytes_written").detail();
  table.text_column("schedule").detail().text_column("rtl_hash").detail();
  table.text_column("variant_key").detail().text_column("result").detail();
  table.text_column("program").detail();
  table.text_column("events").detail().text_column("tools").detail();
  for (const StoredMeasurement& row : rows) {
    const MeasurementKey& k = row.key;
    const Measurement& m = row.measurement;
    std::vector<Table::Cell> cells = {
        whole_keys ? m.key : m.key.substr(0, 12),
        k.variant,
        k.layer_key,
        bits_text(k.precision.bits.weight, k.precision.weight_signed),
        bits_text(k.precision.bits.activation, k.precision.activation_signed),
        std::int64_t{k.batch},
        static_cast<std::int64_t>(m.cycles),
        origin_name(m.origin),
        state_text(row),
        row.created};
    cells.push_back(static_cast<std::int64_t>(m.bytes_read));
    cells.push_back(static_cast<std::int64_t>(m.bytes_written));
    cells.push_back(k.schedule);
    cells.push_back(k.rtl_hash);
    cells.push_back(k.variant_key);
    cells.push_back(bits_text(k.result_bits, k.result_signed));
    cells.push_back(k.program);
    cells.push_back(nlohmann::json(m.events).dump());
    cells.push_back(row.tools);
    table.row(std::move(cells));
  }
  return table;
}

nlohmann::json json_of(const StoredMeasurement& row) {
  const MeasurementKey& k = row.key;
  const Measurement& m = row.measurement;
  return {{"key", m.key},
          {"variant", k.variant},
          {"variant_key", k.variant_key},
          {"rtl_hash", k.rtl_hash},
          {"origin", origin_name(m.origin)},
          {"layer", k.layer_key},
          {"weight_bits", k.precision.bits.weight},
          {"weight_signed", k.precision.weight_signed},
          {"activation_bits", k.precision.bits.activation},
          {"activation_signed", k.precision.activation_signed},
          {"batch", k.batch},
          {"schedule", k.schedule},
          {"result_bits", k.result_bits},
          {"result_signed", k.result_signed},
          {"program", k.program},
          {"cycles", m.cycles},
          {"bytes_read", m.bytes_read},
          {"bytes_written", m.bytes_written},
          {"events", m.events},
          {"state", state_text(row)},
          {"remote", m.remote},
          {"tools", row.tools},
          {"created", row.created}};
}

void ls(const Options& options, const CLI::App& command) {
  const OutputFormat format = options.table.format();
  const auto store = open(options);
  StoreFilter filter;
  filter.variant = options.variant;
  const std::vector<StoredMeasurement> rows = store->list(filter);
  std::cout << options.table.render(table_of(rows, format != OutputFormat::kTable), command);
  if (format == OutputFormat::kTable) {
    std::cout << fmt::format("\n{} measurements in {}\n", rows.size(), store->path().string());
  }
}

void show(const Options& options, const CLI::App&) {
  const auto store = open(options);
  StoreFilter filter;
  filter.key_prefix = options.key;
  const std::vector<StoredMeasurement> rows = store->list(filter);
  if (rows.empty()) {
    fail("no measurement in {} has a key that begins with '{}'; 'bittern store ls' lists them",
         store->path().string(), options.key);
  }
  if (rows.size() > 1) {
    fail("{} measurements in {} have keys that begin with '{}'; give more of it", rows.size(),
         store->path().string(), options.key);
  }
  std::cout << printed_json(json_of(rows.front())) << "\n";
}

void export_rows(const Options& options, const CLI::App&) {
  const OutputFormat format = parse_output_format(options.format);
  const std::string out = options.out.empty() ? "-" : options.out;
  check_output_file(out);
  const auto store = open(options);
  StoreFilter filter;
  filter.variant = options.variant;
  const std::vector<StoredMeasurement> rows = store->list(filter);
  std::string text;
  if (format == OutputFormat::kJson) {
    nlohmann::json all = nlohmann::json::array();
    for (const StoredMeasurement& row : rows) all.push_back(json_of(row));
    text = printed_json(all) + "\n";
  } else {
    TableView everything;
    everything.columns = {"all"};
    text = table_of(rows, true).render(format, everything);
  }
  write_file(out, text);
  if (!is_standard_output(out)) {
    std::cerr << fmt::format("{} measurements written to {}\n", rows.size(), out);
  }
}

/// Whether the user agrees; yes when nobody is there to be asked.
bool agreed(const Options& options, std::size_t rows, std::size_t plans) {
  if (options.yes || ::isatty(STDIN_FILENO) == 0) return true;
  std::cout << fmt::format("remove these {} measurements and {} plans? [y/N] ", rows, plans)
            << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

void gc(const Options& options, const CLI::App&) {
  const auto store = open(options);
  if (!options.dry_run) store->require_writable("keeps what it has");
  StoreFilter filter;
  filter.variant = options.variant;
  const std::vector<StoredMeasurement> rows = store->list(filter);
  const GcScope scope = options.all       ? GcScope::kAll
                        : options.damaged ? GcScope::kDamaged
                                          : GcScope::kStale;
  const GcPlan plan =
      plan_gc(rows, scope, scope == GcScope::kStale ? built_devices() : std::vector<BuiltDevice>{});
  // A plan is of a variant's parameters, not of its name; a damaged one does no harm.
  PlanCount plans;
  if (options.variant.empty() && scope != GcScope::kDamaged) {
    plans = store->count_plans(planner_hash());
  }
  const bool all_plans = options.all && options.variant.empty();
  const std::size_t stale_plans = all_plans ? plans.all : plans.stale;
  std::cout << gc_text(plan);
  if (stale_plans > 0) {
    std::cout << fmt::format("remove {:>6}  plans{}\n", stale_plans,
                             all_plans ? "" : " of other planners than this one, or damaged");
  }
  const auto done = [&](const char* what, std::size_t count, std::size_t of_plans) {
    std::cout << fmt::format("{} {} of {} measurements and {} of {} plans from {}\n", what, count,
                             rows.size(), of_plans, plans.all, store->path().string());
  };
  if (options.dry_run) return done("would remove", plan.keys.size(), stale_plans);
  if (plan.keys.empty() && stale_plans == 0) return done("removed", 0, 0);
  if (!agreed(options, plan.keys.size(), stale_plans)) return done("removed", 0, 0);
  const std::size_t removed = store->remove(plan.keys);
  const std::size_t removed_plans =
      stale_plans > 0 ? store->remove_plans(planner_hash(), all_plans) : 0;
  store->compact();
  done("removed", removed, removed_plans);
}

}  // namespace

void add_store(CLI::App& app) {
  CLI::App* command = app.add_subcommand("store", "Look at the measurements that are kept");
  command->require_subcommand(1);
  const auto add = [command](const char* name, const char* about, auto action) {
    auto options = std::make_shared<Options>();
    CLI::App* sub = command->add_subcommand(name, about);
    text_of(sub->add_option("--store", options->store,
                            "Measurement store; otherwise $BITTERN_STORE or the one in the cache "
                            "folder"),
            kFile);
    sub->callback([options, action, sub] { action(*options, *sub); });
    return std::make_pair(sub, options);
  };
  const auto variant = [](const auto& sub) {
    text_of(sub.first->add_option("--variant", sub.second->variant, "Only of this variant (name)"),
            kVariant);
  };
  const auto list = add("ls", "List measurements", ls);
  variant(list);
  list.second->table.add_to(*list.first);
  list.first->footer(example("bittern store ls --variant bismo_edge"));

  const auto one = add("show", "Everything about one measurement, as JSON", show);
  text_of(one.first->add_option("key", one.second->key, "Key, or its first digits"), "KEY")
      ->required();
  one.first->footer(example("bittern store show 3f2a"));

  const auto all = add("export", "Every measurement with all its fields", export_rows);
  variant(all);
  one_of(all.first->add_option("--format", all.second->format, "How they are written"),
         {"csv", "json", "table"})
      ->capture_default_str();
  text_of(all.first->add_option("--out", all.second->out,
                                "File; otherwise, or with -, standard output"),
          kFile);
  all.first->footer(example("bittern store export --format csv --out measurements.csv"));

  const auto clean = add(
      "gc",
      "Remove measurements that no RTL that is built can answer for, and plans of other planners, "
      "after saying which",
      gc);
  variant(clean);
  clean.first->add_flag("--damaged", clean.second->damaged, "Remove damaged rows only");
  clean.first->add_flag("--all", clean.second->all, "Remove everything (of the variant)");
  clean.first->add_flag("--dry-run", clean.second->dry_run, "Only say what would be removed");
  clean.first->add_flag("--yes", clean.second->yes, "Do not ask, also at a terminal");
  clean.first->footer(example("bittern store gc --dry-run\nbittern store gc --damaged"));
  command->footer(
      example("bittern store ls --variant bismo_edge\nbittern store show 3f2a\n"
              "bittern store export --format csv --out measurements.csv\nbittern store gc"));
}

}  // namespace bittern
