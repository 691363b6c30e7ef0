#include "uir/embed/extractor.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/from_blob.h>

#include <algorithm>

#include "uir/base/error.h"

namespace uir {
namespace {

class EvaluationMode {
 public:
  explicit EvaluationMode(Backbone& backbone) : backbone_(backbone), training_(backbone.is_training()) {
    backbone_.eval();
  }
  ~EvaluationMode() { backbone_.train(training_); }
  EvaluationMode(const EvaluationMode&) = delete;
  EvaluationMode& operator=(const EvaluationMode&) = delete;

 private:
  at::NoGradGuard no_grad_;
  Backbone& backbone_;
  const bool training_;
};

// Batch b holds positions [b * batch, (b + 1) * batch) of the row list.
BatchPlan consecutive_batches(const std::vector<int64_t>& rows, int64_t batch) {
  return [&rows, batch](int64_t number) {
    const int64_t begin = number * batch;
    const int64_t end = std::min<int64_t>(begin + batch, static_cast<int64_t>(rows.size()));
    std::vector<Sample> samples;
    for (int64_t i = begin; i < end; ++i) samples.push_back({rows[static_cast<size_t>(i)], -1, 0});
    return samples;
  };
}

at::Tensor embed(Backbone& backbone, const at::Tensor& images, const ExtractOptions& options) {
  const at::Tensor pixels = normalize_pixels(images.to(options.device), options.pixel_type);
  return backbone.forward(pixels).to(at::kCPU).contiguous();
}

}  // namespace

void embed_rows(const Index& index, const std::vector<int64_t>& rows, int64_t first, Backbone& backbone,
                const ExtractOptions& options, const std::function<void(const EmbeddingBlock&)>& sink) {
  ensure(first % options.batch == 0, "extraction starts at a batch boundary");
  const EvaluationMode evaluation(backbone);
  const int64_t num_rows = static_cast<int64_t>(rows.size());
  LoaderOptions loading;
  loading.config = options.loader;
  loading.config.max_bad = 0;  // a replacement would be stored under the bad image's name
  loading.first_batch = first / options.batch;
  loading.num_batches = (num_rows + options.batch - 1) / options.batch - loading.first_batch;
  Loader loader(index, consecutive_batches(rows, options.batch), loading);

  EmbeddingBlock block;
  block.first = first;
  for (Batch batch; loader.next(batch);) {
    const int64_t size = batch.size();
    batch.images.resize(static_cast<size_t>(options.batch * kImageBytes), 0);  // pads the last batch
    const at::Tensor images =
        at::from_blob(batch.images.data(), {options.batch, kImageSize, kImageSize, 3}, at::kByte);
    block.rows = batch.rows;
    block.embeddings = embed(backbone, images, options).narrow(0, 0, size);
    if (options.mirrored) block.mirrored = embed(backbone, at::flip(images, {2}), options).narrow(0, 0, size);
    sink(block);
    block.first += size;
  }
}

}  // namespace uir
