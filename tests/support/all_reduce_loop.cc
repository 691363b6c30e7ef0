// all_reduce_loop TIMEOUT_MS [FAILING_RANK [watched|stuck]]: a rank that sums with the others until it is
// lost. Rank 0 says "running" after the first sum; FAILING_RANK (-1: none) fails by itself after it. watched:
// between sums ranks compute without end, as on a device, and only the watch tells them that one is lost.
// stuck: they wait for a device's work, which FAILING_RANK never joins: it hangs, its connections do not.
// Prints its error and ends with the error's exit code.
#include <signal.h>

#include <chrono>
#include <iostream>
#include <string>
#include <thread>

#include "uir/base/error.h"
#include "uir/dist/process_group.h"
#include "uir/dist/rendezvous.h"

namespace {

void hang() {
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
}

void compute_until_lost(const uir::ProcessGroupCommunicator& ranks) {
  while (!ranks.lost()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

void sum_for_ever(const uir::Communicator& ranks, int64_t failing_rank, const std::string& how) {
  const auto& group = dynamic_cast<const uir::ProcessGroupCommunicator&>(ranks);
  const bool stuck = how == "stuck", watched = stuck || how == "watched";
  if (watched) group.watch();
  for (int64_t step = 0;; ++step) {
    if (ranks.sum(1) != ranks.size()) uir::fail(uir::ErrorKind::kInternal, "a wrong sum");
    if (step == 0 && ranks.rank() == 0) std::cout << "running" << std::endl;
    if (ranks.rank() == failing_rank && stuck) hang();
    if (ranks.rank() == failing_rank) uir::fail(uir::ErrorKind::kData, "faces.idx: record 7 is cut off");
    if (stuck) group.limit_work([] { return false; });
    if (watched) compute_until_lost(group);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace

int main(int argc, char** argv) {
  ::signal(SIGPIPE,
           SIG_IGN);  // as the programs do: a connection that is closed meanwhile is an error, not an end
  try {
    const std::chrono::milliseconds timeout(argc > 1 ? std::stoi(argv[1]) : 3000);
    const auto ranks = uir::connect(uir::world_from_environment(), {std::chrono::seconds(10), timeout});
    uir::run_as_rank(
        *ranks, [&] { sum_for_ever(*ranks, argc > 2 ? std::stoi(argv[2]) : -1, argc > 3 ? argv[3] : ""); });
  } catch (const uir::Error& error) {
    std::cerr << error.what() << std::endl;
    return error.exit_code();
  }
}
