#include "uir/ranks/launch.h"

#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <string_view>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <optional>

#include "uir/base/error.h"
#include "uir/base/log.h"

namespace uir {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRankLostCode = static_cast<int>(ErrorKind::kRankLost);
constexpr int kStoppedCode = static_cast<int>(ErrorKind::kStopped);

pthread_t waiting_thread;

// The signals that the launcher waits for instead of being interrupted; as before at the end. A library may
// have started threads that do not block them (OpenBLAS does while it is loaded): these hand them over.
class AwaitedSignals {
 public:
  AwaitedSignals() {
    waiting_thread = ::pthread_self();
    sigemptyset(&set_);
    for (const int number : kNumbers) sigaddset(&set_, number);
    ::pthread_sigmask(SIG_BLOCK, &set_, &mask_before_);
    struct sigaction hand_over {};
    hand_over.sa_handler = [](int number) { ::pthread_kill(waiting_thread, number); };
    for (size_t i = 0; i < kNumbers.size(); ++i) ::sigaction(kNumbers[i], &hand_over, &actions_before_[i]);
  }
  ~AwaitedSignals() {
    for (size_t i = 0; i < kNumbers.size(); ++i) ::sigaction(kNumbers[i], &actions_before_[i], nullptr);
    ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
  }
  AwaitedSignals(const AwaitedSignals&) = delete;
  AwaitedSignals& operator=(const AwaitedSignals&) = delete;

  const sigset_t& mask_before() const { return mask_before_; }
  // 0: none came within the time.
  int wait(std::chrono::milliseconds time) const {
    const timespec limit{time.count() / 1000, time.count() % 1000 * 1000000};
    return std::max(0, ::sigtimedwait(&set_, nullptr, &limit));
  }

 private:
  static constexpr std::array<int, 5> kNumbers{SIGCHLD, SIGTERM, SIGINT, SIGUSR1, SIGTSTP};
  sigset_t set_, mask_before_;
  std::array<struct sigaction, kNumbers.size()> actions_before_;
};

// The environment of this process with other values for some variables.
std::vector<std::string> environment_with(const std::vector<std::pair<std::string, std::string>>& changes) {
  std::vector<std::string> result;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const bool changed = std::ranges::any_of(
        changes, [&](const auto& change) { return text.starts_with(change.first + "="); });
    if (!changed) result.emplace_back(text);
  }
  for (const auto& [name, value] : changes) result.push_back(name + "=" + value);
  return result;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

class Ranks {
 public:
  explicit Ranks(const Launch& launch) : launch_(launch) {
    for (int rank = 0; rank < launch_.ranks; ++rank) pids_.push_back(start(rank));
    alive_ = launch_.ranks;
  }
  ~Ranks() { signal_all(SIGKILL); }
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  int watch() {
    while (reap(), alive_ > 0) {
      end_the_rest();
      handle(signals_.wait(std::chrono::milliseconds(200)));
    }
    if (failure_) return *failure_;
    if (stopped_) return kStoppedCode;
    return passed_on_ != 0 && ended_by_signal_ ? 128 + passed_on_ : 0;
  }

 private:
  pid_t start(int rank) {
    auto changes = launch_.environment;
    const std::string number = std::to_string(rank), size = std::to_string(launch_.ranks);
    for (const char* name : {"RANK", "LOCAL_RANK"}) changes.emplace_back(name, number);
    for (const char* name : {"WORLD_SIZE", "LOCAL_WORLD_SIZE"}) changes.emplace_back(name, size);
    std::vector<std::string> arguments = launch_.arguments, environment = environment_with(changes);
    const std::vector<char*> argument_list = pointers_to(arguments), variables = pointers_to(environment);
    const pid_t launcher = ::getpid(), child = ::fork();
    if (child < 0) fail(ErrorKind::kInternal, "cannot start rank ", rank, ": ", std::strerror(errno));
    if (child > 0) return child;
    // In the child, only what may follow a fork in a process with threads.
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != launcher) ::_exit(kRankLostCode);  // it ended before the line above
    ::pthread_sigmask(SIG_SETMASK, &signals_.mask_before(), nullptr);
    ::execve(launch_.program.c_str(), argument_list.data(), variables.data());
    constexpr std::string_view kMessage = "a rank's program cannot be started: is its installation whole?\n";
    static_cast<void>(::write(STDERR_FILENO, kMessage.data(), kMessage.size()) == 0);
    ::_exit(127);
  }

  void signal_all(int number) const {
    for (const pid_t pid : pids_) {
      if (pid > 0) ::kill(pid, number);
    }
  }

  void reap() {
    int status = 0;
    for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      const auto found = std::ranges::find(pids_, pid);
      if (found == pids_.end()) continue;
      *found = 0;
      --alive_;
      note_end(found - pids_.begin(), status);
    }
  }

  void note_end(int64_t rank, int status) {
    if (WIFSIGNALED(status)) {
      const int number = WTERMSIG(status);
      ended_by_signal_ = true;
      if (number == passed_on_ || terminated_) return;  // as it was asked to
      log_error("rank ", rank, " was killed by signal ", number, " (", ::strsignal(number), ")");
      note_failure(kRankLostCode);
    } else if (WEXITSTATUS(status) == kStoppedCode) {
      stopped_ = true;
    } else if (WEXITSTATUS(status) != 0 && !terminated_) {
      note_failure(WEXITSTATUS(status));
    }
  }

  // That a rank was lost is what follows from another failure, so any other code says more.
  void note_failure(int code) {
    if (!failure_) deadline_ = Clock::now() + launch_.grace;
    if (!failure_ || *failure_ == kRankLostCode) failure_ = code;
  }

  void end_the_rest() {
    if (!failure_ || Clock::now() < deadline_) return;
    log_error(alive_, " of ", launch_.ranks, " ranks did not end after the failure of another: ",
              terminated_ ? "killed" : "asked to end (SIGTERM)");
    signal_all(terminated_ ? SIGKILL : SIGTERM);
    signal_all(SIGCONT);
    terminated_ = true;
    deadline_ = Clock::now() + launch_.grace;
  }

  void handle(int number) {
    if (number == SIGTSTP) {
      signal_all(SIGSTOP);
      ::raise(SIGSTOP);
      signal_all(SIGCONT);  // after somebody has continued the launcher
    } else if (number != 0 && number != SIGCHLD) {
      passed_on_ = number;
      signal_all(number);
    }
  }

  const Launch& launch_;
  const AwaitedSignals signals_;
  std::vector<pid_t> pids_;  // 0: has ended
  int alive_ = 0;
  std::optional<int> failure_;
  Clock::time_point deadline_;  // for the others, once a rank has failed
  bool terminated_ = false, stopped_ = false, ended_by_signal_ = false;
  int passed_on_ = 0;
};

}  // namespace

int launch_ranks(const Launch& launch) { return Ranks(launch).watch(); }

std::vector<std::string> without_option(std::vector<std::string> arguments, const std::string& name) {
  std::vector<std::string> result;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == name) {
      ++i;  // its value
    } else if (!arguments[i].starts_with(name + "=")) {
      result.push_back(std::move(arguments[i]));
    }
  }
  return result;
}

}  // namespace uir
