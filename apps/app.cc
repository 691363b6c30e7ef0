#include "app.h"

#include <cstdlib>
#include <iostream>
#include <optional>
#include <utility>

#include "programs.h"
#include "uir/base/allocator.h"
#include "uir/base/parallel.h"
#include "uir/base/passing_folder.h"
#include "uir/experiment/option_names.h"
#include "uir/ranks/launch.h"
#include "uir/ranks/meeting_folder.h"
#include "uir/ranks/world.h"

namespace uir {
namespace {

constexpr const char* kProcessesOption = "--nproc-per-node";

}  // namespace

App::App(const std::string& name, Ranks ranks)
    : name_(name), ranks_(ranks), cli_(description_of(name), name) {
  cli_.add_option("config", config_file_, "Experiment file (YAML)");
  cli_.add_option("--set", overrides_,
                  "Override an option: a.b=value (repeatable); paths are relative to the current folder")
      ->allow_extra_args(false);  // one value each, so that the file may follow
  cli_.add_flag("--print-config", print_config_, "Print the experiment with every option resolved, and stop");
  add_action("--describe-config", "Print all options with their meaning (Markdown), and stop",
             [] { std::cout << config_reference(); });
  if (ranks_ == Ranks::kSeveral) {
    cli_.add_option(
            kProcessesOption, processes_,
            "Start this many processes on this machine, which share the work (instead of torchrun or mpirun)")
        ->check(CLI::Range(1, 1 << 16));
  }
}

void App::add_action(const std::string& flag, const std::string& description, std::function<void()> body) {
  actions_.emplace_back(cli_.add_flag(flag, description), std::move(body));
}

CLI::App& App::add_command(const std::string& name, const std::string& description,
                           std::function<void()> body) {
  CLI::App* command = cli_.add_subcommand(name, description);
  commands_[command] = std::move(body);
  return *command;
}

CLI::App& App::add_command(const std::string& name, const std::string& description,
                           std::function<void(const Experiment&)> body) {
  CLI::App* command = cli_.add_subcommand(name, description)->fallthrough();
  experiment_commands_[command] = std::move(body);
  return *command;
}

int App::run(int argc, char** argv, const std::function<void(const Experiment&)>& body) {
  return run_body(argc, argv, [&](const Experiment* experiment) { body(*experiment); });
}

int App::run_with_operand(int argc, char** argv, std::string& operand, const Body& body) {
  operand_ = &operand;
  return run_body(argc, argv, body);
}

int App::run_body(int argc, char** argv, const Body& body) {
  return run_program(
      cli_, argc, argv,
      [&] {
        return execute({argv, argv + argc}, body);
      },
      experiment_options);
}

void App::run_alone(const CLI::App& command, const std::vector<std::string>& arguments,
                    const std::function<void()>& body) {
  if (cli_.count_all() - cli_.count(kJsonFlag) > command.count_all() + 1) {
    fail(ErrorKind::kUsage, command.get_name(), " stands by itself: nothing may precede it; see ", name_, " ",
         command.get_name(), " --help");
  }
  if constexpr (!kWorker) start_worker(name_, arguments);
  ignore_write_signals();
  body();
}

int App::execute(std::vector<std::string> arguments, const Body& body) {
  const CLI::App* command = cli_.get_subcommands().empty() ? nullptr : cli_.get_subcommands().front();
  if (const auto alone = commands_.find(command); alone != commands_.end()) {
    run_alone(*command, arguments, alone->second);
    return 0;
  }
  for (const auto& [flag, action] : actions_) {
    if (flag->count() == 0) continue;
    action();
    return 0;
  }
  if (ranks_ == Ranks::kSeveral) {
    const World world = world_from_environment();
    log_as_rank(world.rank, std::getenv(kMeetingVariable) != nullptr);
    share_processors(world.local_size);
  }
  if (operand_ && operand_->empty() && !print_config_)
    std::swap(*operand_, config_file_);  // the only argument
  if (operand_ && operand_->empty() && !print_config_) {
    fail(ErrorKind::kUsage, "no file to write given; see ", name_, " --help");
  }
  const bool needs_experiment = !operand_ || print_config_ || !overrides_.empty();
  if (config_file_.empty() && needs_experiment) {
    fail(ErrorKind::kUsage, "no experiment file given; see ", name_, " --help");
  }
  std::optional<Experiment> experiment;
  if (!config_file_.empty()) experiment = load_experiment(config_file_, overrides_);
  if (print_config_) {
    std::cout << resolved_config(*experiment);
    return 0;
  }
  // Only now: a wrong command line or experiment is reported once.
  if constexpr (!kWorker) {
    if (processes_ == 0) start_worker(name_, arguments);
    ignore_write_signals();
    return launch(std::move(arguments));
  }
  ignore_write_signals();
  tune_memory_allocator();
  const auto of_command = experiment_commands_.find(command);
  if (of_command != experiment_commands_.end()) {
    of_command->second(*experiment);
  } else {
    body(experiment ? &*experiment : nullptr);
  }
  return 0;
}

int App::launch(std::vector<std::string> arguments) const {
  if (const char* launcher = launcher_of()) {
    fail(ErrorKind::kUsage, kProcessesOption, ": this process was itself started as a rank (variables of ",
         launcher, " are set); leave the option out, or unset them");
  }
  const PassingFolder meeting(create_meeting_folder());  // also when a killed rank could not leave it
  return launch_ranks({.program = prepare_worker(name_),
                       .arguments = without_option(std::move(arguments), kProcessesOption),
                       .environment = {{kMeetingVariable, meeting.path().string()}},
                       .ranks = processes_});
}

}  // namespace uir
