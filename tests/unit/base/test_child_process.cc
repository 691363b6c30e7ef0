// Programs that end well, badly, and not at all.
#include "uir/base/child_process.h"

#include "support/catch.h"
#include "support/errors.h"
#include "uir/base/error.h"

using namespace uir;

namespace {

ChildResult shell(const std::string& script, std::chrono::seconds limit = std::chrono::seconds(20)) {
  return run_child("/bin/sh", {"-c", script}, limit);
}

}  // namespace

TEST_CASE("a child's exit code and what it says come back") {
  const ChildResult result = shell("echo seen; echo wrong >&2; exit 3");
  CHECK(result.exit_code == 3);
  CHECK(result.problem.empty());
  CHECK(result.errors == "wrong\n");
  CHECK(shell("exit 0").exit_code == 0);
}

TEST_CASE("of much only the end is kept") {
  const ChildResult result = shell("i=0; while [ $i -lt 3000 ]; do echo line $i >&2; i=$((i+1)); done");
  CHECK(result.errors.size() <= 4096);
  CHECK(result.errors.ends_with("line 2999\n"));
}

TEST_CASE("a child that dies or hangs is told from one that ends") {
  const ChildResult killed = shell("kill -SEGV $$");
  CHECK(killed.exit_code == -1);
  CHECK_THAT(killed.problem, contains_text("ended by signal 11"));
  const ChildResult hanging = shell("exec sleep 30", std::chrono::seconds(1));
  CHECK(hanging.exit_code == -1);
  CHECK_THAT(hanging.problem, contains_text("took longer than 1 s"));
}

TEST_CASE("a program that is not there cannot be started") {
  CHECK(fails_with(ErrorKind::kInternal, [] { run_child("/no/such/program", {}, std::chrono::seconds(1)); }));
}
