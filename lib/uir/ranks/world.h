// Which rank of how many this process is, as its launcher says.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <functional>

namespace uir {

struct World {
  int64_t rank = 0;
  int64_t size = 1;
  int64_t local_rank = 0;  // rank on this machine; chooses the CUDA device
  int64_t local_size = 1;  // ranks on this machine, which share its processors

  bool on_one_machine() const { return size == local_size; }
};

using Environment = std::function<const char*(const char*)>;
inline const char* process_environment(const char* name) { return std::getenv(name); }

// The world that torchrun and our own launcher (RANK, WORLD_SIZE, LOCAL_RANK, LOCAL_WORLD_SIZE), Open MPI
// (OMPI_COMM_WORLD_*), Slurm's srun (SLURM_PROCID, SLURM_STEP_NUM_TASKS, SLURM_LOCALID,
// SLURM_STEP_TASKS_PER_NODE with SLURM_NODEID) or MPICH and Intel MPI (PMI_*, MPI_LOCALRANKID,
// MPI_LOCALNRANKS) describe, in this order; one process if none does. Slurm counts only with
// SLURM_STEP_NUM_TASKS, which srun alone sets: in the shell of an allocation or in a batch script
// SLURM_NTASKS and SLURM_PROCID exist too, yet nobody started that many processes.
// Throws kUsage for an incomplete set of variables and for values that contradict each other.
World world_from_environment(const Environment& environment = process_environment);

// The name of the launcher whose variables are set, be they complete or not; null if none is.
const char* launcher_of(const Environment& environment = process_environment);

// How long the launcher lets its ranks live after it told them to stop [s]; 0: for ever, or nothing is known.
// torchrun kills them after 30 s, or TORCH_ELASTIC_SHUTDOWN_TIMEOUT; its option --shutdown-timeout goes
// before both, but its ranks cannot see it.
double stop_grace_s(const Environment& environment = process_environment);

}  // namespace uir
