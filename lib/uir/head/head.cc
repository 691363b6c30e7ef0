#include "uir/head/head.h"

#include <ATen/ops/tensor.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "uir/base/error.h"
#include "uir/head/best_classes.h"
#include "uir/head/head_pass.h"
#include "uir/head/shard.h"

namespace uir {
namespace {

// Row sums are float64 sums of exponentials: finite for any number of classes below this scale.
constexpr double kLargestScale = 600;

void check_labels(const at::Tensor& labels, int64_t num_classes) {
  const at::Tensor on_cpu = labels.cpu().contiguous();
  const int64_t* values = on_cpu.data_ptr<int64_t>();
  for (int64_t row = 0; row < labels.size(0); ++row) {
    if (values[row] < 0 || values[row] >= num_classes) {
      fail(ErrorKind::kData, "row ", row, " of the batch: label ", values[row], " is outside [0, ",
           num_classes, "), the classes of this head; train on the index that the head was made for");
    }
  }
}

void check_embeddings(const at::Tensor& embeddings_BD, const at::Tensor& centers_nD) {
  ensure(embeddings_BD.dim() == 2 && embeddings_BD.size(1) == centers_nD.size(1),
         "embeddings are [B, D] with the class centers' D");
  ensure(embeddings_BD.scalar_type() == centers_nD.scalar_type(),
         "embeddings and class centers have one type");
}

}  // namespace

ClassRange class_range(int64_t num_classes, int64_t rank, int64_t num_ranks) {
  const int64_t share = num_classes / num_ranks, rest = num_classes % num_ranks;
  const int64_t begin = rank * share + std::min(rank, rest);
  return {begin, begin + share + (rank < rest ? 1 : 0)};
}

struct Head::Impl {
  Shard shard;
};

Head::Head(const HeadConfig& config, UirReduction reduction, int64_t num_classes, int64_t embedding_size,
           uint64_t seed, std::shared_ptr<const Communicator> communicator, at::Device device) {
  if (config.scale > kLargestScale) {
    fail(ErrorKind::kConfig, "head.scale: ", config.scale, " is above ", kLargestScale,
         ", where e^scale leaves float64; 64 is usual");
  }
  if (!(config.sample_rate > 0 && config.sample_rate <= 1)) {
    fail(ErrorKind::kConfig, "head.sample_rate: ", config.sample_rate, " is outside (0, 1]");
  }
  if (num_classes < 1) fail(ErrorKind::kData, "the index has no labeled class; the head needs at least one");
  const ClassRange range = class_range(num_classes, communicator->rank(), communicator->size());
  at::Tensor centers_nD = initial_centers(range, embedding_size, seed).to(device).set_requires_grad(true);
  at::Tensor margin_state;
  if (std::holds_alternative<AdaFaceConfig>(config.margin)) {
    const NormStatistics start;
    margin_state = at::tensor({start.mean, start.deviation}, at::kDouble);
  }
  auto touched_rows = config.sample_rate < 1 ? std::make_shared<TouchedRows>() : nullptr;
  impl_ = std::make_unique<Impl>(
      Impl{Shard{config, reduction, num_classes, seed, std::move(communicator), range, std::move(centers_nD),
                 std::move(margin_state), std::move(touched_rows)}});
}

Head::Head(Head&&) noexcept = default;
Head::~Head() = default;

HeadLoss Head::loss_and_gradients(const at::Tensor& embeddings, const at::Tensor& labels,
                                  const HeadStep& step) {
  const at::NoGradGuard no_autograd;
  Shard& shard = impl_->shard;
  check_embeddings(embeddings, shard.centers_nD);
  ensure(labels.dim() == 1 && labels.size(0) == step.num_labeled && labels.scalar_type() == at::kLong,
         "labels are int64 [num_labeled]");
  ensure(step.num_labeled <= embeddings.size(0), "num_labeled is at most the number of rows");
  check_labels(labels, shard.num_classes);
  return HeadPass(shard, embeddings.detach(), labels.to(embeddings.device()), step).run();
}

at::Tensor Head::best_classes(const at::Tensor& embeddings) {
  const at::NoGradGuard no_autograd;
  check_embeddings(embeddings, impl_->shard.centers_nD);
  return uir::best_classes(impl_->shard, embeddings.detach());
}

at::Tensor& Head::centers() { return impl_->shard.centers_nD; }
std::shared_ptr<TouchedRows> Head::touched_rows() const { return impl_->shard.touched_rows; }
ClassRange Head::range() const { return impl_->shard.range; }
int64_t Head::num_classes() const { return impl_->shard.num_classes; }
at::Tensor& Head::margin_state() { return impl_->shard.margin_state; }

}  // namespace uir
