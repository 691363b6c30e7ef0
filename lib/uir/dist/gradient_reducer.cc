#include "uir/dist/gradient_reducer.h"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty_like.h>
#include <torch/csrc/distributed/c10d/reducer.hpp>

#include <algorithm>
#include <optional>
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

// Sums a bucket's numbers over the ranks.
class BucketSum {
 public:
  BucketSum(Group group, Carried carried) : group_(std::move(group)), carried_(carried) {}

  // Overwrites the buffer; the future's value is the sum.
  FuturePtr start(const at::Tensor& buffer) const {
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
  static at::Tensor result(const c10::IValue& value) {
    return value.isTensor() ? value.toTensor() : value.toTensorVector().at(0);
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

// A hook of our own keeps the Reducer from dividing by the number of ranks.
class SumHook : public c10d::CommHookInterface {
 public:
  explicit SumHook(BucketSum sum) : sum_(std::move(sum)) {}
  FuturePtr runHook(c10d::GradBucket& bucket) override { return sum_.start(bucket.getBufferRef()); }
  at::Tensor parseHookResult(const c10::IValue& result) override { return BucketSum::result(result); }

 private:
  BucketSum sum_;
};

// Buckets of parameters whose gradients are summed one after the other when they are complete.
struct SumAfterwards {
  BucketSum sum;
  std::vector<std::vector<at::Tensor>> buckets;

  void run() const {
    for (const std::vector<at::Tensor>& parameters : buckets) {
      std::vector<at::Tensor> parts;
      for (const at::Tensor& parameter : parameters) parts.push_back(parameter.grad().flatten());
      const FuturePtr future = sum.start(at::cat(parts));
      future->waitAndThrow();
      const at::Tensor summed = BucketSum::result(future->value());
      int64_t position = 0;
      for (const at::Tensor& parameter : parameters) {
        const at::Tensor part = summed.narrow(0, position, parameter.numel());
        parameter.grad().copy_(part.view(parameter.sizes()));
        position += parameter.numel();
      }
    }
  }
};

// The bucket that is reduced first is small, so that the reduction starts early.
constexpr size_t kFirstBucketBytes = size_t{1} << 20;

}  // namespace

struct GradientReducer::Impl {
  std::shared_ptr<const ProcessGroupCommunicator> communicator;
  std::unique_ptr<c10d::Reducer> reducer;  // or afterwards
  std::optional<SumAfterwards> afterwards;
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
  const BucketSum sum(process_group, carried);
  impl_ = std::make_unique<Impl>();
  impl_->communicator = group;
  if (!options.overlaps) {
    impl_->afterwards = SumAfterwards{sum, {}};
    for (const std::vector<size_t>& bucket : std::get<0>(buckets)) {
      std::vector<at::Tensor>& members = impl_->afterwards->buckets.emplace_back();
      for (const size_t i : bucket) members.push_back(reversed[i]);
    }
    return;
  }
  impl_->reducer = make_reducer<c10d::Reducer>(
      reversed, buckets, process_group, static_cast<int64_t>(bucket_bytes), static_cast<int64_t>(sizes[0]));
  impl_->reducer->register_comm_hook(std::make_unique<SumHook>(sum));
  // Now, in the order of the parameters, so that it is not done after the first step, in the order of that.
  impl_->reducer->push_rebuilt_params_for_all_indices();
  group->guarded("agreeing on gradient buckets", [&] { impl_->reducer->rebuild_buckets(); });
}

GradientReducer::~GradientReducer() = default;

void GradientReducer::run(Sync sync, const std::function<void()>& backward) {
  if (!impl_ || sync == Sync::kAccumulate) return backward();
  if (impl_->afterwards) {
    backward();
    return impl_->communicator->guarded("summing gradients", [&] { impl_->afterwards->run(); });
  }
  [[maybe_unused]] const WithoutWarnings quiet;
  impl_->communicator->guarded("summing gradients", [&] {
    impl_->reducer->prepare_for_backward({});
    backward();
  });
}

}  // namespace uir
