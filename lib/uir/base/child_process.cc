#include "uir/base/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "uir/base/error.h"
#include "uir/base/file.h"

namespace uir {
namespace {

using Clock = std::chrono::steady_clock;
constexpr size_t kKept = 4096;

class Pipe {
 public:
  Pipe() {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0)
      fail(ErrorKind::kInternal, "cannot create a pipe: ", std::strerror(errno));
  }
  ~Pipe() {
    ::close(ends_[0]);
    close_writer();
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  int reader() const { return ends_[0]; }
  int writer() const { return ends_[1]; }
  void close_writer() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

// An argument list as exec takes it: pointers into the texts.
std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

pid_t start(const std::string& program, const std::vector<std::string>& arguments, int standard_error) {
  std::vector<std::string> texts{program};
  texts.insert(texts.end(), arguments.begin(), arguments.end());
  const std::vector<char*> pointers = pointers_to(texts);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, standard_error, STDERR_FILENO);
  pid_t child = 0;
  const int error = ::posix_spawn(&child, program.c_str(), &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) fail(ErrorKind::kInternal, program, ": cannot be started: ", std::strerror(error));
  return child;
}

// Reads until the child closes its end; false when the time is over first.
bool read_all(int from, Clock::time_point end, std::string& text) {
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
    pollfd wait{from, POLLIN, 0};
    const int ready = left > 0 ? ::poll(&wait, 1, static_cast<int>(left)) : 0;
    if (ready == 0) return false;
    if (ready < 0 && errno == EINTR) continue;
    std::array<char, 1024> buffer;
    const ssize_t size = ::read(from, buffer.data(), buffer.size());
    if (size <= 0) return true;
    text.append(buffer.data(), static_cast<size_t>(size));
    if (text.size() > kKept) text.erase(0, text.size() - kKept);
  }
}

}  // namespace

ChildResult run_child(const std::string& program, const std::vector<std::string>& arguments,
                      std::chrono::seconds limit) {
  ChildResult result;
  Pipe errors;
  const pid_t child = start(program, arguments, errors.writer());
  errors.close_writer();
  if (!read_all(errors.reader(), Clock::now() + limit, result.errors)) {
    result.problem = concat("took longer than ", limit.count(), " s");
    ::kill(child, SIGKILL);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!result.problem.empty()) return result;
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status))
    result.problem = concat("ended by signal ", WTERMSIG(status), " (", ::strsignal(WTERMSIG(status)), ")");
  return result;
}

void replace_process(const std::string& program, const std::vector<std::string>& arguments) {
  // execvp gives a file that is no program to the shell.
  const bool is_path = program.find('/') != std::string::npos;
  (is_path ? ::execv : ::execvp)(program.c_str(), pointers_to(arguments).data());
}

std::string own_program() {
  std::error_code error;
  const fs::path path = fs::read_symlink("/proc/self/exe", error);
  return error ? "/proc/self/exe" : path.string();
}

}  // namespace uir
