#include "support/ranks.h"
#include "uir/dist/nccl.h"
#include "uir/pipeline/compute.h"
#include "uir/pipeline/device_memory.h"
//
#include <array>
#include <functional>
#include <optional>
#include <string>

#include "support/catch.h"
#include "support/errors.h"

using namespace uir;

namespace {

RanksConfig over(DeviceTransport transport) { return {.transport = transport}; }

at::Device cuda_of(const Communicator& ranks) {
  return {at::kCUDA, static_cast<at::DeviceIndex>(ranks.rank())};
}

// What device_ranks throws on each of two ranks.
std::array<std::optional<Error>, 2> refusals(const RanksConfig& config,
                                             const std::function<at::Device(int64_t)>& device) {
  std::array<std::optional<Error>, 2> result;
  run_ranks(2, [&](const std::shared_ptr<const Communicator>& ranks) {
    result[static_cast<size_t>(ranks->rank())] =
        error_of([&] { device_ranks(ranks, config, device(ranks->rank())); });
  });
  return result;
}

void check_refused(const std::array<std::optional<Error>, 2>& errors, const std::string& text) {
  for (const auto& error : errors) {
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::kConfig);
    CHECK_THAT(error->what(), contains_text(text));
  }
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
          device_ranks(ranks, over(transport), at::kCPU) == ranks;
  });
  CHECK(unchanged == std::array{3, 3});
}

TEST_CASE("compute: ranks on devices without NCCL talk over Gloo, or refuse where NCCL is asked for") {
  if (has_nccl()) return;
  std::array<int, 2> unchanged{};
  run_ranks(2, [&](const std::shared_ptr<const Communicator>& ranks) {
    for (const DeviceTransport transport : {DeviceTransport::kAuto, DeviceTransport::kGloo})
      unchanged[static_cast<size_t>(ranks->rank())] +=
          device_ranks(ranks, over(transport), cuda_of(*ranks)) == ranks;
  });
  CHECK(unchanged == std::array{2, 2});
  const auto cuda = [](int64_t) { return at::Device(at::kCUDA, 0); };
  check_refused(refusals(over(DeviceTransport::kNccl), cuda),
                "train.ranks.transport: nccl, but 2 ranks run a build without NCCL");
}

TEST_CASE("compute: what CUDA ranks cannot do is refused on every rank alike") {
  const auto mixed = [](int64_t rank) { return rank == 0 ? at::Device(at::kCUDA, 0) : at::Device(at::kCPU); };
  check_refused(refusals({}, mixed),
                "train.device: 1 of 2 ranks compute on CUDA devices, the others on CPUs");
  const auto cuda = [](int64_t) { return at::Device(at::kCUDA, 0); };
  check_refused(refusals({.batch_norm = BatchNormStatistics::kSynchronized}, cuda),
                "train.ranks.batch_norm: synchronized needs CPUs");
}

TEST_CASE("compute: a device whose memory does not suffice is one message") {
  const auto error = error_of([] {
    with_device_memory([] {
      throw c10::OutOfMemoryError({"f", "file.cc", 1}, "CUDA out of memory. Tried to allocate 2.00 GiB.");
    });
  });
  REQUIRE(error);
  CHECK(error->kind() == ErrorKind::kConfig);
  CHECK_THAT(error->what(),
             contains_text("train.device: CUDA out of memory. Tried to allocate 2.00 GiB. Smaller"));
  CHECK_THAT(error->what(), !contains_text("file.cc"));
  bool ran = false;
  with_device_memory([&] { ran = true; });
  CHECK(ran);
}
