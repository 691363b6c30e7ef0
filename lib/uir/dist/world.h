// Which rank of how many this process is, as its launcher says.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <cstdlib>
#include <functional>

namespace uir {

struct World {
  int64_t rank = 0;
  int64_t size = 1;
  int64_t local_rank = 0;  // rank on this machine; chooses the CUDA device
  c10::Device device = c10::Device(c10::DeviceType::CPU);
};

using Environment = std::function<const char*(const char*)>;

// The world that torchrun (RANK, WORLD_SIZE, LOCAL_RANK), Open MPI (OMPI_COMM_WORLD_*), Slurm's srun (SLURM_PROCID,
// SLURM_STEP_NUM_TASKS, SLURM_LOCALID) or MPICH (PMI_*) describe, in this order; one process if none does.
// Slurm counts only with SLURM_STEP_NUM_TASKS, which srun alone sets: in the shell of an allocation or in a batch
// script SLURM_NTASKS and SLURM_PROCID exist too, yet nobody started that many processes.
// Throws kUsage for an incomplete set of variables and for values that contradict each other.
World world_from_environment(
    c10::DeviceType device = c10::DeviceType::CPU,
    const Environment& environment = [](const char* name) { return std::getenv(name); });

}  // namespace uir
