#include "app.h"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <new>

#include "uir/base/allocator.h"
#include "uir/base/log.h"

namespace uir {
namespace {

// On a terminal a status line is overwritten by the next line; elsewhere one is printed every ten seconds.
class ConsoleSink {
 public:
  void operator()(LogLevel level, std::string_view message) {
    if (level == LogLevel::kStatus) return status(message);
    if (status_open_) std::cerr << "\r\x1b[K";
    status_open_ = false;
    std::cerr << (level == LogLevel::kWarning ? "warning: " : "") << message << std::endl;
  }

 private:
  void status(std::string_view message) {
    const auto now = std::chrono::steady_clock::now();
    if (terminal_) {
      std::cerr << '\r' << message << "\x1b[K" << std::flush;
      status_open_ = true;
    } else if (now - last_ > std::chrono::seconds(10)) {
      std::cerr << message << std::endl;
      last_ = now;
    }
  }

  const bool terminal_ = ::isatty(STDERR_FILENO) != 0;
  bool status_open_ = false;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

int report(const std::string& program, const std::string& message, int exit_code) {
  log_info(program, ": ", message);
  return exit_code;
}

}  // namespace

App::App(const std::string& name, const std::string& description) : name_(name), cli_(description, name) {
  cli_.add_option("config", config_file_, "Experiment file (YAML)");
  cli_.add_option("--set", overrides_, "Override an option: a.b=value (repeatable)")
      ->allow_extra_args(false);  // one value each, so that the file may follow
  cli_.add_flag("--print-config", print_config_, "Print the experiment with every option resolved, and stop");
  cli_.add_flag("--describe-config", describe_config_,
                "Print all options with their meaning (Markdown), and stop");
  cli_.set_version_flag("--version", name + " " UIR_VERSION);
}

int App::run(int argc, char** argv, const std::function<void(const Experiment&)>& body) {
  set_log_sink(ConsoleSink());
  try {
    cli_.parse(argc, argv);
    execute(body);
    std::cout.flush();
    return std::cout ? 0 : report(name_, "standard output: cannot write", static_cast<int>(ErrorKind::kIo));
  } catch (const CLI::ParseError& e) {
    const bool asked = e.get_exit_code() == 0;  // --help, --version
    if (asked) return cli_.exit(e);
    return report(name_, std::string(e.what()) + "; see " + name_ + " --help",
                  static_cast<int>(ErrorKind::kUsage));
  } catch (const Error& e) {
    return report(name_, e.what(), e.exit_code());
  } catch (const std::bad_alloc&) {
    return report(name_, "out of memory", static_cast<int>(ErrorKind::kInternal));
  } catch (const std::exception& e) {
    return report(name_, concat("internal error: ", e.what()), static_cast<int>(ErrorKind::kInternal));
  }
}

void App::execute(const std::function<void(const Experiment&)>& body) {
  if (describe_config_) {
    std::cout << config_reference();
    return;
  }
  if (config_file_.empty()) fail(ErrorKind::kUsage, "no experiment file given; see ", name_, " --help");
  const Experiment experiment = load_experiment(config_file_, overrides_);
  if (print_config_) {
    std::cout << resolved_config(experiment);
    return;
  }
  tune_memory_allocator();
  // A full disk or a closed pipe must surface as a failed write, not as a signal.
  ::signal(SIGXFSZ, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
  body(experiment);
}

}  // namespace uir
