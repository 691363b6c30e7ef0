// Where the ranks of a run meet.
//
// Ranks on one machine without MASTER_ADDR meet in a private folder (meeting_folder.h): no port is open but
// Gloo's on the loopback interface. Our launcher names the folder (UIR_MEETING); under mpirun and srun rank 0
// creates it and the others find it by the job's id. With MASTER_ADDR they meet at the TCP store there, on
// MASTER_PORT (29500 if unset), which listens on all interfaces; under torchrun the store is its agent's,
// else rank 0 opens it.
// Collectives: none; returns when all ranks came.
// Errors: kRankLost, naming this rank and the place, when the ranks do not meet in time or the port is taken;
// kUsage for a port that is no port, and for several machines or hand-started ranks without MASTER_ADDR.
// Timeouts of the TCP store count in whole seconds.
#pragma once

#include <chrono>
#include <memory>

#include "uir/dist/communicator.h"
#include "uir/ranks/world.h"

namespace uir {

struct RankTimeouts {
  std::chrono::milliseconds meeting = std::chrono::minutes(5);  // until all ranks are there
  std::chrono::milliseconds collective =
      std::chrono::minutes(5);  // how long one waits for the others' answers
};

// A world of one meets nobody; a larger one gets a ProcessGroupCommunicator.
std::shared_ptr<const Communicator> connect(const World& world, const RankTimeouts& timeouts = {},
                                            const Environment& environment = process_environment);

}  // namespace uir
