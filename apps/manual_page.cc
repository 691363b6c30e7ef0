#include "manual_page.h"

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <utility>

#include "option_facts.h"
#include "programs.h"

namespace uir {
namespace {

// UTF-8 as roff's \[uXXXX]; what roff would take for a command or a hyphen as it stands.
std::string roff(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x80) {
      const int more = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
      uint32_t code = byte & (0x3f >> more);
      for (int k = 0; k < more && i + 1 < text.size(); ++k) code = code << 6 | (text[++i] & 0x3f);
      char name[16];
      std::snprintf(name, sizeof name, "\\[u%04X]", static_cast<unsigned>(code));
      out += name;
    } else if (byte == '\\') {
      out += "\\e";
    } else if (byte == '-') {
      out += "\\-";
    } else if (byte == '\n') {
      out += "\n.br\n";
    } else {
      out += text[i];
    }
  }
  return out.starts_with('.') || out.starts_with('\'') ? "\\&" + out : out;
}

std::string bold(const std::string& text) { return "\\fB" + roff(text) + "\\fR"; }
std::string italic(const std::string& text) { return "\\fI" + roff(text) + "\\fR"; }

std::string joined(const std::vector<std::string>& parts, const std::string& separator) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : separator) + part;
  return text;
}

// The names of other options, in order: the set has them by addresses.
std::string names_of_all(const std::set<CLI::Option*>& options) {
  std::set<std::string> names;
  for (const CLI::Option* option : options) names.insert(option->get_name());
  return joined({names.begin(), names.end()}, ", ");
}

std::string value_word(const CLI::Option& option) {
  const auto choices = choices_of(option);
  if (!choices.empty()) return joined(choices, "|");
  const std::string type = option.get_type_name();
  return type.substr(0, type.find(':'));
}

std::string sentence(std::string text) {
  const bool ended = text.empty() || text.back() == '.' || text.back() == '\n';
  return ended ? text : text + ".";
}

// What it does, and what else holds of it.
std::string meaning(const CLI::Option& option) {
  std::string text = sentence(option.get_description());
  if (!range_of(option).empty()) text += " A number, " + range_of(option) + ".";
  if (!option.get_default_str().empty()) text += " Default: " + option.get_default_str() + ".";
  if (option.get_required()) text += " Required.";
  if (!option.get_needs().empty()) text += " Only with " + names_of_all(option.get_needs()) + ".";
  if (!option.get_excludes().empty()) text += " Not with " + names_of_all(option.get_excludes()) + ".";
  return text;
}

std::string entries(const CLI::App& command) {
  std::string text;
  for (const CLI::Option* option : positionals_of(command))
    text += ".TP\n" + italic(option->get_name(true)) + "\n" + roff(meaning(*option)) + "\n";
  for (const CLI::Option* option : flags_of(command)) {
    std::vector<std::string> names;
    for (const std::string& name : names_of(*option)) names.push_back(bold(name));
    text += ".TP\n" + joined(names, ", ");
    if (takes_value(*option)) text += " " + italic(value_word(*option));
    text += "\n" + roff(meaning(*option)) + "\n";
  }
  return text;
}

std::string usage(const CLI::App& command, const std::string& name) {
  if (command.get_prefix_command()) return bold(name) + " ...\n";
  std::string text = bold(name) + " [OPTIONS]";
  for (const CLI::Option* option : positionals_of(command)) {
    const bool several = option->get_expected_max() >= CLI::detail::expected_max_vector_size;
    const std::string word = italic(option->get_name(true)) + (several ? " ..." : "");
    text += option->get_required() ? " " + word : " [" + word + "]";
  }
  return text + "\n";
}

std::string synopsis(const CLI::App& cli) {
  std::string text = usage(cli, cli.get_name());
  for (const CLI::App* command : commands_of(cli))
    text += ".br\n" + usage(*command, cli.get_name() + " " + command->get_name());
  return text;
}

std::string commands(const CLI::App& cli) {
  std::string text;
  for (const CLI::App* command : commands_of(cli)) {
    text += ".SS " + roff(cli.get_name() + " " + command->get_name()) + "\n" +
            roff(sentence(command->get_description())) + "\n" + entries(*command);
  }
  return text.empty() ? text : ".SH COMMANDS\n" + text;
}

constexpr std::pair<const char*, const char*> kExitCodes[] = {
    {"0", "Success."},
    {"64", "A wrong command line."},
    {"65", "Malformed or inconsistent data."},
    {"66", "A file that should be read is not there."},
    {"69", "A device or a rank was lost."},
    {"70", "A bug."},
    {"73", "An output cannot be created."},
    {"74", "Reading or writing failed."},
    {"75", "Stopped on request: everything is saved."},
    {"78", "The experiment is wrong."},
};

std::string exit_codes() {
  std::string text = ".SH EXIT STATUS\n";
  for (const auto& [code, words] : kExitCodes) text += concat(".TP\n", bold(code), "\n", roff(words), "\n");
  return text;
}

std::string see_also(const std::string& program) {
  std::vector<std::string> pages;
  const auto add = [&](const std::string& name) {
    if (name != program) pages.push_back(".BR " + roff(name) + " (1)");
  };
  add("uir");
  for (const Program& other : kPrograms) add(concat(kProgramPrefix, other.name));
  return ".SH SEE ALSO\n" + joined(pages, ",\n") + "\n";
}

std::string date() {
  const char* epoch = std::getenv("SOURCE_DATE_EPOCH");
  const std::time_t time = epoch ? std::atoll(epoch) : std::time(nullptr);
  char text[16];
  std::strftime(text, sizeof text, "%Y-%m-%d", std::gmtime(&time));
  return text;
}

}  // namespace

std::string manual_page(const CLI::App& cli) {
  const std::string name = cli.get_name(), description = sentence(cli.get_description());
  std::string title = name;
  for (char& c : title) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  std::string text = ".TH " + roff(title) + " 1 " + date() + " \"uir " UIR_VERSION "\" \"UIR\"\n";
  text += ".SH NAME\n" + roff(name) + " \\- " + roff(description.substr(0, description.size() - 1)) + "\n";
  text += ".SH SYNOPSIS\n" + synopsis(cli);
  text += ".SH DESCRIPTION\n" + roff(description) + "\n";
  if (!cli.get_footer().empty()) text += ".PP\n" + roff(cli.get_footer()) + "\n";
  text += ".SH OPTIONS\n" + entries(cli) + commands(cli) + exit_codes();
  text +=
      ".SH ENVIRONMENT\n.TP\n\\fBNO_COLOR\\fR\nStatus lines are printed one below the other, without "
      "escape sequences, also on a terminal.\n";
  return text + see_also(name);
}

}  // namespace uir
