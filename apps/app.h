// What the four programs share: common flags, the log on standard error, signals, and the only place where an
// error becomes a message and an exit code (docs/errors.md).
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>
#include <vector>

#include "uir/experiment/experiment.h"

namespace uir {

class App {
 public:
  App(const std::string& name, const std::string& description);

  // For the program's own flags.
  CLI::App& cli() { return cli_; }

  // Parses the command line, loads the experiment and calls body; returns the exit code.
  int run(int argc, char** argv, const std::function<void(const Experiment&)>& body);

 private:
  void execute(const std::function<void(const Experiment&)>& body);

  std::string name_;
  CLI::App cli_;
  std::string config_file_;
  std::vector<std::string> overrides_;
  bool print_config_ = false;
  bool describe_config_ = false;
};

}  // namespace uir
