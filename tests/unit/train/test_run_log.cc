#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/temp_folder.h"
#include "uir/base/log.h"
#include "uir/train/run_log.h"

using namespace uir;

namespace {

std::string read_all(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<int64_t> steps_in(const fs::path& path) {
  std::vector<int64_t> steps;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);)
    steps.push_back(Json::parse(line).at("step").get<int64_t>());
  return steps;
}

void write_steps(const fs::path& path, int64_t begin, int64_t end) {
  RunLog log(path, begin);
  for (int64_t step = begin; step < end; ++step) log.write({{"step", step}, {"loss", 0.5}});
}

// Runs the action in a child; 0, an error's exit code, or minus the signal that killed it.
template <class Action>
int outcome_of(Action&& action) {
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      action();
    } catch (const Error& e) {
      ::_exit(e.exit_code());
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace

TEST_CASE("run log: one JSON object per line, in order") {
  TempFolder folder;
  RunLog log(folder / "sub/log.jsonl", 0);
  log.write({{"step", 0}, {"loss", 1.5}, {"text", "a\nb\xff"}});
  log.write({{"step", 1}, {"loss", std::numeric_limits<double>::quiet_NaN()}});
  log.sync();
  CHECK(read_all(folder / "sub/log.jsonl") ==
        "{\"step\":0,\"loss\":1.5,\"text\":\"a\\\\nb\\\\xff\"}\n{\"step\":1,\"loss\":null}\n");
  CHECK_THROWS_AS(log.write({{"loss", 1}}), Error);
  CHECK_THROWS_AS(log.write({{"step", 1.5}}), Error);
}

TEST_CASE("run log: resuming drops the lines of the resumed step and after it") {
  TempFolder folder;
  const fs::path path = folder / "log.jsonl";
  write_steps(path, 0, 10);
  write_steps(path, 6, 8);
  CHECK(steps_in(path) == std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6, 7});
  write_steps(path, 20, 21);
  CHECK(steps_in(path) == std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6, 7, 20});
  write_steps(path, 0, 1);
  CHECK(steps_in(path) == std::vector<int64_t>{0});
}

TEST_CASE("run log: torn and foreign lines are dropped with one warning") {
  TempFolder folder;
  const fs::path path = folder / "log.jsonl";
  const std::string good = "{\"step\":0}\n{\"step\":1}\n";
  for (const std::string& bad : {std::string("{\"step\":2}"), std::string("{\"st"), std::string("\n"),
                                 std::string("{\"step\":\"3\"}\n"), std::string("[1]\n"),
                                 std::string("\0\0\0", 3), std::string("{\"step\":1e0}\n")}) {
    INFO(bad);
    for (const std::string& text : {good + bad, bad.back() == '\n' ? bad + good : good + bad}) {
      std::ofstream(path, std::ios::binary) << text;
      int warnings = 0;
      const LogSink previous =
          set_log_sink([&](LogLevel level, std::string_view) { warnings += level == LogLevel::kWarning; });
      RunLog log(path, 5);
      set_log_sink(previous);
      CHECK(warnings == 1);
      CHECK(read_all(path) == good);
    }
  }
}

TEST_CASE("run log: killed while logging, only the last line may be torn, and reopening mends it") {
  TempFolder folder;
  const fs::path path = folder / "log.jsonl";
  for (int round = 0; round < 20; ++round) {
    const pid_t child = ::fork();
    if (child == 0) {
      RunLog log(path, 0);
      for (int64_t step = 0;; ++step) log.write({{"step", step}, {"text", std::string(300, 'x')}});
    }
    while (!fs::exists(path) || fs::file_size(path) < 2000) ::usleep(100);
    ::usleep(137 * round);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const std::string torn = read_all(path);
    RunLog(path, std::numeric_limits<int64_t>::max());
    REQUIRE(read_all(path) == torn.substr(0, torn.rfind('\n') + 1));
    const std::vector<int64_t> steps = steps_in(path);  // every line parses
    for (size_t i = 0; i < steps.size(); ++i) REQUIRE(steps[i] == static_cast<int64_t>(i));
    fs::remove(path);
  }
}

TEST_CASE("run log: a full disk is an I/O error, and what was logged stays whole") {
  const int full = outcome_of([] {
    RunLog log("/dev/full", 0);
    log.write({{"step", 0}});
  });
  CHECK(full == 74);

  TempFolder folder;
  const fs::path path = folder / "log.jsonl";
  const int limited = outcome_of([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1000, 1000};  // the last write fits only in part
    ::setrlimit(RLIMIT_FSIZE, &limit);
    write_steps(path, 0, 1000);
  });
  CHECK(limited == 74);
  CHECK(read_all(path).ends_with('\n'));
  CHECK(steps_in(path).size() ==
        43);  // 10 lines of 22 bytes and 33 of 23; 21 bytes of the next one were taken back
}

TEST_CASE("run log: a folder in its place cannot be opened") {
  TempFolder folder;
  try {
    RunLog log(folder.path(), 0);
    FAIL("opened");
  } catch (const Error& e) {
    CHECK(e.kind() == ErrorKind::kCannotCreate);
  }
}
