#include "uir/dist/world.h"

#include <array>
#include <charconv>
#include <string>
#include <string_view>

#include "uir/base/error.h"

namespace uir {
namespace {

struct Launcher {
  const char* name;
  const char* rank;
  const char* size;
  std::array<const char*, 2> local_rank;  // either; the second may be null
  bool recognised_by_any;                 // else by the size alone
};

// srun sets PMI_RANK as well, so it comes before MPICH; mpirun and torchrun may run inside a Slurm step.
constexpr std::array<Launcher, 4> kLaunchers{{
    {"torchrun", "RANK", "WORLD_SIZE", {"LOCAL_RANK", nullptr}, true},
    {"Open MPI",
     "OMPI_COMM_WORLD_RANK",
     "OMPI_COMM_WORLD_SIZE",
     {"OMPI_COMM_WORLD_LOCAL_RANK", nullptr},
     true},
    {"srun", "SLURM_PROCID", "SLURM_STEP_NUM_TASKS", {"SLURM_LOCALID", nullptr}, false},
    {"MPICH", "PMI_RANK", "PMI_SIZE", {"MPI_LOCALRANKID", "PMI_LOCAL_RANK"}, true},
}};

const char* local_rank_name(const Launcher& launcher, const Environment& environment) {
  const auto [first, second] = launcher.local_rank;
  return second && environment(second) && !environment(first) ? second : first;
}

int64_t read(const Launcher& launcher, const char* name, const Environment& environment) {
  const char* text = environment(name);
  if (!text) {
    fail(ErrorKind::kUsage, "environment: ", name, " is missing, although other variables of ", launcher.name,
         " are set; start every rank with the launcher, or unset ", launcher.rank, " and ", launcher.size);
  }
  const std::string_view view(text);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), value);
  if (error != std::errc() || end != view.data() + view.size() || value < 0) {
    fail(ErrorKind::kUsage, "environment: ", name, "='", text, "' is not a number >= 0; ", launcher.name,
         " should have set it");
  }
  return value;
}

World read_world(const Launcher& launcher, const Environment& environment) {
  World world;
  world.rank = read(launcher, launcher.rank, environment);
  world.size = read(launcher, launcher.size, environment);
  world.local_rank = read(launcher, local_rank_name(launcher, environment), environment);
  if (world.rank >= world.size || world.local_rank >= world.size) {
    fail(ErrorKind::kUsage, "environment: ", launcher.name, " says rank ", world.rank, ", local rank ",
         world.local_rank, " of ", world.size,
         " ranks; ranks count from 0 and are below the number of ranks");
  }
  return world;
}

bool is_present(const Launcher& launcher, const Environment& environment) {
  return environment(launcher.size) ||
         (launcher.recognised_by_any &&
          (environment(launcher.rank) || environment(local_rank_name(launcher, environment))));
}

}  // namespace

World world_from_environment(c10::DeviceType device, const Environment& environment) {
  World world;
  for (const Launcher& launcher : kLaunchers) {
    if (is_present(launcher, environment)) {
      world = read_world(launcher, environment);
      break;
    }
  }
  if (device != c10::DeviceType::CPU)
    world.device = c10::Device(device, static_cast<int8_t>(world.local_rank));
  return world;
}

}  // namespace uir
