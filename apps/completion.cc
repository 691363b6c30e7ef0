#include "completion.h"

#include <algorithm>
#include <string_view>

#include "option_facts.h"
#include "programs.h"

namespace uir {
namespace {

// PROGRAM and FUNCTION stand for the program's name, and that of its functions.
constexpr std::string_view kHead = R"(# Bash's completion of PROGRAM, made by "PROGRAM --print-completion".
)";

// Bash breaks words at '=' and ':' as well as at spaces, and replaces only the last piece.
constexpr std::string_view kEngine = R"(
FUNCTION() {
  local IFS=$' \t\n' words=() piece rest=$COMP_LINE i
  for ((i = 0; i <= COMP_CWORD; i++)); do
    piece=${COMP_WORDS[i]}
    if [[ $i != 0 && -n $rest && $rest != [[:space:]]* ]]; then
      words[-1]+=$piece
    else
      words+=("$piece")
    fi
    rest=${rest#"${rest%%[![:space:]]*}"}
    rest=${rest#"$piece"}
  done
  local value=${words[-1]} command= option= commands options valued numbers word
  FUNCTION_options ''
  for word in "${words[@]:1:${#words[@]}-2}"; do
    if [[ -n $option ]]; then
      option=
    elif [[ $word == -* ]]; then
      [[ " $valued " != *" $word "* ]] || option=$word
    elif [[ -z $command && " $commands " == *" $word "* ]]; then
      command=$word
      FUNCTION_options "$word"
    fi
  done
  if [[ -z $option && $value == --*=* ]]; then
    option=${value%%=*}
    value=${value#*=}
  fi
  local candidates= files=
  if [[ $option == --set && -n $config && $value != *=* ]]; then
    candidates=$config
    compopt -o nospace 2>/dev/null
  elif [[ $option == --set && -n $config ]]; then
    candidates=$(FUNCTION_config "${value%%=*}")
    value=${value#*=}
    [[ -n $candidates ]] || files=1
  elif [[ -n $option ]]; then
    candidates=$(FUNCTION_choices "$command $option")
    [[ -n $candidates || " $numbers " == *" $option "* ]] || files=1
  elif [[ $value == -* ]]; then
    candidates=$options
  else
    [[ -n $command ]] || candidates=$commands
    files=1
  fi
  mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "$value")
  [[ -n $files ]] || return 0
  compopt -o filenames 2>/dev/null
  mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "$value")
}
complete -F FUNCTION PROGRAM
)";

// The completions of the programs lie beside this one.
constexpr std::string_view kDispatcher = R"(
_uir_folder=$(dirname "${BASH_SOURCE[0]}")
_uir() {
  local programs='PROGRAMS' at=1 program
  while [[ $at -lt $COMP_CWORD && ${COMP_WORDS[at]} == -* ]]; do at=$((at + 1)); done
  program=${COMP_WORDS[at]}
  if [[ $at == "$COMP_CWORD" ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$programs help OPTIONS" -- "$program")
  elif [[ $program == help ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$programs" -- "${COMP_WORDS[COMP_CWORD]}")
  elif [[ " $programs " == *" $program "* ]]; then
    [[ -n $(type -t "_uir_$program") ]] || . "$_uir_folder/uir-$program"
    COMP_LINE="uir-$program${COMP_LINE#*"$program"}"
    COMP_WORDS=("uir-$program" "${COMP_WORDS[@]:at+1}")
    COMP_CWORD=$((COMP_CWORD - at))
    "_uir_$program"
  fi
}
complete -F _uir uir
)";

std::string replaced(std::string_view text, std::string_view word, std::string_view by) {
  std::string out;
  for (size_t at; (at = text.find(word)) != std::string_view::npos; text.remove_prefix(at + word.size()))
    out.append(text.substr(0, at)).append(by);
  return out.append(text);
}

using Words = std::vector<std::string>;

std::string spaced(const Words& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

// The options of a command, and of the program where the command hands on what it does not know.
std::vector<const CLI::Option*> all_flags_of(const CLI::App& command) {
  std::vector<const CLI::Option*> flags = flags_of(command);
  if (command.get_parent() && command.get_fallthrough()) {
    for (const CLI::Option* flag : flags_of(*command.get_parent())) flags.push_back(flag);
  }
  return flags;
}

std::string options_case(const CLI::App& command) {
  Words options, valued, numbers;
  for (const CLI::Option* flag : all_flags_of(command)) {
    const Words names = names_of(*flag);
    options.insert(options.end(), names.begin(), names.end());
    if (takes_value(*flag)) valued.insert(valued.end(), names.begin(), names.end());
    if (takes_number(*flag)) numbers.insert(numbers.end(), names.begin(), names.end());
  }
  const bool is_program = command.get_parent() == nullptr;
  return concat("    ", is_program ? "''" : command.get_name(), ")\n      options='", spaced(options),
                "'\n      valued='", spaced(valued), "'\n      numbers='", spaced(numbers), "' ;;\n");
}

std::string choices_cases(const CLI::App& command) {
  std::string text;
  for (const CLI::Option* flag : all_flags_of(command)) {
    const Words choices = choices_of(*flag);
    if (choices.empty()) continue;
    for (const std::string& name : names_of(*flag)) {
      text += concat("    '", command.get_parent() ? command.get_name() : "", " ", name, "') echo '",
                     spaced(choices), "' ;;\n");
    }
  }
  return text;
}

// Functions and words of the program: what its commands and options are.
std::string tables(const CLI::App& cli) {
  std::vector<const CLI::App*> all = commands_of(cli);
  Words names;
  for (const CLI::App* command : all) names.push_back(command->get_name());
  all.push_back(&cli);
  std::string options, choices;
  for (const CLI::App* command : all) options += options_case(*command), choices += choices_cases(*command);
  return concat("FUNCTION_options() {\n  commands='", spaced(names), "'\n  case $1 in\n", options,
                "  esac\n}\nFUNCTION_choices() {\n  case $1 in\n", choices, "    *) ;;\n  esac\n}\n");
}

// The words that an option of an experiment takes. Entries of a list are shown by the number of the first,
// and known by any.
std::string config_table(const std::vector<OptionName>& options) {
  std::string cases;
  for (const auto& [path, choices] : options) {
    if (!choices.empty())
      cases += concat("    ", replaced(path, "[]", ".[0-9]*"), ") echo '", spaced(choices), "' ;;\n");
  }
  return concat("FUNCTION_config() {\n  case $1 in\n", cases, "    *) ;;\n  esac\n}\n");
}

std::string config_words(const std::vector<OptionName>& options) {
  Words names;
  for (const OptionName& option : options) names.push_back(replaced(option.path, "[]", ".0") + "=");
  return concat("  local config='", spaced(names), "'\n");
}

std::string dispatcher(const CLI::App& cli) {
  Words programs, options;
  for (const Program& program : kPrograms) programs.emplace_back(program.name);
  for (const CLI::Option* flag : flags_of(cli)) options.push_back(names_of(*flag).back());
  return replaced(replaced(kDispatcher, "PROGRAMS", spaced(programs)), "OPTIONS", spaced(options));
}

}  // namespace

std::string bash_completion(const CLI::App& cli, const std::vector<OptionName>& options) {
  const auto commands = commands_of(cli);
  const bool dispatches = std::ranges::any_of(commands, &CLI::App::get_prefix_command);
  const std::string engine = replaced(kEngine, "FUNCTION() {\n", "FUNCTION() {\n" + config_words(options));
  const std::string body = dispatches ? dispatcher(cli) : tables(cli) + config_table(options) + engine;
  const std::string function = "_" + replaced(cli.get_name(), "-", "_");
  return replaced(replaced(concat(kHead, body), "FUNCTION", function), "PROGRAM", cli.get_name());
}

}  // namespace uir
