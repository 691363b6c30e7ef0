#include "support/ranks.h"
#include "uir/dist/nccl.h"
#include "uir/pipeline/compute.h"
//
#include <array>
#include <string>

#include "support/catch.h"
#include "support/errors.h"

using namespace uir;

namespace {

World world_of(const Communicator& ranks) {
  return {.rank = ranks.rank(), .size = ranks.size(), .local_rank = ranks.rank(), .local_size = ranks.size()};
}

}  // namespace

TEST_CASE("compute: devices by name") {
  const World world{.rank = 5, .size = 8, .local_rank = 1, .local_size = 4};
  CHECK(resolve_device("train.device", "cpu", world).is_cpu());
  const auto wrong = error_of([&] { resolve_device("train.device", "gpu", world); });
  REQUIRE(wrong);
  CHECK(wrong->kind() == ErrorKind::kConfig);
  CHECK_THAT(wrong->what(),
             contains_text("train.device: 'gpu' is no device; expected auto, cpu, cuda or cuda:N"));
  if (at::hasCUDA()) return;  // there the local rank's device is chosen
  CHECK(resolve_device("train.device", "auto", world).is_cpu());
  for (const std::string name : {"cuda", "cuda:0", "cuda:7"}) {
    const auto absent = error_of([&] { resolve_device("eval.device", name, world); });
    REQUIRE(absent);
    CHECK_THAT(absent->what(),
               contains_text("eval.device: '" + name + "', but LibTorch sees no such CUDA device"));
  }
}

TEST_CASE("compute: CPU ranks talk over Gloo, whatever is asked of devices") {
  std::array<int, 2> unchanged{};
  run_ranks(2, [&](const std::shared_ptr<const Communicator>& ranks) {
    for (const DeviceTransport transport :
         {DeviceTransport::kAuto, DeviceTransport::kNccl, DeviceTransport::kGloo})
      unchanged[static_cast<size_t>(ranks->rank())] +=
          device_ranks(ranks, transport, at::kCPU, world_of(*ranks)) == ranks;
  });
  CHECK(unchanged == std::array{3, 3});
}

TEST_CASE("compute: ranks on devices without NCCL talk over Gloo, or refuse where NCCL is asked for") {
  if (has_nccl()) return;
  std::array<int, 2> unchanged{};
  std::array<std::optional<Error>, 2> refusals;
  run_ranks(2, [&](const std::shared_ptr<const Communicator>& ranks) {
    const auto rank = static_cast<size_t>(ranks->rank());
    const auto choose = [&](DeviceTransport transport) {
      return device_ranks(ranks, transport, at::Device(at::kCUDA, static_cast<at::DeviceIndex>(rank)),
                          world_of(*ranks));
    };
    unchanged[rank] = (choose(DeviceTransport::kAuto) == ranks) + (choose(DeviceTransport::kGloo) == ranks);
    refusals[rank] = error_of([&] { choose(DeviceTransport::kNccl); });
  });
  CHECK(unchanged == std::array{2, 2});
  for (const auto& refusal : refusals) {
    REQUIRE(refusal);
    CHECK(refusal->kind() == ErrorKind::kConfig);
    CHECK_THAT(refusal->what(), contains_text("train.ranks.transport: nccl, but this build has no NCCL"));
  }
}
