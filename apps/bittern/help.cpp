#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "apps/bittern/command_line.h"
#include "apps/bittern/commands.h"
#include "apps/bittern/manual.h"
#include "apps/bittern/option_kinds.h"
#include "host/base/file.h"

namespace bittern {
namespace {

struct ManualOptions {
  std::vector<std::string> words;
  std::string out;
};

void manual(const ManualOptions& options, const CLI::App& root) {
  if (options.out.empty()) {
    const CLI::App& named = command_named(root, options.words);
    // Pages are of commands; a command of a command is a part of its page.
    const CLI::App* page = &named;
    while (page->get_parent() != nullptr && page->get_parent() != &root) page = page->get_parent();
    std::cout << manual_page(*page);
    return;
  }
  const std::filesystem::path folder = options.out;
  write_file(folder / "bittern.1", manual_page(root));
  for (const CLI::App* command : commands_of(root)) {
    write_file(folder / ("bittern-" + command->get_name() + ".1"), manual_page(*command));
  }
}

}  // namespace

void add_help(CLI::App& app) {
  auto words = std::make_shared<std::vector<std::string>>();
  CLI::App* command = app.add_subcommand("help", "Explain a command");
  text_of(command->add_option("command", *words, "A command, and a command of that one"),
          "COMMAND");
  command->footer(example("bittern help\nbittern help measure\nbittern help store gc"));
  command->callback([words, &app] { std::cout << help_text(command_named(app, *words)); });
}

void add_man(CLI::App& app) {
  auto options = std::make_shared<ManualOptions>();
  CLI::App* command = app.add_subcommand("man", "Print the manual page of a command");
  text_of(command->add_option("command", options->words, "A command; none: bittern itself"),
          "COMMAND");
  text_of(command->add_option("--out", options->out,
                              "Write all pages (bittern.1, bittern-run.1, ...) into this folder"),
          kFolder);
  command->footer(example("bittern man run | man -l -\nbittern man --out share/man/man1"));
  command->callback([options, &app] { manual(*options, app); });
}

}  // namespace bittern
