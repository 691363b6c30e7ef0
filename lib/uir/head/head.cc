#include "uir/head/head.h"

#include <c10/core/GradMode.h>

#include <utility>
#include <variant>

#include "uir/base/error.h"
#include "uir/head/center_shard.h"
#include "uir/head/head_pass.h"

namespace uir {
namespace {

void check_labels(const at::Tensor& labels, int64_t num_classes) {
  const at::Tensor dense = labels.contiguous();
  const int64_t* values = dense.data_ptr<int64_t>();
  for (int64_t row = 0; row < labels.size(0); ++row) {
    if (values[row] < 0 || values[row] >= num_classes) {
      fail(ErrorKind::kData, "row ", row, " of the batch: label ", values[row], " is outside [0, ",
           num_classes, "), the classes of this head; train on the index that the head was made for");
    }
  }
}

}  // namespace

struct Head::Impl {
  HeadState state;
};

Head::Head(const HeadConfig& config, UirReduction reduction, int64_t num_classes, int64_t embedding_size,
           uint64_t seed, std::shared_ptr<const Communicator> communicator, at::Device device) {
  check_head(config, num_classes);
  const RowRange range = class_range(num_classes, communicator->rank(), communicator->size());
  at::Tensor centers_nD = initial_centers(range, embedding_size, seed).to(device).set_requires_grad(true);
  at::Tensor margin_state;
  if (std::holds_alternative<AdaFaceConfig>(config.margin)) {
    margin_state = initial_norm_statistics().to(device);
  }
  auto touched_rows = config.sample_rate < 1 ? std::make_shared<TouchedRows>() : nullptr;
  CenterShard shard(std::move(communicator), num_classes, std::move(centers_nD), config);
  impl_ = std::make_unique<Impl>(
      Impl{{std::move(shard), config, reduction, seed, std::move(margin_state), std::move(touched_rows)}});
}

Head::Head(Head&&) noexcept = default;
Head::~Head() = default;

HeadLoss Head::loss_and_gradients(const at::Tensor& embeddings, const at::Tensor& labels,
                                  const HeadStep& step) {
  const at::NoGradGuard no_autograd;
  HeadState& state = impl_->state;
  state.shard.check_embeddings(embeddings);
  ensure(labels.is_cpu() && labels.dim() == 1 && labels.size(0) == step.num_labeled &&
             labels.scalar_type() == at::kLong,
         "labels are int64 [num_labeled], on the CPU");
  ensure(step.num_labeled <= embeddings.size(0), "num_labeled is at most the number of rows");
  check_labels(labels, state.shard.num_classes);
  return HeadPass(state, embeddings.detach(), labels, step).run();
}

at::Tensor& Head::centers() { return impl_->state.shard.centers_nD; }
std::shared_ptr<TouchedRows> Head::touched_rows() const { return impl_->state.touched_rows; }
RowRange Head::range() const { return impl_->state.shard.range; }
int64_t Head::num_classes() const { return impl_->state.shard.num_classes; }
at::Tensor& Head::margin_state() { return impl_->state.margin_state; }

}  // namespace uir
