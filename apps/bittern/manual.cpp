#include "apps/bittern/manual.h"

#include <algorithm>
#include <cctype>
#include <sstream>

#include "apps/bittern/command_line.h"
#include "host/base/version.h"

namespace bittern {
namespace {

/// Text as roff reads it back: no line begins a request, dashes are dashes.
std::string roff(const std::string& text) {
  std::string out;
  bool begin = true;
  for (const char c : text) {
    if (begin && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else {
      out += c;
    }
    begin = c == '\n';
  }
  return out;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::toupper(c); });
  return text;
}

std::string option_line(const CLI::Option& option) {
  std::string out;
  if (option.get_positional()) return "\\fI" + roff(option.get_name()) + "\\fR";
  for (const std::string& name : option.get_snames()) out += "\\fB\\-" + roff(name) + "\\fR, ";
  for (const std::string& name : option.get_lnames()) out += "\\fB\\-\\-" + roff(name) + "\\fR, ";
  for (const std::string& name : option.get_fnames()) out += "\\fB\\-\\-" + roff(name) + "\\fR, ";
  out.resize(out.size() - 2);
  const bool value = option.get_items_expected_max() > 0 && option.get_type_size() != 0;
  if (value) out += " \\fI" + roff(option.get_type_name()) + "\\fR";
  return out;
}

std::string option_text(const CLI::Option& option) {
  std::string out = ".TP\n" + option_line(option) + "\n" + roff(option.get_description());
  if (option.get_required()) out += " (required)";
  if (!option.get_default_str().empty()) out += " (default " + roff(option.get_default_str()) + ")";
  return out + "\n";
}

std::string options_text(const CLI::App& command) {
  std::string out;
  for (const CLI::Option* option : command.get_options()) out += option_text(*option);
  return out;
}

/// The footer: paragraphs, with the example as it is typed.
std::string footer_text(const CLI::App& command) {
  std::string out;
  std::istringstream lines(command.get_footer());
  bool example = false;
  for (std::string line; std::getline(lines, line);) {
    if (line == "Example:") {
      out += ".PP\nExample:\n.PP\n.nf\n";
      example = true;
      continue;
    }
    if (example && line.substr(0, 2) != "  ") {
      out += ".fi\n";
      example = false;
    }
    out += (example ? "" : ".PP\n") + roff(line) + "\n";
  }
  return example ? out + ".fi\n" : out;
}

std::string synopsis(const CLI::App& command) {
  std::string out = "\\fB" + roff(full_name(command)) + "\\fR";
  if (!commands_of(command).empty()) out += " \\fICOMMAND\\fR";
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_positional()) continue;
    const std::string name = "\\fI" + roff(option->get_name()) + "\\fR";
    out += option->get_required() ? " " + name : " [" + name + "]";
  }
  return out + " [\\fIOPTIONS\\fR]\n";
}

}  // namespace

std::string manual_page(const CLI::App& command) {
  std::string title = full_name(command);
  std::replace(title.begin(), title.end(), ' ', '-');
  const auto commands = commands_of(command);
  std::string out = ".TH " + roff(upper(title)) + " 1 \"\" \"Bittern " + version() + "\" \"\"\n";
  out += ".SH NAME\n" + roff(title) + " \\- " + roff(command.get_description()) + "\n";
  out += ".SH SYNOPSIS\n" + synopsis(command);
  const bool is_root = command.get_parent() == nullptr;
  if (!commands.empty()) {
    out += ".SH COMMANDS\n";
    for (const CLI::App* sub : commands) {
      out += ".TP\n\\fB" + roff(full_name(*sub)) + "\\fR\n" + roff(sub->get_description()) + "\n";
    }
  }
  out += ".SH OPTIONS\n" + options_text(command);
  if (!is_root) {
    for (const CLI::App* sub : commands) {
      out += ".SS " + roff(full_name(*sub)) + "\n" + synopsis(*sub) + options_text(*sub) +
             footer_text(*sub);
    }
  }
  out += ".SH NOTES\n" + footer_text(command);
  out += ".SH SEE ALSO\n";
  const CLI::App& root = root_of(command);
  std::string others = is_root ? "" : "\\fBbittern\\fR(1)";
  if (is_root) {
    for (const CLI::App* sub : commands_of(root)) {
      others +=
          (others.empty() ? "" : ", ") + ("\\fBbittern\\-" + roff(sub->get_name())) + "\\fR(1)";
    }
  }
  return out + others + "\n";
}

}  // namespace bittern
