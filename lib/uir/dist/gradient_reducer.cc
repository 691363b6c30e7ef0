#include "uir/dist/gradient_reducer.h"

#include <ATen/ops/empty_like.h>
#include <torch/csrc/distributed/c10d/reducer.hpp>

#include <algorithm>
#include <utility>

#include "uir/base/error.h"
#include "uir/dist/compat.h"
#include "uir/dist/process_group.h"

namespace uir {
namespace {

using Group = c10::intrusive_ptr<c10d::ProcessGroup>;
using FuturePtr = c10::intrusive_ptr<c10::ivalue::Future>;

// How the numbers of a bucket travel.
enum class Carried { kAsTheyAre, kSummedInBf16, kGatheredInBf16 };

// How a bucket is summed; a hook of our own keeps the Reducer from dividing by the number of ranks.
class SumHook : public c10d::CommHookInterface {
 public:
  SumHook(Group group, Carried carried) : group_(std::move(group)), carried_(carried) {}

  FuturePtr runHook(c10d::GradBucket& bucket) override {
    const at::Tensor buffer = bucket.getBufferRef();
    switch (carried_) {
      case Carried::kAsTheyAre:
        return sum(buffer);
      case Carried::kSummedInBf16:
        return sum_in_bf16(buffer);
      case Carried::kGatheredInBf16:
        return gather_in_bf16(buffer);
    }
    fail(ErrorKind::kInternal, "no such way to carry gradients");
  }
  at::Tensor parseHookResult(const c10::IValue& result) override {
    return result.isTensor() ? result.toTensor() : result.toTensorVector().at(0);
  }

 private:
  FuturePtr sum(const at::Tensor& buffer) const {
    std::vector<at::Tensor> tensors{buffer};
    return group_->allreduce(tensors)->getFuture();
  }

  FuturePtr sum_in_bf16(const at::Tensor& buffer) const {
    std::vector<at::Tensor> tensors{buffer.to(at::kBFloat16)};
    return group_->allreduce(tensors)->getFuture()->then(
        [buffer, summed = tensors[0]](c10::ivalue::Future& sum) {
          sum.value();  // throws what went wrong
          buffer.copy_(summed);
          return c10::IValue(std::vector<at::Tensor>{buffer});
        },
        c10::ListType::ofTensors());
  }

  // Gloo cannot add bf16: it carries the bytes of every rank to every rank, which then adds up in float32.
  FuturePtr gather_in_bf16(const at::Tensor& buffer) const {
    std::vector<at::Tensor> mine{buffer.to(at::kBFloat16).view(at::kByte)};
    std::vector<std::vector<at::Tensor>> all(1);
    for (int rank = 0; rank < group_->getSize(); ++rank) all[0].push_back(at::empty_like(mine[0]));
    return group_->allgather(all, mine)->getFuture()->then(
        [buffer, all](c10::ivalue::Future& gathered) {
          gathered.value();  // throws what went wrong
          buffer.zero_();
          for (const at::Tensor& bytes : all[0])
            buffer.add_(bytes.view(at::kBFloat16).to(buffer.scalar_type()));
          return c10::IValue(std::vector<at::Tensor>{buffer});
        },
        c10::ListType::ofTensors());
  }

  Group group_;
  Carried carried_;
};

// The bucket that is reduced first is small, so that the reduction starts early.
constexpr size_t kFirstBucketBytes = size_t{1} << 20;

}  // namespace

struct GradientReducer::Impl {
  std::shared_ptr<const ProcessGroupCommunicator> communicator;
  std::unique_ptr<c10d::Reducer> reducer;
};

GradientReducer::GradientReducer(const std::vector<at::Tensor>& parameters,
                                 std::shared_ptr<const Communicator> communicator,
                                 const ReducerOptions& options) {
  if (communicator->size() == 1) return;
  auto group = std::dynamic_pointer_cast<const ProcessGroupCommunicator>(std::move(communicator));
  ensure(group != nullptr, "several ranks talk through a process group");
  std::vector<at::Tensor> reversed(parameters.rbegin(), parameters.rend());
  const auto bucket_bytes = static_cast<size_t>(options.bucket_mb * (1 << 20));
  const std::vector<size_t> sizes{std::min(kFirstBucketBytes, bucket_bytes), bucket_bytes};
  const auto buckets = c10d::compute_bucket_assignment_by_size(reversed, sizes);
  const Group process_group = group->process_group();
  const bool summable = group->uses_nccl() && parameters.front().is_cuda();
  const Carried carried = !options.compress_bf16 ? Carried::kAsTheyAre
                          : summable             ? Carried::kSummedInBf16
                                                 : Carried::kGatheredInBf16;
  impl_ = std::make_unique<Impl>();
  impl_->communicator = group;
  impl_->reducer = make_reducer<c10d::Reducer>(
      reversed, buckets, process_group, static_cast<int64_t>(bucket_bytes), static_cast<int64_t>(sizes[0]));
  impl_->reducer->register_comm_hook(std::make_unique<SumHook>(process_group, carried));
  // Now, in the order of the parameters, so that it is not done after the first step, in the order of that.
  impl_->reducer->push_rebuilt_params_for_all_indices();
  group->guarded("agreeing on gradient buckets", [&] { impl_->reducer->rebuild_buckets(); });
}

GradientReducer::~GradientReducer() = default;

void GradientReducer::run(Sync sync, const std::function<void()>& backward) {
  if (!impl_ || sync == Sync::kAccumulate) return backward();
  [[maybe_unused]] const WithoutWarnings quiet;
  impl_->communicator->guarded("summing gradients", [&] {
    impl_->reducer->prepare_for_backward({});
    backward();
  });
}

}  // namespace uir
