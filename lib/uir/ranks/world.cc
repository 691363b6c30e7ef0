#include "uir/ranks/world.h"

#include <array>
#include <charconv>
#include <string>
#include <string_view>

#include "uir/base/error.h"

namespace uir {
namespace {

using Names = std::array<const char*, 2>;  // either; the second may be null

struct Launcher {
  const char* name;
  const char* rank;
  const char* size;
  Names local_rank;
  Names local_size;
  bool recognised_by_any;  // else by the size alone
};

constexpr const char* kSlurmTasksPerNode = "SLURM_STEP_TASKS_PER_NODE";

// srun sets PMI_RANK as well, so it comes before MPICH; mpirun and torchrun may run inside a Slurm step.
constexpr std::array<Launcher, 4> kLaunchers{{
    {"torchrun", "RANK", "WORLD_SIZE", {"LOCAL_RANK", nullptr}, {"LOCAL_WORLD_SIZE", nullptr}, true},
    {"Open MPI",
     "OMPI_COMM_WORLD_RANK",
     "OMPI_COMM_WORLD_SIZE",
     {"OMPI_COMM_WORLD_LOCAL_RANK", nullptr},
     {"OMPI_COMM_WORLD_LOCAL_SIZE", nullptr},
     true},
    {"srun",
     "SLURM_PROCID",
     "SLURM_STEP_NUM_TASKS",
     {"SLURM_LOCALID", nullptr},
     {kSlurmTasksPerNode, nullptr},
     false},
    {"MPICH",
     "PMI_RANK",
     "PMI_SIZE",
     {"MPI_LOCALRANKID", "PMI_LOCAL_RANK"},
     {"MPI_LOCALNRANKS", "PMI_LOCAL_SIZE"},
     true},
}};

const char* name_in(const Names& names, const Environment& environment) {
  const auto [first, second] = names;
  return second && environment(second) && !environment(first) ? second : first;
}

// The value of a variable that must be there.
std::string_view text_of(const Launcher& launcher, const char* name, const Environment& environment) {
  const char* text = environment(name);
  if (!text) {
    fail(ErrorKind::kUsage, "environment: ", name, " is missing, although other variables of ", launcher.name,
         " are set; start every rank with the launcher, or unset ", launcher.rank, " and ", launcher.size);
  }
  return text;
}

// Reads a number >= 0 at the front of the text and removes it.
bool take_number(std::string_view& text, int64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value < 0) return false;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return true;
}

int64_t read(const Launcher& launcher, const char* name, const Environment& environment) {
  const std::string_view text = text_of(launcher, name, environment);
  std::string_view rest = text;
  int64_t value = 0;
  if (!take_number(rest, value) || !rest.empty()) {
    fail(ErrorKind::kUsage, "environment: ", name, "='", text, "' is not a number >= 0; ", launcher.name,
         " should have set it");
  }
  return value;
}

// Slurm lists the tasks of all nodes: "4(x2),3" is 4, 4 and 3.
int64_t read_slurm_local_size(const Launcher& launcher, const Environment& environment) {
  const std::string_view text = text_of(launcher, kSlurmTasksPerNode, environment);
  int64_t node = read(launcher, "SLURM_NODEID", environment);
  std::string_view rest = text;
  for (;;) {
    int64_t tasks = 0, nodes = 1;
    bool valid = take_number(rest, tasks);
    if (valid && rest.starts_with("(x")) {
      rest.remove_prefix(2);
      valid = take_number(rest, nodes) && rest.starts_with(")");
      if (valid) rest.remove_prefix(1);
    }
    if (valid && node < nodes) return tasks;
    if (!valid || !rest.starts_with(",")) break;
    rest.remove_prefix(1);
    node -= nodes;
  }
  fail(ErrorKind::kUsage, "environment: ", kSlurmTasksPerNode, "='", text,
       "' has no entry for SLURM_NODEID=", environment("SLURM_NODEID"),
       "; expected a list of the tasks of each node, such as 4(x2),3");
}

World read_world(const Launcher& launcher, const Environment& environment) {
  World world;
  world.rank = read(launcher, launcher.rank, environment);
  world.size = read(launcher, launcher.size, environment);
  world.local_rank = read(launcher, name_in(launcher.local_rank, environment), environment);
  world.local_size = launcher.local_size[0] == kSlurmTasksPerNode
                         ? read_slurm_local_size(launcher, environment)
                         : read(launcher, name_in(launcher.local_size, environment), environment);
  if (world.rank >= world.size || world.local_rank >= world.local_size || world.local_size > world.size) {
    fail(ErrorKind::kUsage, "environment: ", launcher.name, " says rank ", world.rank, " of ", world.size,
         " and on this machine rank ", world.local_rank, " of ", world.local_size,
         "; ranks count from 0 and are below the number of ranks");
  }
  return world;
}

const Launcher* find_launcher(const Environment& environment) {
  for (const Launcher& launcher : kLaunchers) {
    if (environment(launcher.size) ||
        (launcher.recognised_by_any &&
         (environment(launcher.rank) || environment(name_in(launcher.local_rank, environment)) ||
          environment(name_in(launcher.local_size, environment))))) {
      return &launcher;
    }
  }
  return nullptr;
}

}  // namespace

World world_from_environment(const Environment& environment) {
  const Launcher* launcher = find_launcher(environment);
  return launcher ? read_world(*launcher, environment) : World{};
}

double stop_grace_s(const Environment& environment) {
  constexpr int64_t kTorchrun = 30;
  if (!environment("TORCHELASTIC_RUN_ID")) return 0;
  const char* told = environment("TORCH_ELASTIC_SHUTDOWN_TIMEOUT");
  std::string_view text = told ? told : "";
  int64_t seconds = 0;
  return static_cast<double>(take_number(text, seconds) && text.empty() ? seconds : kTorchrun);
}

const char* launcher_of(const Environment& environment) {
  const Launcher* launcher = find_launcher(environment);
  return launcher ? launcher->name : nullptr;
}

}  // namespace uir
