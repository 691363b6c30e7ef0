// A program is two files made from the same sources (docs/architecture.md#programs): the front in bin/, which
// parses the command line, checks the experiment and answers what it can, and the worker in libexec/uir/,
// with LibTorch, OpenCV and all that they load, which takes its place for the rest.
#pragma once

#include <string>
#include <vector>

namespace uir {

// Which of the two this is. Only behind `if constexpr (kWorker)` may a program use what the front does not
// link.
#ifdef UIR_WORKER
constexpr bool kWorker = true;
#else
constexpr bool kWorker = false;
#endif

// The file of a program's worker, and in this process's environment what it must begin with. kMissingInput if
// it is not there.
std::string prepare_worker(const std::string& program);

// The worker takes the place of this process, with the same command line: process id, standard streams and
// launcher stay, and signals reach it. kMissingInput if it cannot be started.
[[noreturn]] void start_worker(const std::string& program, const std::vector<std::string>& arguments);

}  // namespace uir
