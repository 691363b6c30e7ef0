// What the programs share that read an experiment: common flags, and starting worker and ranks. What is shown
// on the console, errors and exit codes: console.h. Front and worker: worker.h.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "console.h"
#include "uir/experiment/experiment.h"
#include "worker.h"

namespace uir {

// An option that takes the names of an enumeration; `value` is an E or an optional one.
template <class E, class Value>
CLI::Option* add_choice(CLI::App& cli, const std::string& flag, Value& value, const std::string& help) {
  std::vector<std::string> names;
  for (const auto& [choice, name] : EnumNames<E>::value) names.emplace_back(name);
  return cli
      .add_option_function<std::string>(
          flag, [&value](const std::string& name) { value = *enum_from_name<E>(name); }, help)
      ->check(CLI::IsMember(names));
}

// Whether a program can run as several ranks (docs/distributed.md).
enum class Ranks { kOne, kSeveral };

class App {
 public:
  App(const std::string& name, Ranks ranks);

  // For the program's own flags.
  CLI::App& cli() { return cli_; }

  // A flag that does something else, without an experiment, and stops; the front does it.
  void add_action(const std::string& flag, const std::string& description, std::function<void()> body);
  // A subcommand with flags of its own that needs no experiment; its body takes the place of run()'s. All
  // bodies are called by the worker only.
  CLI::App& add_command(const std::string& name, const std::string& description, std::function<void()> body);
  // The same for one that takes the experiment and the common flags as well.
  CLI::App& add_command(const std::string& name, const std::string& description,
                        std::function<void(const Experiment&)> body);

  // Parses the command line, loads the experiment and calls body; the front starts the worker or its ranks
  // instead, which do the same. Returns the exit code.
  int run(int argc, char** argv, const std::function<void(const Experiment&)>& body);
  // The same for a program whose last argument is a file of its own to write: the experiment file in front of
  // it may be left out, and body then gets null.
  int run_with_operand(int argc, char** argv, std::string& operand,
                       const std::function<void(const Experiment*)>& body);

 private:
  using Body = std::function<void(const Experiment*)>;
  int run_body(int argc, char** argv, const Body& body);
  int execute(std::vector<std::string> arguments, const Body& body);
  void run_alone(const CLI::App& command, const std::vector<std::string>& arguments,
                 const std::function<void()>& body);
  int launch(std::vector<std::string> arguments) const;

  std::string name_;
  Ranks ranks_;
  CLI::App cli_;
  std::map<const CLI::App*, std::function<void()>> commands_;
  std::vector<std::pair<const CLI::Option*, std::function<void()>>> actions_;
  std::map<const CLI::App*, std::function<void(const Experiment&)>> experiment_commands_;
  std::string config_file_;
  std::vector<std::string> overrides_;
  std::string* operand_ = nullptr;  // null: the experiment file is the only argument
  int processes_ = 0;               // to start; 0: this one is the run, or a rank of it
  bool print_config_ = false;
};

}  // namespace uir
