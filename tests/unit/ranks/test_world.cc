#include "uir/ranks/world.h"

#include <map>
#include <string>

#include "support/catch.h"
#include "uir/base/error.h"

namespace {

using Variables = std::map<std::string, std::string>;

uir::World world_of(const Variables& variables) {
  return uir::world_from_environment([&](const char* name) {
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

void check(const uir::World& world, int64_t rank, int64_t size, int64_t local_rank, int64_t local_size) {
  CHECK(world.rank == rank);
  CHECK(world.size == size);
  CHECK(world.local_rank == local_rank);
  CHECK(world.local_size == local_size);
  CHECK(world.on_one_machine() == (size == local_size));
}

Variables slurm(const std::string& tasks_per_node, const std::string& node) {
  return {{"SLURM_PROCID", "7"},
          {"SLURM_STEP_NUM_TASKS", "11"},
          {"SLURM_LOCALID", "2"},
          {"SLURM_STEP_TASKS_PER_NODE", tasks_per_node},
          {"SLURM_NODEID", node}};
}

}  // namespace

TEST_CASE("world: every launcher's variables") {
  check(world_of({}), 0, 1, 0, 1);
  check(world_of({{"RANK", "5"}, {"WORLD_SIZE", "8"}, {"LOCAL_RANK", "1"}, {"LOCAL_WORLD_SIZE", "4"}}), 5, 8,
        1, 4);
  check(world_of({{"OMPI_COMM_WORLD_RANK", "2"},
                  {"OMPI_COMM_WORLD_SIZE", "3"},
                  {"OMPI_COMM_WORLD_LOCAL_RANK", "2"},
                  {"OMPI_COMM_WORLD_LOCAL_SIZE", "3"}}),
        2, 3, 2, 3);
  check(world_of({{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}, {"MPI_LOCALRANKID", "1"}, {"MPI_LOCALNRANKS", "2"}}),
        1, 2, 1, 2);
  check(world_of({{"PMI_RANK", "1"}, {"PMI_SIZE", "2"}, {"PMI_LOCAL_RANK", "0"}, {"PMI_LOCAL_SIZE", "1"}}), 1,
        2, 0, 1);
}

TEST_CASE("world: Slurm's list of the tasks of each node") {
  check(world_of(slurm("4(x2),3", "0")), 7, 11, 2, 4);
  check(world_of(slurm("4(x2),3", "1")), 7, 11, 2, 4);
  check(world_of(slurm("4(x2),3", "2")), 7, 11, 2, 3);
  check(world_of(slurm("11", "0")), 7, 11, 2, 11);
  CHECK_THAT(refusal_of(slurm("4(x2),3", "3")), contains_text("no entry for SLURM_NODEID=3"));
  for (const char* text : {"", "x", "4(x", "4(x2", "4(y2)", "-4", "4(x-2),11"}) {
    CAPTURE(text);
    CHECK_THAT(refusal_of(slurm(text, "2")), contains_text("SLURM_STEP_TASKS_PER_NODE='"));
  }
  Variables no_node = slurm("11", "0");
  no_node.erase("SLURM_NODEID");
  CHECK_THAT(refusal_of(no_node), contains_text("SLURM_NODEID is missing"));
}

TEST_CASE("world: the innermost launcher counts") {
  Variables both{{"RANK", "3"}, {"WORLD_SIZE", "4"}, {"LOCAL_RANK", "3"}, {"LOCAL_WORLD_SIZE", "4"}};
  const Variables srun = slurm("11", "0");
  both.insert(srun.begin(), srun.end());
  check(world_of(both), 3, 4, 3, 4);
  Variables with_pmi{{"PMI_RANK", "0"}, {"PMI_SIZE", "2"}};
  with_pmi.insert(srun.begin(), srun.end());
  check(world_of(with_pmi), 7, 11, 2, 11);
}

TEST_CASE("world: a Slurm allocation or batch script without srun is one process") {
  check(world_of({{"SLURM_NTASKS", "8"}}), 0, 1, 0, 1);
  check(world_of({{"SLURM_NTASKS", "8"}, {"SLURM_PROCID", "0"}, {"SLURM_LOCALID", "0"}}), 0, 1, 0, 1);
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
  const auto refusal_of_numbers = [](const char* rank, const char* local_rank, const char* local_size) {
    return refusal_of(
        {{"RANK", rank}, {"WORLD_SIZE", "2"}, {"LOCAL_RANK", local_rank}, {"LOCAL_WORLD_SIZE", local_size}});
  };
  CHECK_THAT(refusal_of_numbers("2", "0", "2"), contains_text("rank 2 of 2"));
  CHECK_THAT(refusal_of_numbers("0", "2", "2"), contains_text("on this machine rank 2 of 2"));
  CHECK_THAT(refusal_of_numbers("0", "1", "1"), contains_text("on this machine rank 1 of 1"));
  CHECK_THAT(refusal_of_numbers("0", "0", "3"), contains_text("on this machine rank 0 of 3"));
  CHECK_THAT(refusal_of_numbers("0", "0", "0"), contains_text("on this machine rank 0 of 0"));
  CHECK_THAT(refusal_of({{"RANK", "0"}, {"WORLD_SIZE", "2"}, {"LOCAL_RANK", "0"}}),
             contains_text("LOCAL_WORLD_SIZE is missing"));
  CHECK_THAT(refusal_of({{"LOCAL_WORLD_SIZE", "2"}}), contains_text("RANK is missing"));
}

TEST_CASE("world: the launcher's name, also of an incomplete set") {
  const auto name_of = [](const Variables& variables) {
    return uir::launcher_of([&](const char* name) {
      const auto found = variables.find(name);
      return found == variables.end() ? nullptr : found->second.c_str();
    });
  };
  CHECK(name_of({}) == nullptr);
  CHECK(name_of({{"SLURM_PROCID", "0"}}) == nullptr);
  CHECK(std::string(name_of({{"PMI_RANK", "0"}})) == "MPICH");
  CHECK(std::string(name_of(slurm("1", "0"))) == "srun");
}

TEST_CASE("world: torchrun alone kills ranks that take long to stop") {
  const auto grace = [](const Variables& variables) {
    return uir::stop_grace_s([&](const char* name) {
      const auto found = variables.find(name);
      return found == variables.end() ? nullptr : found->second.c_str();
    });
  };
  CHECK(grace({}) == 0);
  CHECK(grace({{"TORCH_ELASTIC_SHUTDOWN_TIMEOUT", "600"}}) == 0);
  CHECK(grace({{"TORCHELASTIC_RUN_ID", "none"}}) == 30);
  CHECK(grace({{"TORCHELASTIC_RUN_ID", "none"}, {"TORCH_ELASTIC_SHUTDOWN_TIMEOUT", "600"}}) == 600);
  CHECK(grace({{"TORCHELASTIC_RUN_ID", "none"}, {"TORCH_ELASTIC_SHUTDOWN_TIMEOUT", "long"}}) == 30);
}
