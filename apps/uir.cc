// uir COMMAND …: one command over all programs, which lie beside it: `uir train exp.yaml` is
// `uir-train exp.yaml`, in the same process.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iostream>

#include "console.h"
#include "programs.h"
#include "uir/base/child_process.h"
#include "uir/base/file.h"
#include "uir/config/reader.h"

namespace {

using Arguments = std::vector<std::string>;

bool is_program(std::string_view name) {
  return std::ranges::find(uir::kPrograms, name, &uir::Program::name) != uir::kPrograms.end();
}

[[noreturn]] void refuse(const std::string& command) {
  std::vector<std::string> names{"help"};
  for (const uir::Program& program : uir::kPrograms) names.emplace_back(program.name);
  const auto nearest = uir::nearest_name(command, names);
  uir::fail(uir::ErrorKind::kUsage, "no program is called '", command, "'",
            nearest ? uir::concat(" (did you mean '", *nearest, "'?)") : "", "; see uir --help");
}

[[noreturn]] void start(const std::string& command, const Arguments& arguments) {
  if (!is_program(command)) refuse(command);
  const std::string name = uir::concat(uir::kProgramPrefix, command);
  const std::string file = (uir::fs::path(uir::own_program()).parent_path() / name).string();
  Arguments whole{name};
  whole.insert(whole.end(), arguments.begin(), arguments.end());
  uir::replace_process(file, whole);
  uir::fail(uir::ErrorKind::kMissingInput, file, ": cannot start: ", std::strerror(errno),
            "; it is installed beside uir");
}

// help [COMMAND…]
int help(const CLI::App& cli, Arguments words) {
  if (words.empty()) {
    std::cout << cli.get_formatter()->make_help(&cli, "uir", CLI::AppFormatMode::Normal);
    return 0;
  }
  const std::string command = words.front();
  words.erase(words.begin());
  words.emplace_back("--help");
  start(command, words);
}

// Everything but the command's name goes to its program.
Arguments without_command(Arguments arguments, const std::string& command) {
  arguments.erase(std::ranges::find(arguments, command));
  return arguments;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App cli("One command over all programs of UIR: uir train exp.yaml is uir-train exp.yaml.", "uir");
  for (const auto& [name, description] : uir::kPrograms)
    cli.add_subcommand(std::string(name), std::string(description))->prefix_command()->set_help_flag();
  cli.add_subcommand("help", "The help of a program, and of a command of it: uir help index align.")
      ->prefix_command()
      ->set_help_flag();
  cli.require_subcommand(0, 1)->allow_extras();  // what follows a command is not one
  return uir::run_program(cli, argc, argv, [&] {
    const auto commands = cli.get_subcommands();
    if (commands.empty()) {
      const Arguments words = cli.remaining();
      if (words.empty()) uir::fail(uir::ErrorKind::kUsage, "no program given; see uir --help");
      refuse(words.front());
    }
    const std::string command = commands.front()->get_name();
    if (command == "help") return help(cli, commands.front()->remaining());
    start(command, without_command({argv + 1, argv + argc}, command));
  });
}
