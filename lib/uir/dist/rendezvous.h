// Where the ranks of a run meet: at the TCP store of the launcher's MASTER_ADDR and MASTER_PORT.
//
// Without MASTER_ADDR everything stays on this machine's loopback interface, and without MASTER_PORT (mpirun and srun
// set neither) the port is 29500. Under torchrun the store is its agent's, else rank 0 opens it.
// Collectives: none; returns when all ranks came.
// Errors: kRankLost, naming this rank and the address, when the ranks do not meet in time or the port is taken; kUsage
// for a port that is no port. Timeouts count in whole seconds.
#pragma once

#include <chrono>
#include <cstdlib>
#include <memory>

#include "uir/dist/communicator.h"
#include "uir/dist/world.h"

namespace uir {

struct RankTimeouts {
  std::chrono::milliseconds meeting = std::chrono::minutes(5);  // until all ranks are there
  std::chrono::milliseconds collective =
      std::chrono::minutes(5);  // how long one waits for the others' answers
};

// A world of one meets nobody.
std::shared_ptr<const Communicator> connect(
    const World& world, const RankTimeouts& timeouts = {},
    const Environment& environment = [](const char* name) { return std::getenv(name); });

}  // namespace uir
