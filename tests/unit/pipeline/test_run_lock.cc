#include "uir/pipeline/run_lock.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>
#include <string>

#include "support/catch.h"
#include "support/errors.h"
#include "support/file_bytes.h"
#include "support/temp_folder.h"

using namespace uir;

namespace {

// A process that locks the folder and waits; with `leaves_child` it starts another program first, which lives
// longer. Returns once the lock is held.
pid_t lock_elsewhere(const fs::path& folder, bool leaves_child = false) {
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const RunLock lock(folder);
    if (leaves_child && ::fork() == 0) {
      ::close(ready[0]);
      ::close(ready[1]);
      ::execl("/bin/sleep", "sleep", "20", nullptr);
      ::_exit(1);
    }
    if (leaves_child) ::usleep(200'000);  // until that program has begun
    ::close(ready[0]);
    ::close(ready[1]);
    for (;;) ::pause();
  }
  ::close(ready[1]);
  char byte = 0;
  CHECK(::read(ready[0], &byte, 1) == 0);  // the end: the child has closed it
  ::close(ready[0]);
  return child;
}

void kill_and_wait(pid_t child) {
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

}  // namespace

TEST_CASE("run lock: a second training is refused with the holder's name, and a killed one leaves no lock") {
  TempFolder folder;
  const fs::path run = folder / "deep/run";
  const pid_t holder = lock_elsewhere(run);
  const std::string before = read_bytes(run / "train.lock");
  const auto error = error_of([&] { RunLock{run}; });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kUsage);
  CHECK(std::string(error->what()).find(concat("process ", holder, " on ")) != std::string::npos);
  CHECK(read_bytes(run / "train.lock") == before);
  kill_and_wait(holder);
  {
    const RunLock again(run);
    CHECK(read_bytes(run / "train.lock").starts_with(concat("process ", ::getpid(), " on ")));
    CHECK(fails_with(ErrorKind::kUsage, [&] { RunLock{run}; }));  // also within one process
  }
  CHECK_NOTHROW(RunLock(run));
}

TEST_CASE("run lock: programs that the training started do not hold it beyond its end") {
  TempFolder folder;
  kill_and_wait(lock_elsewhere(folder.path(), /*leaves_child=*/true));
  CHECK_NOTHROW(RunLock(folder.path()));
}

TEST_CASE("run lock: a folder that cannot be made, and a holder that wrote nothing down") {
  TempFolder folder;
  write_bytes(folder / "file", "");
  CHECK(fails_with(ErrorKind::kCannotCreate, [&] { RunLock(folder / "file/run"); }));
  std::optional<RunLock> lock(std::in_place, folder.path());
  write_bytes(folder / "other", "");
  ::truncate((folder / "train.lock").c_str(), 0);
  const auto error = error_of([&] { RunLock(folder.path()); });
  REQUIRE(error);
  CHECK(std::string(error->what()).find(": another process trains in this folder") != std::string::npos);
}
