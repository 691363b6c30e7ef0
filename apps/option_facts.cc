#include "option_facts.h"

#include <string_view>

namespace uir {
namespace {

bool is_visible(const CLI::Option* option) { return !option->get_group().empty(); }

// The part of "TEXT:{a,b}" between two marks; empty if there is none.
std::string between(const std::string& text, std::string_view open, char close) {
  const size_t begin = text.find(open);
  if (begin == std::string::npos) return "";
  const size_t end = text.find(close, begin + open.size());
  return end == std::string::npos ? "" : text.substr(begin + open.size(), end - begin - open.size());
}

}  // namespace

std::vector<const CLI::Option*> positionals_of(const CLI::App& command) {
  return command.get_options([](const CLI::Option* o) { return is_visible(o) && o->get_positional(); });
}

std::vector<const CLI::Option*> flags_of(const CLI::App& command) {
  return command.get_options([](const CLI::Option* o) { return is_visible(o) && o->nonpositional(); });
}

std::vector<const CLI::App*> commands_of(const CLI::App& cli) {
  return cli.get_subcommands([](const CLI::App*) { return true; });
}

std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

bool takes_number(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return takes_value(option) &&
         (type.starts_with("INT") || type.starts_with("UINT") || type.starts_with("FLOAT"));
}

std::vector<std::string> choices_of(const CLI::Option& option) {
  const std::string words = between(option.get_type_name(), ":{", '}');
  return words.empty() ? std::vector<std::string>() : CLI::detail::split(words, ',');
}

std::string range_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  if (type.ends_with(":POSITIVE")) return "above 0";
  if (type.ends_with(":NONNEGATIVE")) return "at least 0";
  std::string range = between(type, " in [", ']');
  const size_t dash = range.find(" - ");
  return dash == std::string::npos ? "" : range.replace(dash, 3, " to ");
}

}  // namespace uir
