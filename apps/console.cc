#include "console.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <memory>
#include <new>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

#include "completion.h"
#include "manual_page.h"
#include "uir/base/json_text.h"
#include "uir/base/log.h"
#include "uir/base/progress_sink.h"

namespace uir {
namespace {

constexpr const char* kManualFlag = "--print-manual";
constexpr const char* kCompletionFlag = "--print-completion";

// Of this process.
struct Console {
  std::string program;
  bool json = false;
  int64_t rank = 0;
  bool launched = false;  // by our launcher
};
Console console;

// One write, so that lines of different threads and ranks do not mix.
void print(const std::string& text) {
  std::cerr.write(text.data(), static_cast<std::streamsize>(text.size())).flush();
}

// Whether a status line may be overwritten: not where escape sequences are not understood, or not wanted.
bool overwrites_lines() {
  const auto value = [](const char* name) {
    const char* text = std::getenv(name);
    return std::string_view(text ? text : "");
  };
  return ::isatty(STDERR_FILENO) != 0 && value("NO_COLOR").empty() && value("TERM") != "dumb";
}

// On a terminal a status line is overwritten by the next line; elsewhere one is printed every ten seconds. Of
// several ranks the first prints all, the others warnings and errors with their number in front.
class TextSink {
 public:
  explicit TextSink(int64_t rank) : rank_(rank) {}

  void operator()(LogLevel level, std::string_view message) {
    if (rank_ > 0 && (level == LogLevel::kInfo || level == LogLevel::kStatus)) return;
    if (level == LogLevel::kStatus) return status(message);
    print(concat(status_open_ ? "\r\x1b[K" : "", rank_ > 0 ? concat("[rank ", rank_, "] ") : "",
                 level == LogLevel::kWarning ? "warning: " : "", message, '\n'));
    status_open_ = false;
  }

 private:
  void status(std::string_view message) {
    const auto now = std::chrono::steady_clock::now();
    if (terminal_) {
      print(concat('\r', message, "\x1b[K"));
      status_open_ = true;
    } else if (now - last_ > std::chrono::seconds(10)) {
      print(concat(message, '\n'));
      last_ = now;
    }
  }

