// Where the ranks of a run meet: at the TCP store of the launcher's MASTER_ADDR and MASTER_PORT.
//
// Without MASTER_ADDR everything stays on this machine's loopback interface, and without MASTER_PORT (mpirun and srun
// set neither) the port is 29500. Under torchrun the store is its agent's, else rank 0 opens it.
// Collectives: none; returns when all ranks came.
// Errors: kRankLost, naming this rank and the address, when the ranks do not meet within the timeout or the port is
// taken; kUsage for a port that is no port.
#pragma once

#include <chrono>
#include <cstdlib>
#include <memory>

#include "uir/dist/communicator.h"
#include "uir/dist/world.h"

namespace uir {

inline constexpr std::chrono::seconds kRendezvousTimeout{300};

// A world of one meets nobody.
std::shared_ptr<const Communicator> connect(
    const World& world, std::chrono::milliseconds timeout = kRendezvousTimeout,
    const Environment& environment = [](const char* name) { return std::getenv(name); });

}  // namespace uir
