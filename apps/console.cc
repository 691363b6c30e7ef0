#include "console.h"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <new>
#include <string_view>

#include "uir/base/log.h"

namespace uir {
namespace {

// On a terminal a status line is overwritten by the next line; elsewhere one is printed every ten seconds. Of
// several ranks the first prints all, the others warnings and errors with their number in front; a line is
// one write, so that lines of different ranks do not mix.
class ConsoleSink {
 public:
  explicit ConsoleSink(int64_t rank) : rank_(rank) {}

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

  static void print(const std::string& text) {
    std::cerr.write(text.data(), static_cast<std::streamsize>(text.size())).flush();
  }

  const int64_t rank_;
  const bool terminal_ = ::isatty(STDERR_FILENO) != 0;
  bool status_open_ = false;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

constexpr const char* kCannotWrite = "standard output: cannot write";

int report(const std::string& program, const std::string& message, int exit_code) {
  // All ranks of a run stop alike: the first one says it.
  const bool stopped = exit_code == static_cast<int>(ErrorKind::kStopped);
  log_message(stopped ? LogLevel::kInfo : LogLevel::kError, concat(program, ": ", message));
  return exit_code;
}

}  // namespace

std::string version_text(const std::string& program) { return program + " " UIR_VERSION; }

void log_to_console(int64_t rank) { set_log_sink(ConsoleSink(rank)); }

void ignore_write_signals() {
  ::signal(SIGXFSZ, SIG_IGN);
  ::signal(SIGPIPE, SIG_IGN);
}

int run_program(CLI::App& cli, const std::string& program, const std::function<int()>& body) {
  log_to_console(0);
  try {
    const int code = body();
    std::cout.flush();
    return std::cout ? code : report(program, kCannotWrite, static_cast<int>(ErrorKind::kIo));
  } catch (const CLI::ParseError& e) {
    const bool asked = e.get_exit_code() == 0;  // --help, --version
    if (asked) {
      const int code = cli.exit(e);
      std::cout.flush();
      return std::cout ? code : report(program, kCannotWrite, static_cast<int>(ErrorKind::kIo));
    }
    return report(program, std::string(e.what()) + "; see " + program + " --help",
                  static_cast<int>(ErrorKind::kUsage));
  } catch (const Error& e) {
    return report(program, e.what(), e.exit_code());
  } catch (const std::bad_alloc&) {
    return report(program, "out of memory", static_cast<int>(ErrorKind::kInternal));
  } catch (const std::exception& e) {
    return report(program, concat("internal error: ", e.what()), static_cast<int>(ErrorKind::kInternal));
  }
}

}  // namespace uir
