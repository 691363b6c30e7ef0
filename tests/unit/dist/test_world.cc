#include "uir/dist/world.h"

#include <map>
#include <string>

#include "support/catch.h"
#include "uir/base/error.h"

namespace {

using Variables = std::map<std::string, std::string>;

uir::World world_of(const Variables& variables, c10::DeviceType device = c10::DeviceType::CPU) {
  return uir::world_from_environment(device, [&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
}

std::string refusal_of(const Variables& variables) {
  try {
    world_of(variables);
  } catch (const uir::Error& error) {
    CHECK(error.kind() == uir::ErrorKind::kUsage);
    return error.what();
  }
  return "accepted";
}

void check(const uir::World& world, int64_t rank, int64_t size, int64_t local_rank) {
  CHECK(world.rank == rank);
  CHECK(world.size == size);
  CHECK(world.local_rank == local_rank);
}

}  // namespace

TEST_CASE("world: every launcher's variables") {
  check(world_of({}), 0, 1, 0);
  check(world_of({{"RANK", "5"}, {"WORLD_SIZE", "8"}, {"LOCAL_RANK", "1"}}), 5, 8, 1);
  check(world_of({{"OMPI_COMM_WORLD_RANK", "2"},
                  {"OMPI_COMM_WORLD_SIZE", "3"},
                  {"OMPI_COMM_WORLD_LOCAL_RANK", "2"}}),
        2, 3, 2);
  check(world_of({{"SLURM_PROCID", "7"}, {"SLURM_STEP_NUM_TASKS", "16"}, {"SLURM_LOCALID", "3"}}), 7, 16, 3);
  check(world_of({{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}, {"MPI_LOCALRANKID", "1"}}), 1, 2, 1);
  check(world_of({{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}, {"PMI_LOCAL_RANK", "0"}}), 1, 2, 0);
}

TEST_CASE("world: the innermost launcher counts") {
  const Variables slurm{{"SLURM_PROCID", "0"}, {"SLURM_STEP_NUM_TASKS", "2"}, {"SLURM_LOCALID", "0"}};
  Variables both{{"RANK", "3"}, {"WORLD_SIZE", "4"}, {"LOCAL_RANK", "3"}};
  both.insert(slurm.begin(), slurm.end());
  check(world_of(both), 3, 4, 3);
  Variables with_pmi{{"PMI_RANK", "0"}, {"PMI_SIZE", "2"}};
  with_pmi.insert(slurm.begin(), slurm.end());
  check(world_of(with_pmi), 0, 2, 0);
}

TEST_CASE("world: a Slurm allocation or batch script without srun is one process") {
  check(world_of({{"SLURM_NTASKS", "8"}}), 0, 1, 0);
  check(world_of({{"SLURM_NTASKS", "8"}, {"SLURM_PROCID", "0"}, {"SLURM_LOCALID", "0"}}), 0, 1, 0);
}

TEST_CASE("world: the device is this rank's") {
  const Variables variables{{"RANK", "5"}, {"WORLD_SIZE", "8"}, {"LOCAL_RANK", "1"}};
  CHECK(world_of(variables).device == c10::Device(c10::DeviceType::CPU));
  CHECK(world_of(variables, c10::DeviceType::CUDA).device == c10::Device(c10::DeviceType::CUDA, 1));
}

TEST_CASE("world: what is missing or contradictory is named") {
  CHECK_THAT(refusal_of({{"RANK", "0"}, {"LOCAL_RANK", "0"}}), contains_text("WORLD_SIZE is missing"));
  CHECK_THAT(refusal_of({{"WORLD_SIZE", "2"}}), contains_text("RANK is missing"));
  CHECK_THAT(refusal_of({{"LOCAL_RANK", "2"}}), contains_text("RANK is missing"));
  CHECK_THAT(refusal_of({{"RANK", "0"}, {"WORLD_SIZE", "2"}}), contains_text("LOCAL_RANK is missing"));
  CHECK_THAT(refusal_of({{"SLURM_STEP_NUM_TASKS", "2"}, {"SLURM_LOCALID", "0"}}),
             contains_text("SLURM_PROCID is missing"));
  CHECK_THAT(refusal_of({{"RANK", "x"}, {"WORLD_SIZE", "2"}, {"LOCAL_RANK", "0"}}),
             contains_text("RANK='x'"));
  CHECK_THAT(refusal_of({{"RANK", "-1"}, {"WORLD_SIZE", "2"}, {"LOCAL_RANK", "0"}}),
             contains_text("RANK='-1'"));
  CHECK_THAT(refusal_of({{"RANK", "2"}, {"WORLD_SIZE", "2"}, {"LOCAL_RANK", "0"}}), contains_text("rank 2"));
  CHECK_THAT(refusal_of({{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"LOCAL_RANK", "2"}}),
             contains_text("local rank 2 of 2"));
}
