// Starts a program several times on this machine, as the ranks of one run, and watches over them.
//
// The ranks get RANK, WORLD_SIZE, LOCAL_RANK and LOCAL_WORLD_SIZE, die with the launcher, and are process
// groups of their own: a terminal's Ctrl-C reaches them through the launcher only, hence once. SIGTERM,
// SIGINT and SIGUSR1 are passed on to all of them, as often as they come; Ctrl-Z stops them too.
// When a rank fails, the others should end by themselves; those that do not within `grace` get SIGTERM, and
// SIGKILL after as long again. A rank that stops on request (exit code 75) does not count as failed.
// Errors: kInternal when a process cannot be started. Threads: call from the main thread, before others
// start.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace uir {

struct Launch {
  std::string program;                                           // the file
  std::vector<std::string> arguments;                            // with the program's name in front
  std::vector<std::pair<std::string, std::string>> environment;  // added for every rank
  int ranks = 1;
  std::chrono::milliseconds grace{15000};
};

// Returns when all ranks have ended: 0 if all succeeded; else the exit code of the first rank that failed for
// a reason of its own, rather than because another rank was lost (69); 69 if one was killed, which is also
// logged; 75 if some stopped on request; 128 + N if signal N was passed on and ended them.
int launch_ranks(const Launch& launch);

// The arguments without an option that takes one value, given as "--name value" or "--name=value".
std::vector<std::string> without_option(std::vector<std::string> arguments, const std::string& name);

}  // namespace uir
