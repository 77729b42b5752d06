#include "apps/bittern/completion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <functional>
#include <iostream>
#include <memory>
#include <vector>

#include "apps/bittern/command_line.h"
#include "apps/bittern/commands.h"
#include "apps/bittern/option_kinds.h"
#include "host/base/zoo.h"

namespace bittern {
namespace {

/// Calls `visit` for a command and all below it.
void each_command(const CLI::App& command, const std::function<void(const CLI::App&)>& visit) {
  visit(command);
  for (const CLI::App* sub : commands_of(command)) each_command(*sub, visit);
}

/// "store gc" of "bittern store gc"; empty for the application.
std::string path_of(const CLI::App& command) {
  const std::string name = full_name(command);
  const std::size_t space = name.find(' ');
  return space == std::string::npos ? "" : name.substr(space + 1);
}

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0 && option.get_type_size() != 0;
}

std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  for (const std::string& name : option.get_fnames()) names.push_back("--" + name);
  return names;
}

/// What the value of an option is, in words of the scripts: "@names networks", "@files",
/// "@folders",
/// "@commands", or the words themselves.
std::string values_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  if (type == kNetwork) return "@names networks";
  if (type == kVariant || type == "VARIANT,...") return "@names variants";
  if (type == kCampaign) return "@names campaigns";
  if (type == kFile) return "@files";
  if (type == kFolder) return "@folders";
  if (type == "COMMAND") return "@commands";
  return fmt::format("{}", fmt::join(words_of(option), " "));
}

/// Functions that bash and zsh share: what each command has.
std::string tables(const CLI::App& root) {
  std::string commands, options, values;
  each_command(root, [&](const CLI::App& command) {
    const std::string path = path_of(command);
    std::vector<std::string> subs, names;
    for (const CLI::App* sub : commands_of(command)) subs.push_back(sub->get_name());
    if (!subs.empty()) {
      commands += fmt::format("    '{}') echo '{}' ;;\n", path, fmt::join(subs, " "));
    }
    for (const CLI::Option* option : command.get_options()) {
      const std::vector<std::string> own = names_of(*option);
      names.insert(names.end(), own.begin(), own.end());
      const std::string value = takes_value(*option) ? values_of(*option) : "";
      const std::string shown = takes_value(*option) && value.empty() ? "@value" : value;
      if (shown.empty()) continue;
      if (own.empty()) {
        values += fmt::format("    '{} @') echo '{}' ;;\n", path, shown);
      } else {
        for (const std::string& name : own) {
          values += fmt::format("    '{} {}') echo '{}' ;;\n", path, name, shown);
        }
      }
    }
    options += fmt::format("    '{}') echo '{}' ;;\n", path, fmt::join(names, " "));
  });
  const auto function = [](const char* name, const std::string& cases) {
    return fmt::format("{}() {{\n  case \"$1\" in\n{}  esac\n}}\n", name, cases);
  };
  return "# What a command ('store gc'; '' is bittern itself) has.\n" +
         function("_bittern_commands", commands) + function("_bittern_options", options) +
         "# What follows an option ('store gc --variant') or stands alone ('networks @').\n" +
         function("_bittern_values", values);
}

/// Finds command, option and candidates; `words` and `current` come from the shell.
constexpr const char* kCandidates = R"sh(
# Sets `kind` (words, files, folders) and `candidates` from: program, word before, word to complete,
# words before it.
_bittern_candidates() {
  local program="$1" previous="$2" current="$3" at='' word next values
  shift 3
  kind=words candidates=''
  for word in "$@"; do
    next="${at:+$at }$word"
    case " $(_bittern_commands "$at") " in *" $word "*) [ "$at" = help ] || [ "$at" = man ] || at="$next" ;; esac
  done
  case "$previous" in
    -*) values="$(_bittern_values "$at $previous")"
        [ -n "$values" ] || values="$(_bittern_values " $previous")" ;;
    *) values='' ;;
  esac
  if [ -z "$values" ]; then
    case "$current" in
      -*) candidates="$(_bittern_options "$at") $(_bittern_options '')"; return ;;
    esac
    candidates="$(_bittern_commands "$at")"
    [ -z "$candidates" ] || return
    values="$(_bittern_values "$at @")"
  fi
  case "$values" in
    '@names '*) candidates="$("$program" completion --names "${values#@names }" 2>/dev/null | tr '\n' ' ')"
                kind=yaml ;;
    @files) kind=files ;;
    @folders) kind=folders ;;
    @commands) candidates="$(_bittern_commands '')" ;;
    @value) ;;
    *) candidates="$values" ;;
  esac
}
)sh";

constexpr const char* kBash = R"sh(
_bittern() {
  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" kind candidates
  # bash cuts --option=value into three words.
  if [ "$current" = = ]; then
    current=''
  elif [ "$previous" = = ]; then
    previous="${COMP_WORDS[COMP_CWORD-2]}"
  fi
  _bittern_candidates "${COMP_WORDS[0]}" "$previous" "$current" "${COMP_WORDS[@]:1:COMP_CWORD-1}"
  COMPREPLY=()
  case "$kind" in
    files) mapfile -t COMPREPLY < <(compgen -f -- "$current"); compopt -o filenames 2>/dev/null ;;
    folders) mapfile -t COMPREPLY < <(compgen -d -- "$current"); compopt -o filenames 2>/dev/null ;;
    yaml) mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "$current"; compgen -f -X '!*.yaml' -- "$current") ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "$current") ;;
  esac
}
complete -F _bittern bittern
)sh";

