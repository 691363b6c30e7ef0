#include "uir/ranks/launch.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.h"
#include "support/temp_folder.h"
#include "uir/base/file.h"
#include "uir/base/log.h"

namespace {

uir::Launch shell(const std::string& script, int ranks = 3) {
  return {"/bin/sh", {"sh", "-c", script}, {}, ranks, std::chrono::milliseconds(400)};
}

// Runs the script in every rank; `said` gets the launcher's messages.
int run(const std::string& script, std::string* said = nullptr) {
  std::string text;
  auto before =
      uir::set_log_sink([&](uir::LogLevel, std::string_view line) { text += std::string(line) + "\n"; });
  const int code = uir::launch_ranks(shell(script));
  uir::set_log_sink(std::move(before));
  if (said != nullptr) *said = text;
  return code;
}

// Sends the signal to this process, which is the launcher, once the ranks have created `count` files.
class SignalWhen {
 public:
  SignalWhen(const std::filesystem::path& folder, int count, int number)
      : thread_([folder, count, number, launcher = ::getpid()] {
          while (std::distance(uir::fs::directory_iterator(folder), uir::fs::directory_iterator()) < count)
            ::usleep(5000);
          ::kill(launcher, number);
        }) {}
  ~SignalWhen() { thread_.join(); }

 private:
  std::thread thread_;
};

}  // namespace

TEST_CASE("launch: every rank knows its place") {
  const TempFolder folder;
  uir::Launch launch = shell("echo $RANK/$WORLD_SIZE $LOCAL_RANK/$LOCAL_WORLD_SIZE $COLOR $0 >" +
                             folder.path().string() + "/$RANK");
  launch.arguments.push_back("an argument");
  launch.environment = {{"COLOR", "red"}};
  ::setenv("COLOR", "blue", 1);
  CHECK(uir::launch_ranks(launch) == 0);
  for (const char* rank : {"0", "1", "2"}) {
    CHECK(uir::read_text_file(folder / rank) == std::string(rank) + "/3 " + rank + "/3 red an argument\n");
  }
}

TEST_CASE("launch: the exit code is the cause's") {
  std::string said;
  CHECK(run("exit 0", &said) == 0);
  CHECK(said.empty());
  CHECK(run("[ $RANK = 1 ] && exit 65; sleep 0.1; exit 69", &said) == 65);
  CHECK(run("[ $RANK = 1 ] && { sleep 0.1; exit 66; }; exit 69") == 66);  // the survivors were quicker
  CHECK(run("exit 75") == 75);
  CHECK(run("[ $RANK = 1 ] && exit 75; exit 0") == 75);
  CHECK(run("[ $RANK = 1 ] && kill -9 $$; sleep 0.1; exit 69", &said) == 69);
  CHECK_THAT(said, contains_text("rank 1 was killed by signal 9"));
  CHECK(uir::launch_ranks({"/not/a/program", {"x"}, {}, 2}) == 127);
}

TEST_CASE("launch: ranks that outlive a failure are asked to end, then killed") {
  const TempFolder folder;
  const std::string trap = "trap 'touch " + folder.path().string() + "/asked' TERM; ";
  std::string said;
  CHECK(run(trap + "[ $RANK = 0 ] && exit 65; while :; do sleep 0.05; done", &said) == 65);
  CHECK(std::filesystem::exists(folder / "asked"));
  CHECK_THAT(said, contains_text("2 of 3 ranks did not end") && contains_text("killed"));
}

TEST_CASE("launch: signals reach every rank") {
  const TempFolder folder;
  const std::string place = folder.path().string();
  for (const int number : {SIGTERM, SIGINT, SIGUSR1}) {
    CAPTURE(number);
    for (const char* rank : {"0", "1", "2"}) std::filesystem::remove(folder / rank);
    const SignalWhen signal(folder.path(), 3, number);
    CHECK(run("trap 'exit 75' TERM INT USR1; touch " + place + "/$RANK; while :; do sleep 0.02; done") == 75);
  }
  for (const char* rank : {"0", "1", "2"}) std::filesystem::remove(folder / rank);
  const SignalWhen signal(folder.path(), 3, SIGTERM);
  std::string said;
  CHECK(run("touch " + place + "/$RANK; while :; do sleep 0.02; done", &said) == 128 + SIGTERM);
  CHECK(said.empty());
}

TEST_CASE("launch: ranks die with their launcher") {
  const TempFolder folder;
  const pid_t launcher = ::fork();
  if (launcher == 0) {
    uir::launch_ranks(shell("echo $$ >" + folder.path().string() + "/$RANK.new; cd " +
                            folder.path().string() + "; mv $RANK.new $RANK; while :; do sleep 0.05; done"));
    ::_exit(0);
  }
  std::vector<pid_t> ranks;
  for (const char* rank : {"0", "1", "2"}) {
    while (!std::filesystem::exists(folder / rank)) ::usleep(5000);
    ranks.push_back(std::stoi(uir::read_text_file(folder / rank)));
  }
  ::kill(launcher, SIGKILL);
  ::waitpid(launcher, nullptr, 0);
  // A dead process that nobody has waited for yet has no command line any more.
  const auto is_alive = [](pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline");
    return file.peek() != std::ifstream::traits_type::eof();
  };
  for (const pid_t rank : ranks) {
    for (int wait = 0; is_alive(rank) && wait < 400; ++wait) ::usleep(5000);
    CHECK(!is_alive(rank));
    if (is_alive(rank)) ::kill(rank, SIGKILL);
  }
}

TEST_CASE("launch: an option and its value are taken out") {
  using List = std::vector<std::string>;
  CHECK(uir::without_option({"p", "--n", "3", "a", "--n=4", "--nn", "--set", "b"}, "--n") ==
        List{"p", "a", "--nn", "--set", "b"});
}
