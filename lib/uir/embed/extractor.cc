#include "uir/embed/extractor.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <deque>

#include "uir/base/error.h"
#include "uir/base/row_range.h"
#include "uir/device/transfer.h"
#include "uir/pixels/pixels.h"

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

// The row list in blocks of `batch`, shared out among the ranks: in each round every rank embeds one.
struct Rounds {
  const std::vector<int64_t>& rows;
  int64_t first, batch, rank, num_ranks;

  RowRange block(int64_t round, int64_t of_rank) const {
    const auto size = static_cast<int64_t>(rows.size());
    const int64_t begin = std::min(size, first + (round * num_ranks + of_rank) * batch);
    return {begin, std::min(size, begin + batch)};
  }
  int64_t count() const {
    const int64_t per_round = batch * num_ranks;
    return (static_cast<int64_t>(rows.size()) - first + per_round - 1) / per_round;
  }
  // Rounds in which this rank has a block; it has none in at most the last one.
  int64_t own_count() const {
    return count() - (count() > 0 && block(count() - 1, rank).size() == 0 ? 1 : 0);
  }
  std::vector<Sample> own_samples(int64_t round) const {
    std::vector<Sample> samples;
    const RowRange range = block(round, rank);
    for (int64_t i = range.begin; i < range.end; ++i)
      samples.push_back({rows[static_cast<size_t>(i)], -1, 0});
    return samples;
  }
};

// Embeddings of a batch and, if wanted, of its mirror images: [options.batch, 1 or 2, D].
Download embed_views(const Embedder& embedder, Batch& batch, const ExtractOptions& options) {
  batch.images.resize(static_cast<size_t>(options.batch * kImageBytes), 0);  // pads the last batch
  const at::Tensor images =
      upload(at::from_blob(batch.images.data(), {options.batch, kImageSize, kImageSize, 3}, at::kByte),
             options.device);
  const at::Tensor plain = embedder.embed(images);
  if (!options.mirrored) return Download(plain.unsqueeze(1));
  return Download(at::stack({plain, embedder.embed(at::flip(images, {2}))}, 1));
}

EmbeddingBlock block_of(const std::vector<int64_t>& rows, RowRange range, const at::Tensor& views) {
  EmbeddingBlock block{range.begin, {rows.begin() + range.begin, rows.begin() + range.end}, {}, {}};
  block.embeddings = views.select(1, 0).contiguous();
  if (views.size(1) > 1) block.mirrored = views.select(1, 1).contiguous();
  return block;
}

}  // namespace

Embedder embedder_of(const std::shared_ptr<Backbone>& backbone, at::ScalarType pixel_type) {
  backbone->eval();
  return {backbone->embedding_size(), [backbone, pixel_type](const at::Tensor& images) {
            const at::NoGradGuard no_grad;
            return backbone->forward(normalize_pixels(images, pixel_type));
          }};
}

void embed_rows(const Index& index, const std::vector<int64_t>& rows, int64_t first, Backbone& backbone,
                const ExtractOptions& options, const std::function<void(const EmbeddingBlock&)>& sink) {
  const EvaluationMode evaluation(backbone);
  const auto embed = [&](const at::Tensor& images) {
    return backbone.forward(normalize_pixels(images, options.pixel_type));
  };
  embed_rows(index, rows, first, Embedder{backbone.embedding_size(), embed}, options, sink);
}

void embed_rows(const Index& index, const std::vector<int64_t>& rows, int64_t first, const Embedder& embedder,
                const ExtractOptions& options, const std::function<void(const EmbeddingBlock&)>& sink) {
  ensure(first % options.batch == 0, "extraction starts at a batch boundary");
  const Communicator& ranks = *options.ranks;
  const Rounds rounds{rows, first, options.batch, ranks.rank(), ranks.size()};
  LoaderOptions loading;
  loading.config = options.loader;
  loading.config.max_bad = 0;  // a replacement would be stored under the bad image's name
  loading.num_batches = rounds.own_count();
  Loader loader(
      index, [&rounds](int64_t round) { return rounds.own_samples(round); }, loading);

  const int64_t dim = embedder.dim, views = options.mirrored ? 2 : 1;
  const auto embed_round = [&](int64_t round) {
    if (round >= rounds.own_count()) return Download(at::zeros({options.batch, views, dim}, at::kFloat));
    Batch batch;
    ensure(loader.next(batch), "the loader holds this rank's blocks");
    return embed_views(embedder, batch, options);
  };
  const auto deliver = [&](int64_t round, const Download& own) {
    const at::Tensor all = ranks.all_gather_rows(own.wait().contiguous());
    for (int64_t rank = 0; rank < ranks.size(); ++rank) {
      const RowRange range = rounds.block(round, rank);
      if (range.size() == 0) break;
      sink(block_of(rows, range, all.narrow(0, rank * options.batch, range.size())));
    }
  };
  // A device embeds a round while the one before is stored.
  const int64_t late = options.device.is_cpu() ? 0 : 1;
  std::deque<Download> on_their_way;
  for (int64_t round = 0; round < rounds.count() + late; ++round) {
    if (round < rounds.count()) on_their_way.push_back(embed_round(round));
    if (round < late) continue;
    deliver(round - late, on_their_way.front());
    on_their_way.pop_front();
  }
}

}  // namespace uir