  const int64_t rank_;
  const bool terminal_ = overwrites_lines();
  bool status_open_ = false;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// --json: one object a line (docs/programs.md).
Json json_line() {
  Json line{{"program", console.program}};
  if (console.rank > 0) line["rank"] = console.rank;
  return line;
}

void print_json(const Json& line) { print(json_text(line) + '\n'); }

void message_as_json(LogLevel level, std::string_view message) {
  if (level == LogLevel::kStatus || (level == LogLevel::kInfo && console.rank > 0)) return;
  Json line = json_line();
  line["level"] = level == LogLevel::kInfo ? "info" : level == LogLevel::kWarning ? "warning" : "error";
  line["message"] = message;
  print_json(line);
}

void progress_as_json(const ProgressReport& report) {
  if (console.rank > 0) return;
  Json line = json_line();
  line["phase"] = report.phase;
  line["done"] = report.done;
  line["total"] = report.total > 0 ? Json(report.total) : Json();
  line["unit"] = report.unit;
  line["eta_s"] =
      report.eta_s >= 0 && std::isfinite(report.eta_s) ? Json(std::round(report.eta_s * 10) / 10) : Json();
  print_json(line);
}

void set_sinks() {
  if (console.json) {
    set_log_sink(message_as_json);
    set_progress_sink(progress_as_json);
  } else {
    set_log_sink(TextSink(console.rank));
  }
}

// How a program ends.
struct Ending {
  int code = 0;
  std::string message;  // of an error, or of a stop that was asked for
};

int report(const Ending& ending) {
  const bool ends_here = console.rank == 0 && !console.launched;
  if (console.json && ends_here) {
    Json line = json_line();
    line["exit_code"] = ending.code;
    if (!ending.message.empty()) line["error"] = ending.message;
    print_json(line);
  } else if (!ending.message.empty()) {
    // All ranks of a run stop alike: the first one says it.
    const bool stopped = ending.code == static_cast<int>(ErrorKind::kStopped);
    log_message(stopped ? LogLevel::kInfo : LogLevel::kError, concat(console.program, ": ", ending.message));
  }
  return ending.code;
}

Ending after_output(int code) {
  std::cout.flush();
  if (std::cout) return {code, {}};
  return {static_cast<int>(ErrorKind::kIo), "standard output: cannot write"};
}

Ending run_to_its_end(CLI::App& cli, const std::function<int()>& body) {
  try {
    return after_output(body());
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return after_output(cli.exit(e));  // --help, --version
    return {static_cast<int>(ErrorKind::kUsage), concat(e.what(), "; see ", console.program, " --help")};
  } catch (const Error& e) {
    return {e.exit_code(), e.what()};
  } catch (const std::bad_alloc&) {
    return {static_cast<int>(ErrorKind::kInternal), "out of memory"};
  } catch (const std::exception& e) {
    return {static_cast<int>(ErrorKind::kInternal), concat("internal error: ", e.what())};
  }
}

// CLI11 lists what an option excludes by addresses, which differ from run to run; here by name.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override {
    constexpr std::string_view kExcludes = " Excludes:";
    const std::string text = Formatter::make_option_opts(option);
    const size_t at = text.find(kExcludes);
    if (at == std::string::npos) return text;
    std::istringstream words(text.substr(at + kExcludes.size()));
    const std::set<std::string> names(std::istream_iterator<std::string>(words), {});
    std::string sorted = text.substr(0, at + kExcludes.size());
    for (const std::string& name : names) sorted += ' ' + name;
    return sorted;
  }
};

void set_formatter(CLI::App& cli, const std::shared_ptr<CLI::FormatterBase>& formatter) {
  cli.formatter(formatter);
  for (CLI::App* command : cli.get_subcommands([](const CLI::App*) { return true; })) {
    set_formatter(*command, formatter);
  }
}

// Behind commands too, but for those that leave what they do not know to the program, or to what follows.
void add_json_flag(CLI::App& cli) {
  const std::string help = "Progress and messages on standard error as JSON, one object a line";
  cli.add_flag(kJsonFlag, help);
  for (CLI::App* command : cli.get_subcommands([](const CLI::App*) { return true; })) {
    if (!command->get_fallthrough() && !command->get_prefix_command()) add_json_flag(*command);
  }
}

}  // namespace

std::string version_text(const std::string& program) { return program + " " UIR_VERSION; }

void log_as_rank(int64_t rank, bool launched) {
  console.rank = rank;
  console.launched = launched;
  set_sinks();
}

void ignore_write_signals() {
  ::signal(SIGXFSZ, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
}

bool is_shared_flag(std::string_view argument) {
  return argument == "-h" || argument == "--help" || argument == "--version" || argument == kJsonFlag ||
         argument == kManualFlag || argument == kCompletionFlag;
}

int run_program(CLI::App& cli, int argc, char** argv, const std::function<int()>& body,
                std::vector<OptionName> (*options)()) {
  // Before the command line is parsed: what is wrong with it is said in the same way.
  console = {.program = cli.get_name(),
             .json = std::count(argv, argv + argc, std::string_view(kJsonFlag)) > 0};
  set_sinks();
  cli.set_version_flag("--version", version_text(console.program));
  add_json_flag(cli);
  set_formatter(cli, std::make_shared<HelpFormatter>());
  bool manual = false, completion = false;
  cli.add_flag(kManualFlag, manual)->group("");
  cli.add_flag(kCompletionFlag, completion)->group("");
  return report(run_to_its_end(cli, [&] {
    cli.parse(argc, argv);
    if (manual) std::cout << manual_page(cli);
    if (completion) std::cout << bash_completion(cli, options ? options() : std::vector<OptionName>());
    return manual || completion ? 0 : body();
  }));
}

}  // namespace uir
