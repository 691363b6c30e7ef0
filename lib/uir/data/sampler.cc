#include "uir/data/sampler.h"

#include <optional>

#include "uir/base/error.h"
#include "uir/base/random.h"

namespace uir {
namespace {

void check_divides(const char* name, int64_t count, const TrainingSampler::Shape& shape) {
  if (count % (shape.accumulation * shape.num_ranks) == 0) return;
  fail(ErrorKind::kConfig, "train.batch.", name, ": ", count, " rows cannot be shared evenly by ",
       shape.num_ranks, " ranks times ", shape.accumulation, " accumulation steps; choose a multiple of ",
       shape.accumulation * shape.num_ranks);
}

}  // namespace

TrainingSampler::TrainingSampler(const Index& index, Shape shape, uint64_t seed)
    : index_(index),
      labeled_rows_(index.training_rows(Role::kLabeled)),
      unlabeled_rows_(index.training_rows(Role::kUnlabeled)),
      shape_(shape),
      seed_(seed) {
  ensure(shape.labeled > 0 && shape.unlabeled >= 0 && shape.accumulation > 0,
         "a training batch has labeled rows");
  ensure(shape.rank >= 0 && shape.rank < shape.num_ranks, "0 <= rank < number of ranks");
  check_divides("labeled", shape.labeled, shape);
  check_divides("unlabeled", shape.unlabeled, shape);
  if (static_cast<int64_t>(labeled_rows_.size()) < shape.labeled) {
    fail(ErrorKind::kConfig, "train.batch.labeled: a batch of ", shape.labeled,
         " labeled rows cannot be filled: the index has ", labeled_rows_.size(),
         " labeled images for training");
  }
  if (shape.unlabeled > 0 && unlabeled_rows_.empty()) {
    fail(ErrorKind::kConfig, "train.batch.unlabeled: ", shape.unlabeled,
         " rows asked for, but the index has no unlabeled images for training; add an unlabeled source or "
         "set it to 0");
  }
}

int64_t TrainingSampler::steps_per_epoch() const {
  return static_cast<int64_t>(labeled_rows_.size()) / shape_.labeled;
}

RowRange TrainingSampler::own_part(int64_t global_count, int64_t part) const {
  const int64_t size = global_count / (shape_.num_ranks * shape_.accumulation);
  const int64_t begin = (shape_.rank * shape_.accumulation + part) * size;
  return {begin, begin + size};
}

void TrainingSampler::add_labeled(int64_t step, int64_t part, std::vector<Sample>& samples) const {
  const auto epoch = static_cast<uint64_t>(step / steps_per_epoch());
  const int64_t first = step % steps_per_epoch() * shape_.labeled;
  const RandomPermutation order(labeled_rows_.size(), seed_, RandomPurpose::kShuffleLabeled, epoch);
  const RowRange range = own_part(shape_.labeled, part);
  for (int64_t i = range.begin; i < range.end; ++i) {
    const int64_t row = labeled_rows_[order(static_cast<uint64_t>(first + i))];
    samples.push_back({row, index_.labels()[static_cast<size_t>(row)], epoch});
  }
}

void TrainingSampler::add_unlabeled(int64_t step, int64_t part, std::vector<Sample>& samples) const {
  const RowRange range = own_part(shape_.unlabeled, part);
  const uint64_t total = unlabeled_rows_.size();
  std::optional<RandomPermutation> order;
  uint64_t order_epoch = 0;
  for (int64_t i = range.begin; i < range.end; ++i) {
    const auto position = static_cast<uint64_t>(step * shape_.unlabeled + i);
    const uint64_t epoch = position / total;
    if (!order || epoch != order_epoch) order.emplace(total, seed_, RandomPurpose::kShuffleUnlabeled, epoch);
    order_epoch = epoch;
    samples.push_back({unlabeled_rows_[(*order)(position % total)], -1, epoch});
  }
}

std::vector<Sample> TrainingSampler::micro_batch(int64_t m) const {
  const int64_t step = m / shape_.accumulation, part = m % shape_.accumulation;
  std::vector<Sample> samples;
  add_labeled(step, part, samples);
  add_unlabeled(step, part, samples);
  return samples;
}

}  // namespace uir
