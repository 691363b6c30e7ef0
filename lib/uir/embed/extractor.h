// From index rows to embeddings: the network in evaluation mode over fixed batches.
//
// Shapes: N rows → blocks of at most `batch` embeddings [b, D] float32, unnormalised, with their mirror
// images'. Outputs depend on the batch size (rounding of the products), not on threads or interruptions:
// batches start at multiples of `batch` of the row list and the last one is padded with black images.
// Several ranks: each embeds every k-th block, then all get all of them; blocks, and so results, are those of
// one rank.
// Collectives: one gather of [batch, D] or [batch, 2 D] for every k blocks.
// Cost: one forward pass per image, two with mirror images, the last batch in full; memory: k batches of
// embeddings.
// Errors: undecodable images as Loader says (none is replaced); what the sink throws. Threads: one extraction
// at a time per network; the sink is called from the caller's.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "uir/data/index.h"
#include "uir/data/loader.h"
#include "uir/dist/communicator.h"
#include "uir/model/backbone.h"

namespace uir {

struct ExtractOptions {
  int64_t batch = 64;
  bool mirrored = true;
  at::ScalarType pixel_type = at::kFloat;
  at::Device device = at::kCPU;
  LoaderConfig loader;
  std::shared_ptr<const Communicator> ranks = std::make_shared<Communicator>();
};

// What turns images uint8 [b, 112, 112, 3] on a device into embeddings float32 [b, dim] there.
struct Embedder {
  int64_t dim = 0;
  std::function<at::Tensor(const at::Tensor& images)> embed;
};

// A network of ours, which is left in evaluation mode, on pixels of the type.
Embedder embedder_of(const std::shared_ptr<Backbone>& backbone, at::ScalarType pixel_type);

struct EmbeddingBlock {
  int64_t first = 0;          // position in the row list
  std::vector<int64_t> rows;  // [b] index rows
  at::Tensor embeddings;      // [b, D] float32 on the CPU
  at::Tensor mirrored;        // [b, D], undefined unless asked for
};

// Calls sink, on every rank, for consecutive blocks, from the block that contains position `first` (a
// multiple of batch) on. Every rank gives the same rows, `first` and options.
void embed_rows(const Index& index, const std::vector<int64_t>& rows, int64_t first, const Embedder& embedder,
                const ExtractOptions& options, const std::function<void(const EmbeddingBlock&)>& sink);
// With a network of ours, on options.device, in evaluation mode; it is left in the mode it was in.
void embed_rows(const Index& index, const std::vector<int64_t>& rows, int64_t first, Backbone& backbone,
                const ExtractOptions& options, const std::function<void(const EmbeddingBlock&)>& sink);

}  // namespace uir
