// Another program, run to its end, for what may crash or hang; or in the place of this one.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace uir {

// Runs program (a path) with arguments and this process's environment and standard streams; what it writes to
// standard error comes back instead of being shown. Ends it where it takes longer than the limit.
struct ChildResult {
  int exit_code = -1;  // −1: it did not exit by itself
  std::string
      problem;  // "ended by signal 11 (Segmentation fault)", "took longer than 60 s"; empty if it exited
  std::string errors;  // what it wrote to standard error, the last 4 KiB
};
// kInternal if it cannot be started.
ChildResult run_child(const std::string& program, const std::vector<std::string>& arguments,
                      std::chrono::seconds limit);

// The program, a path or a name that PATH finds, takes the place of this one; arguments: its command line,
// the name in front. Returns only if it cannot be started, with errno.
void replace_process(const std::string& program, const std::vector<std::string>& arguments);

// The program that is running.
std::string own_program();

}  // namespace uir
