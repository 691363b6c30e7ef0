#include "worker.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "uir/base/child_process.h"
#include "uir/base/error.h"
#include "uir/base/file.h"

namespace uir {
namespace {

[[noreturn]] void fail_to_start(const std::string& worker, const std::string& program) {
  fail(ErrorKind::kMissingInput, worker, ": cannot start: ", std::strerror(errno),
       "; it is the larger part of ", program, ", and is installed in libexec/uir beside the folder of ",
       program);
}

// Threads of OpenMP that wait for each other do so for a while without leaving the processor. Alone on a
// machine that does no harm; beside other programs it takes the processors that the work needs: a training on
// two cores took 190 s beside three busy programs, and 109 s with at most 10000 turns (docs/distributed.md).
// GCC's OpenMP takes that bound from the environment alone, while it is loaded. What the worker starts, its
// ranks among them, has the bound as well.
void bound_spinning() {
  if (!std::getenv("GOMP_SPINCOUNT") && !std::getenv("OMP_WAIT_POLICY"))
    ::setenv("GOMP_SPINCOUNT", "10000", 1);
}

}  // namespace

std::string prepare_worker(const std::string& program) {
  const fs::path prefix = fs::path(own_program()).parent_path().parent_path();
  const std::string worker = (prefix / "libexec/uir" / program).string();
  if (::access(worker.c_str(), X_OK) != 0) fail_to_start(worker, program);
  bound_spinning();
  return worker;
}

void start_worker(const std::string& program, const std::vector<std::string>& arguments) {
  const std::string worker = prepare_worker(program);
  replace_process(worker, arguments);
  fail_to_start(worker, program);
}

}  // namespace uir