constexpr const char* kZsh = R"sh(
_bittern() {
  local kind candidates
  _bittern_candidates "$words[1]" "$words[CURRENT-1]" "$words[CURRENT]" "${(@)words[2,CURRENT-1]}"
  case "$kind" in
    files) _files ;;
    folders) _files -/ ;;
    yaml) compadd -- ${=candidates}; _files -g '*.yaml' ;;
    *) compadd -- ${=candidates} ;;
  esac
}
if [ "$funcstack[1]" = _bittern ]; then _bittern "$@"; else compdef _bittern bittern; fi
)sh";

std::string fish_quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

/// When a command is the one being typed: all its words were seen, none of those below it.
std::string fish_condition(const CLI::App& command) {
  std::vector<std::string> parts;
  for (const CLI::App* level = &command; level->get_parent() != nullptr;
       level = level->get_parent()) {
    parts.insert(parts.begin(), "__fish_seen_subcommand_from " + level->get_name());
  }
  std::vector<std::string> subs;
  for (const CLI::App* sub : commands_of(command)) subs.push_back(sub->get_name());
  if (!subs.empty()) {
    parts.push_back(fmt::format("not __fish_seen_subcommand_from {}", fmt::join(subs, " ")));
  }
  return fmt::format("{}", fmt::join(parts, "; and "));
}

std::string fish_values(const CLI::App& root, const CLI::Option& option) {
  const std::string values = values_of(option);
  if (values == "@files") return " -r -F";
  if (values == "@folders") return " -x -a '(__fish_complete_directories)'";
  if (values.rfind("@names ", 0) == 0) {
    return fmt::format(" -r -a '(bittern completion --names {})'", values.substr(7));
  }
  if (values == "@commands") {
    std::vector<std::string> subs;
    for (const CLI::App* sub : commands_of(root)) subs.push_back(sub->get_name());
    return " -x -a " + fish_quoted(fmt::format("{}", fmt::join(subs, " ")));
  }
  return values.empty() ? " -x" : " -x -a " + fish_quoted(values);
}

std::string fish_script(const CLI::App& root) {
  std::string out = "complete -c bittern -f\n";
  each_command(root, [&](const CLI::App& command) {
    const bool is_root = command.get_parent() == nullptr;
    const std::string when = fish_condition(command);
    for (const CLI::App* sub : commands_of(command)) {
      out += fmt::format("complete -c bittern -n {} -a {} -d {}\n", fish_quoted(when),
                         sub->get_name(), fish_quoted(sub->get_description()));
    }
    for (const CLI::Option* option : command.get_options()) {
      // Those of the application are taken behind every command.
      std::string line = "complete -c bittern";
      if (!is_root) line += " -n " + fish_quoted(when);
      for (const std::string& name : option->get_snames()) line += " -s " + name;
      for (const std::string& name : option->get_lnames()) line += " -l " + name;
      for (const std::string& name : option->get_fnames()) line += " -l " + name;
      if (takes_value(*option)) line += fish_values(root, *option);
      out += line + " -d " + fish_quoted(option->get_description()) + "\n";
    }
  });
  return out;
}

struct CompletionOptions {
  std::string shell;
  std::string names;
};

void complete(const CompletionOptions& options, const CLI::App& app) {
  if (!options.names.empty()) {
    for (const std::string& name : zoo_names(options.names)) std::cout << name << "\n";
    return;
  }
  std::cout << completion_script(app, options.shell);
}

}  // namespace

std::string completion_script(const CLI::App& root, const std::string& shell) {
  const std::string about = "# Completion of bittern for " + shell + ".\n";
  if (shell == "fish") return about + fish_script(root);
  if (shell == "zsh") return "#compdef bittern\n" + about + tables(root) + kCandidates + kZsh;
  return about + tables(root) + kCandidates + kBash;
}

void add_completion(CLI::App& app) {
  auto options = std::make_shared<CompletionOptions>();
  CLI::App* command = app.add_subcommand(
      "completion", "Print the script with which a shell completes commands, options and names");
  CLI::Option* shell =
      one_of(command->add_option("shell", options->shell, "Which shell"), {"bash", "zsh", "fish"});
  CLI::Option* names =
      one_of(command->add_option("--names", options->names,
                                 "Print the names that come with Bittern instead, one a line"),
             {"networks", "variants", "campaigns"});
  shell->excludes(names);
  command->footer(
      "bash: put 'eval \"$(bittern completion bash)\"' into ~/.bashrc. zsh: write it to _bittern "
      "in a "
      "folder of $fpath. fish: write it to ~/.config/fish/completions/bittern.fish.\n" +
      example("bittern completion bash > ~/.local/share/bash-completion/completions/bittern"));
  command->callback([options, command, &app] {
    if (options->shell.empty() && options->names.empty()) {
      throw CLI::RequiredError("shell (bash, zsh or fish)");
    }
    complete(*options, app);
  });
}

}  // namespace bittern
